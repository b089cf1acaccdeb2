import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { inParallel } from './parallel.ts';
import { rechunk } from './rechunk.ts';

/** Bytes that are compressed as one block. Changing this changes the bytes of archives. */
const BLOCK = 512 * 1024;

/** Size in bytes of the window that deflate refers back to. */
const WINDOW = 32 * 1024;

/** The gzip header: deflate level 6, without name, time or operating system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** An empty last block, which ends deflate data. */
const lastBlock = Buffer.from([3, 0]);

interface Block {
  readonly bytes: Buffer;
  /** The data before this block, as far back as deflate refers. */
  readonly before: Buffer;
}

const deflate = promisify(deflateRaw);

/**
 * Compresses a stream to one gzip member. Blocks are compressed in parallel, and each still refers to the
 * data before it, so the result is hardly larger.
 */
export async function* gzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let sum = 0;
  let size = 0;
  async function* blocks(): AsyncGenerator<Block, void, undefined> {
    let before: Buffer = Buffer.alloc(0);
    for await (const bytes of rechunk(source, BLOCK)) {
      sum = crc32(bytes, sum);
      size += bytes.length;
      yield { bytes, before };
      before = bytes.subarray(-WINDOW);
    }
  }
  let start = header;
  for await (const block of inParallel(blocks(), deflateBlock)) {
    yield start.length === 0 ? block : Buffer.concat([start, block]);
    start = Buffer.alloc(0);
  }
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(sum, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([start, lastBlock, trailer]);
}

/** Compresses a block so that it ends at a byte boundary and the next one can follow. */
const deflateBlock = ({ bytes, before }: Block): Promise<Buffer> =>
  deflate(bytes, {
    level: 6,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: bytes.length + (bytes.length >> 8) + 1024,
    ...(before.length === 0 ? {} : { dictionary: before }),
  });
