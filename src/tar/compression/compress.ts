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

/**
 * The plain bytes of a compressed stream, of all its members and frames. Rejects where they are damaged or end early, and
 * where the source does.
 */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return through(source, createGunzip({ chunkSize: CHUNK }));
  return through(cutAtFrames(source), createZstdDecompress({ chunkSize: CHUNK }));
}

function through(source: AsyncIterable<Uint8Array>, codec: Transform): AsyncIterable<Buffer> {
  const input = source instanceof Readable ? source : Readable.from(source);
  // An error of either side destroys the other, and reaches whoever reads the codec.
  pipeline(input, codec, () => {});
  return codec;
}
