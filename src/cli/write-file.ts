import { constants, createWriteStream } from 'node:fs';
import { open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { removeFolder } from '../image/index.ts';
import type { Workplace } from './workplace.ts';

/**
 * The name that a file or folder has until it is whole, on the file system where it is to be. What runs left under such a name
 * that were killed is removed.
 */
export async function asideOf(path: string, { name, isOver }: Workplace): Promise<string> {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  for (const other of await readdir(folder).catch(() => [])) {
    if (!other.startsWith(prefix) || !other.endsWith('.tmp')) continue;
    if (isOver(other.slice(prefix.length, -'.tmp'.length))) removeFolder(join(folder, other));
  }
  return `${path}.${name}.tmp`;
}

/**
 * Writes a file aside, and gives it its name when it is whole and on the disk. What is there and is no file, such as a device or a named pipe, stays and is
 * written to.
 */
export async function writeFileSafely(
  path: string,
  content: AsyncIterable<Uint8Array>,
  workplace: Workplace,
): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there !== undefined && !there.isFile() && !there.isDirectory()) {
    const handle = await open(path, constants.O_WRONLY);
    await pipeline(Readable.from(content), handle.createWriteStream());
    return;
  }
  const aside = await asideOf(path, workplace);
  try {
    await pipeline(Readable.from(content), createWriteStream(aside));
    const handle = await open(aside);
    await handle.sync().finally(() => handle.close());
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}
