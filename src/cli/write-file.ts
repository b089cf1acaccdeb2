import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Writes a file aside, and gives it its name when it is whole and on the disk. `run` is part of the name that it has until then. */
export async function writeFileSafely(
  path: string,
  content: AsyncIterable<Uint8Array>,
  run: string,
): Promise<void> {
  const aside = `${path}.${run}.tmp`;
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
