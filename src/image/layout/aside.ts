import { mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ImageError, type WriteOptions } from '../types.ts';

const PREFIX = '.luet-ts-';

/** Age in milliseconds from which on nobody is writing to a temporary folder any more. */
const STALE = 24 * 3600 * 1000;

/**
 * Makes a temporary folder for the time of some work, in the folder that what is written there will be moved to. What crashes left of such
 * folders a day ago is removed.
 */
export async function withTemporaryFolder<T>(
  folder: string,
  work: (temporary: string) => Promise<T>,
): Promise<T> {
  const temporary = await mkdtemp(join(folder, PREFIX)).catch((error) => {
    throw new ImageError(`cannot write to ${folder}: ${error.message}`, { cause: error });
  });
  try {
    await removeStale(folder, temporary);
    return await work(temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeStale(folder: string, temporary: string): Promise<void> {
  // The file system's clock is the one that others' folders have their times of.
  const now = (await stat(temporary)).mtimeMs;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!name.startsWith(PREFIX) || path === temporary) continue;
    const found = await stat(path).catch(() => undefined);
    if (found?.isDirectory() && now - found.mtimeMs > STALE) await rm(path, { recursive: true, force: true });
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
