import type { BytePath } from '../../tar/index.ts';
import { ApiError, type Connection } from './connection.ts';

/** A path that the engine says something of: what happened to it, against the image. */
export interface ToldChange {
  readonly Path: string;
  /** Modified (0), added (1) or deleted (2). */
  readonly Kind: number;
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
  /** Whether the image had something at a path, where the engine makes folders of its own in a container. */
  inImage?(path: string): Promise<boolean>;
  /** What differs from the image, where the engine's answer can be trusted. */
  changes?(): Promise<readonly ToldChange[] | null>;
}

/** What can be asked of a container besides its whole file system. */
export interface TarsOptions {
  /** Whether archives of single paths tell the owners that files have; podman's do not. */
  readonly archives: boolean;
  readonly changes?: boolean;
  readonly inImage?: Tars['inImage'] | undefined;
}

/** The archives that the API gives of a container. */
export function tarsOf(connection: Connection, id: string, options: TarsOptions): Tars {
  const { archives, changes, inImage } = options;
  return {
    export: async () => await connection.stream('GET', `/containers/${id}/export`),
    ...(archives ? { archive: (path) => archiveOf(connection, id, path) } : {}),
    ...(inImage === undefined ? {} : { inImage }),
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

/** Looks into an image through a container that is never started, in which no runtime has made anything. */
export function looksInto(connection: Connection, body: object): NonNullable<Tars['inImage']> {
  return async (path) => {
    const { Id: id } = await connection.json<{ Id: string }>('POST', '/containers/create', { body });
    try {
      // Leaving the loop at once lets go of the connection.
      for await (const _ of (await archiveOf(connection, id, path)) ?? []) return true;
      return false;
    } finally {
      await connection.json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } });
    }
  };
}

/** A path as the engine's JSON writes it: Go replaces each byte that is not UTF-8. */
export const asJson = (path: BytePath): string => `/${Buffer.from(path, 'latin1').toString('utf8')}`;

/** The path that the engine's JSON means, if all of it was UTF-8. */
export const fromJson = (path: string): BytePath => Buffer.from(path.slice(1), 'utf8').toString('latin1');
