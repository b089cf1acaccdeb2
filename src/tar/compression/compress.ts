import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { gzip } from './gzip.ts';
import { rechunk } from './rechunk.ts';
import { zstd } from './zstd.ts';
import { cutAtFrames } from './zstd-frames.ts';

/** Compression of an archive. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** All supported compressions. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'zstd'];

/** Chunk size in bytes for reading and writing uncompressed data. */
export const CHUNK = 128 * 1024;

/**
 * Compresses a stream. The output depends on the input bytes only, not on chunk sizes or the number of
 * threads.
 */
export function compress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'none') return rechunk(source, CHUNK);
  return compression === 'gzip' ? gzip(source) : zstd(source);
}

/** Limit for the size of a decompressed stream: `always + times × compressed size` bytes. */
export interface ExpansionLimit {
  /** Bytes that are always allowed. */
  readonly always: number;
  /** Additional bytes allowed for each compressed byte. */
  readonly times: number;
}

/**
 * Archives of real files are 2 to 50 times as large as their compressed form; a decompression bomb is about
 * 1000 times as large.
 */
const growth: ExpansionLimit = { always: 2 * 1024 ** 3, times: 250 };

/**
 * Decompresses a stream, including all its gzip members or zstd frames. Rejects if the data is damaged or
 * ends early, if the source rejects, and with the code `Z_TOO_LARGE` if the result exceeds the limit.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  limit: ExpansionLimit = growth,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return bounded(through(source, createGunzip({ chunkSize: CHUNK })), limit);
  return bounded(through(cutAtFrames(source), createZstdDecompress({ chunkSize: CHUNK })), limit);
}

async function* bounded(
  codec: Transform & { readonly bytesWritten: number },
  { always, times }: ExpansionLimit,
): AsyncGenerator<Buffer, void, undefined> {
  let size = 0;
  for await (const chunk of codec as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > always && size > codec.bytesWritten * times) {
      const message = `decompression stopped: ${codec.bytesWritten} compressed bytes gave more than ${size - chunk.length} bytes, as in a decompression bomb`;
      throw Object.assign(new Error(message), { code: 'Z_TOO_LARGE' });
    }
    yield chunk;
  }
}

function through<T extends Transform>(source: AsyncIterable<Uint8Array>, codec: T): T {
  const input = source instanceof Readable ? source : Readable.from(source);
  // An error on either side destroys the other one, and rejects the reads of the codec.
  pipeline(input, codec, () => {});
  return codec;
}
