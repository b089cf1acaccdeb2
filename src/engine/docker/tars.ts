import type { BytePath } from '../../tar/index.ts';
import { ApiError, type Connection } from './connection.ts';

/** A path that the engine says something of: what happened to it, against the image. */
export interface ToldChange {
  readonly Path: string;
  /** Modified (0), added (1) or deleted (2). */
  readonly Kind: number;
}

/** A folder in which runtimes mount something, and in which nothing else is. */
export interface EmptyFolder {
  readonly path: BytePath;
  readonly mode: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
}

/** How file trees are asked of a container. */
export interface Tars {
  /** The container's whole file system, what the image has beneath the runtime's mounts and not what is mounted. */
  export(): Promise<AsyncIterable<Uint8Array>>;
  /**
   * What is at a path, its names beginning with the path's last component; undefined where nothing is there. Absent where
   * the engine's archives of single paths are not to be trusted.
   */
  archive?(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Which of these empty folders the image had itself, where the engine makes such folders in a container. */
  ownFolders?(folders: readonly EmptyFolder[]): Promise<ReadonlySet<BytePath>>;
  /** What differs from the image, where the engine's answer can be trusted. */
  changes?(): Promise<readonly ToldChange[] | null>;
}

/** What can be asked of a container besides its whole file system. */
export interface TarsOptions {
  /** Whether archives of single paths tell the owners that files have; podman's do not. */
  readonly archives: boolean;
  readonly changes?: boolean;
  readonly ownFolders?: Tars['ownFolders'] | undefined;
}

/** The archives that the API gives of a container. */
export function tarsOf(connection: Connection, id: string, options: TarsOptions): Tars {
  const { archives, changes, ownFolders } = options;
  return {
    export: async () => await connection.stream('GET', `/containers/${id}/export`),
    ...(archives ? { archive: (path) => archiveOf(connection, id, path) } : {}),
    ...(ownFolders === undefined ? {} : { ownFolders }),
    ...(changes
      ? { changes: () => connection.json<readonly ToldChange[] | null>('GET', `/containers/${id}/changes`) }
      : {}),
  };
}

async function archiveOf(
  connection: Connection,
  id: string,
  path: string,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    return await connection.stream('GET', `/containers/${id}/archive`, { query: { path } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Looks into the image through a container that is never started, in which podman has made nothing. */
export function lookedUp(connection: Connection, body: object): NonNullable<Tars['ownFolders']> {
  return async (folders) => {
    const own = new Set<BytePath>();
    const { Id: id } = await connection.json<{ Id: string }>('POST', '/containers/create', { body });
    try {
      for (const { path } of folders) {
        // Leaving the loop at once lets go of the connection.
        for await (const _ of (await archiveOf(connection, id, asJson(path))) ?? []) {
          own.add(path);
          break;
        }
      }
    } finally {
      await connection.json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } });
    }
    return own;
  };
}

/**
 * Tells by their times, for Docker makes what an image lacks when it creates a container, at `created` (seconds since
 * 1970): /proc and /sys are then new. In /dev and /etc it makes something every time; the one counts as the image's where
 * /proc or /sys does or where its mode is another, the other where its mode is another.
 */
export function toldByTime(created: number): NonNullable<Tars['ownFolders']> {
  return async (folders) => {
    const old = folders.filter(({ path, mtime }) => (path === 'proc' || path === 'sys') && mtime < created);
    return new Set(
      folders
        .filter(
          (one) =>
            one.path === 'run' ||
            one.mode !== 0o755 ||
            old.includes(one) ||
            (one.path === 'dev' && (old.length > 0 || one.mtime < created)),
        )
        .map(({ path }) => path),
    );
  };
}

/** A path as the engine's JSON writes it: Go replaces each byte that is not UTF-8. */
export const asJson = (path: BytePath): string => `/${Buffer.from(path, 'latin1').toString('utf8')}`;

/** The path that the engine's JSON means, if all of it was UTF-8. */
export const fromJson = (path: string): BytePath => Buffer.from(path.slice(1), 'utf8').toString('latin1');
