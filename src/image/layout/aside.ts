import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ImageError, type WriteOptions, type WritingRun } from '../types.ts';

const PREFIX = '.luet-ts-';

/** Age in milliseconds from which on nobody is writing to a temporary folder any more, whoever made it. */
const STALE = 24 * 3600 * 1000;

/**
 * Makes a temporary folder for the time of some work, in the folder that what is written there will be moved to. What is left of such
 * folders of runs that are over, or by anybody a day ago, is removed.
 */
export async function withTemporaryFolder<T>(
  folder: string,
  run: WritingRun | undefined,
  work: (temporary: string) => Promise<T>,
): Promise<T> {
  const prefix = run === undefined ? PREFIX : `${PREFIX}${encodeURIComponent(run.name)}-`;
  const temporary = await mkdtemp(join(folder, prefix)).catch((error) => {
    throw cannotWrite(folder, error);
  });
  try {
    await removeStale(folder, temporary, run);
    return await work(temporary);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    throw noRoom.has(code) ? cannotWrite(folder, error) : error;
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const noRoom = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EIO']);

/** That a folder cannot be written to, in words for people. */
export function cannotWrite(folder: string, error: unknown): ImageError {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = code === 'ENOSPC' ? 'its disk is full' : message;
  return new ImageError(`cannot write to ${folder}: ${why}`, { cause: error });
}

async function removeStale(folder: string, temporary: string, run: WritingRun | undefined): Promise<void> {
  // The file system's clock is the one that others' folders have their times of.
  const now = (await stat(temporary)).mtimeMs;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!name.startsWith(PREFIX) || path === temporary) continue;
    const found = await stat(path).catch(() => undefined);
    if (!found?.isDirectory()) continue;
    const owner = /^(.+)-[^-]{6}$/.exec(name.slice(PREFIX.length))?.[1];
    const isLeft = owner !== undefined && run?.isOver(decodeURIComponent(owner)) === true;
    if (isLeft || now - found.mtimeMs > STALE) await rm(path, { recursive: true, force: true });
  }
}

let count = 0;

/** Writes a file in the temporary folder, waits until it is on disk, and gives it its name. A reader never sees half of it. */
export async function writeFileAside(
  path: string,
  temporary: string,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal, onBytes }: WriteOptions = {},
): Promise<void> {
  const aside = join(temporary, String(count++));
  const handle = await open(aside, 'wx', 0o644);
  try {
    for await (const chunk of content) {
      signal?.throwIfAborted();
      await handle.writeFile(chunk);
      onBytes?.(chunk.length);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(aside, path);
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
