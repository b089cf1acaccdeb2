import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { gzip } from './gzip.ts';
import { rechunk } from './rechunk.ts';
import { zstd } from './zstd.ts';
import { cutAtFrames } from './zstd-frames.ts';

/** How an archive is packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** Every compression there is. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'zstd'];

/** How much is read and written at once where nothing is compressed. */
export const CHUNK = 128 * 1024;

/** The compressed bytes of a stream. Equal bytes give equal output, however they arrive and on however many threads. */
export function compress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'none') return rechunk(source, CHUNK);
  return compression === 'gzip' ? gzip(source) : zstd(source);
}

/** How much may come out of a compressed stream. */
export interface Growth {
  /** Bytes that always may. */
  readonly always: number;
  /** Bytes that may for each that went in. */
  readonly times: number;
}

/** Archives of files are 2 to 50 times as long as what they were compressed to; a bomb about a thousand times. */
const growth: Growth = { always: 2 * 1024 ** 3, times: 250 };

/**
 * The plain bytes of a compressed stream, of all its members and frames. Rejects where they are damaged or end early, where the source does, and, with the code
 * `Z_TOO_LARGE`, where more comes out of it than may.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  limit: Growth = growth,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return bounded(through(source, createGunzip({ chunkSize: CHUNK })), limit);
  return bounded(through(cutAtFrames(source), createZstdDecompress({ chunkSize: CHUNK })), limit);
}

async function* bounded(
  codec: Transform & { readonly bytesWritten: number },
  { always, times }: Growth,
): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of codec as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > always && size > codec.bytesWritten * times) {
      const message = `more than ${size - chunk.length} bytes come out of ${codec.bytesWritten}, as of an archive that is to fill a disk`;
      throw Object.assign(new Error(message), { code: 'Z_TOO_LARGE' });
    }
    yield chunk;
  }
}

function through<T extends Transform>(source: AsyncIterable<Uint8Array>, codec: T): T {
  const input = source instanceof Readable ? source : Readable.from(source);
  // An error of either side destroys the other, and reaches whoever reads the codec.
  pipeline(input, codec, () => {});
  return codec;
}
