import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { inParallel } from './parallel.ts';
import { rechunk } from './rechunk.ts';

/** How much goes into a frame, in bytes: part of the format. As large as the window of the level. */
const BLOCK = 2 * 1024 * 1024;

const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
const pack = promisify(zstdCompress);

/** A stream as zstd frames of blocks of it, compressed several at once. */
export async function* zstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let isEmpty = true;
  for await (const frame of inParallel(rechunk(source, BLOCK), packBlock)) {
    isEmpty = false;
    yield frame;
  }
  if (isEmpty) yield await packBlock(Buffer.alloc(0));
}

/** Noise grows by three bytes in 128 KiB; with room for that, a frame comes in one piece. */
const packBlock = (block: Buffer): Promise<Buffer> =>
  pack(block, { params, chunkSize: block.length + (block.length >> 8) + 1024 });
