import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';
import { inParallel } from './parallel.ts';
import { rechunk } from './rechunk.ts';

/**
 * Bytes compressed as one frame, equal to the window size of the level. Changing this changes the bytes of
 * archives.
 */
const BLOCK = 2 * 1024 * 1024;

const params = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
const pack = promisify(zstdCompress);

/** Compresses a stream to zstd frames, several in parallel. */
export async function* zstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let isEmpty = true;
  for await (const frame of inParallel(rechunk(source, BLOCK), packBlock)) {
    isEmpty = false;
    yield frame;
  }
  if (isEmpty) yield await packBlock(Buffer.alloc(0));
}

/**
 * Incompressible data grows by 3 bytes for each 128 KiB. The output buffer includes room for that, so that a
 * frame comes as one chunk.
 */
const packBlock = (block: Buffer): Promise<Buffer> =>
  pack(block, { params, chunkSize: block.length + (block.length >> 8) + 1024 });
