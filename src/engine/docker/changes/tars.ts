import type { BytePath } from '../../../tar/index.ts';
import { ApiError, type Connection } from '../connection/connection.ts';

/** A path that differs from the image, in the engine's list of changes. */
export interface ToldChange {
  readonly Path: string;
  /** Modified (0), added (1) or deleted (2). */
  readonly Kind: number;
}

/** A folder in which runtimes mount something, and that is empty otherwise. */
export interface EmptyFolder {
  readonly path: BytePath;
  readonly mode: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
}

/** How file trees of a container are fetched. */
export interface Tars {
  /** The container's whole file system: below the runtime's mounts, the image's own files. */
  export(): Promise<AsyncIterable<Uint8Array>>;
  /**
   * What is at a path; the archive's names begin with the path's last component. Undefined where nothing is
   * there. Absent where the engine's archives of single paths are not correct.
   */
  archive?(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /**
   * Which of these empty folders the image has itself; absent where the engine makes no such folders in
   * containers.
   */
  ownFolders?(folders: readonly EmptyFolder[]): Promise<ReadonlySet<BytePath>>;
  /** What differs from the image; absent where the engine's list is not correct. */
  changes?(): Promise<readonly ToldChange[] | null>;
}

/** What an engine can say of a container, besides its whole file system. */
export interface TarsOptions {
  /** Whether archives of single paths have the right owners; those of podman do not. */
  readonly archives: boolean;
  readonly changes?: boolean;
  readonly ownFolders?: Tars['ownFolders'] | undefined;
}

/** Fetches archives of a container by the API. */
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

/** Looks into the image through a container that is never started: podman makes nothing in it. */
export function lookedUp(connection: Connection, body: object): NonNullable<Tars['ownFolders']> {
  return async (folders) => {
    const own = new Set<BytePath>();
    const { Id: id } = await connection.json<{ Id: string }>('POST', '/containers/create', { body });
    try {
      for (const { path } of folders) {
        // Leaving the loop early closes the connection.
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
 * Decides by times: Docker makes what an image lacks when it creates a container, at `created` (seconds since
 * 1970), so /proc and /sys are new then. In /dev and /etc it makes something in every case; /dev counts as
 * the image's where /proc or /sys does or its mode is another, /etc where its mode is another.
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
