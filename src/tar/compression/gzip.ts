import { promisify } from 'node:util';
import { constants, crc32, deflateRaw } from 'node:zlib';
import { inParallel } from './parallel.ts';
import { rechunk } from './rechunk.ts';

/** How much is deflated at once, in bytes: part of the format. */
const BLOCK = 512 * 1024;

/** How far back deflate refers, in bytes. */
const WINDOW = 32 * 1024;

/** Deflate at level 6, with neither a name, nor a time, nor a system. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** A last block with nothing in it, which ends deflated data. */
const lastBlock = Buffer.from([3, 0]);

interface Block {
  readonly bytes: Buffer;
  /** What stands before it, as far as deflate refers back. */
  readonly before: Buffer;
}

const deflate = promisify(deflateRaw);

/** A stream as one gzip member, whose blocks are deflated several at once, and with hardly a loss by that. */
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

/** A block that ends at a byte, so that the next one can follow it. */
const deflateBlock = ({ bytes, before }: Block): Promise<Buffer> =>
  deflate(bytes, {
    level: 6,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: bytes.length + (bytes.length >> 8) + 1024,
    ...(before.length === 0 ? {} : { dictionary: before }),
  });
