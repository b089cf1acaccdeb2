import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { gzip } from './gzip.ts';
import { rechunk } from './rechunk.ts';
import { zstd } from './zstd.ts';
import { cutAtFrames } from './zstd-frames.ts';

/** How an archive is packed; also the words of `--compression` and of the metadata. */
export type Compression = 'none' | 'gzip' | 'zstd';

const suffixes: Readonly<Record<Compression, string>> = {
  none: '.package.tar',
  gzip: '.package.tar.gz',
  zstd: '.package.tar.zst',
};

/** Every compression there is. */
export const compressions: readonly Compression[] = ['none', 'gzip', 'zstd'];

/** The file name of a package's archive. */
export function archiveName(fingerprint: string, compression: Compression): string {
  return fingerprint + suffixes[compression];
}

/** The compression that an archive's file name tells; undefined where it is no archive's name. */
export function compressionOf(file: string): Compression | undefined {
  return compressions.find((compression) => file.endsWith(suffixes[compression]));
}

/** How much is read and written at once where nothing is compressed. */
const CHUNK = 128 * 1024;

/** The compressed bytes of a stream. Equal bytes give equal output, however they arrive and on however many threads. */
export function compress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'none') return rechunk(source, CHUNK);
  return compression === 'gzip' ? gzip(source) : zstd(source);
}

/** The plain bytes of a compressed stream. Rejects where they are damaged or end early. */
export function decompress(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  if (compression === 'none') return source;
  if (compression === 'gzip') return through(source, createGunzip({ chunkSize: CHUNK }));
  return through(cutAtFrames(source), createZstdDecompress({ chunkSize: CHUNK }));
}

/** The plain bytes of an archive on disk, unpacked as its name says; a name that says nothing is a plain tar's. */
export function openArchive(file: string): AsyncIterable<Uint8Array> {
  const bytes = createReadStream(file, { highWaterMark: CHUNK });
  return decompress(bytes, compressionOf(file) ?? 'none');
}

function through(source: AsyncIterable<Uint8Array>, codec: Transform): AsyncIterable<Buffer> {
  const input = source instanceof Readable ? source : Readable.from(source);
  // An error of either side destroys the other, and reaches whoever reads the codec.
  pipeline(input, codec, () => {});
  return codec;
}
