import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import {
  type BytePath,
  type ChunkReader,
  chunkReader,
  compress,
  decompress,
  fromText,
  readContent,
  shownPath,
} from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { native } from './disk.ts';
import { PART, RAW, SPLIT_MAGIC } from './split.ts';

/** Number of bytes to read at once. */
const CHUNK = 256 * 1024;

/** Milliseconds after which other work in this process gets a turn. */
const BREATH = 15;

/**
 * Restores the archive that a folder was extracted from, from the file written by a `SplitRecorder` and the
 * folder's files. The caller must verify the digest: nothing else is checked. Throws an ImageError if the
 * file is damaged, or if a file of the folder is missing or too short.
 */
export async function* joinSplit(
  file: string,
  folder: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* compress(pieces(file, fromText(folder), signal), 'none');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code !== 'string' || !/^(?:Z_|ZSTD_|ENOENT$|ENOTDIR$|EISDIR$|ELOOP$|ENXIO$)/.test(code))
      throw error;
    throw new ImageError(`cannot restore a layer's archive: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** The memory of a chunk is reused for the next one. */
async function* pieces(
  file: string,
  root: BytePath,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = chunkReader(decompress(readContent(fromText(file)), 'zstd'));
  const buffer = Buffer.allocUnsafe(CHUNK);
  let sinceBreath = performance.now();
  try {
    if ((await take(reader, SPLIT_MAGIC.length)).toString('latin1') !== SPLIT_MAGIC) throw damaged();
    for (;;) {
      const kind = (reader.takeNow(1) ?? (await reader.take(1)))?.[0];
      if (kind === undefined) return;
      if (kind === RAW) yield* raw(reader, (await take(reader, 6)).readUIntBE(0, 6));
      else if (kind === PART) {
        // The bytes are a view that the next read may overwrite.
        const head = await take(reader, 14);
        const part = { offset: head.readUIntBE(0, 6), size: head.readUIntBE(6, 6) };
        const path = (await take(reader, head.readUInt16BE(12))).toString('latin1');
        if (path.split('/').some((name) => name === '' || name === '.' || name === '..')) throw damaged();
        yield* partOf(`${root}/${path}`, part, buffer);
      } else throw damaged();
      if (performance.now() - sinceBreath < BREATH) continue;
      await setImmediate();
      signal?.throwIfAborted();
      sinceBreath = performance.now();
    }
  } finally {
    await reader.close();
  }
}

const damaged = (): ImageError => new ImageError("the record of a layer's archive is damaged");

async function take(reader: ChunkReader, length: number): Promise<Buffer> {
  const bytes = reader.takeNow(length) ?? (await reader.take(length));
  if (bytes === undefined) throw damaged();
  return bytes;
}

async function* raw(reader: ChunkReader, length: number): AsyncGenerator<Uint8Array, void, undefined> {
  for (let missing = length; missing > 0; ) {
    const bytes = reader.someNow(missing) ?? (await reader.some(missing));
    if (bytes === undefined) throw damaged();
    missing -= bytes.length;
    yield bytes;
  }
}

function* partOf(
  real: BytePath,
  { offset, size }: { readonly offset: number; readonly size: number },
  buffer: Buffer,
): Generator<Uint8Array, void, undefined> {
  // O_NONBLOCK: opening a pipe in place of the file must not block.
  const fd = openSync(native(real), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size < offset + size) throw new ImageError(`${shownPath(real)} was changed`);
    for (let done = 0; done < size; ) {
      const count = readSync(fd, buffer, 0, Math.min(buffer.length, size - done), offset + done);
      if (count === 0) throw new ImageError(`${shownPath(real)} is too short`);
      done += count;
      yield buffer.subarray(0, count);
    }
  } finally {
    closeSync(fd);
  }
}
