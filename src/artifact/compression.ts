import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createGzip, createZstdCompress, createZstdDecompress } from 'node:zlib';
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

/** What compressors are fed with: their output depends on it, so it is part of the format. */
const CHUNK = 128 * 1024;

/**
 * The same bytes in chunks of one length, but for the last. Each chunk is a copy: the source may use its memory
 * again.
 */
export async function* rechunk(
  source: AsyncIterable<Uint8Array>,
  length = CHUNK,
): AsyncGenerator<Buffer, void, undefined> {
  let chunk = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + length - filled);
      chunk.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < length) continue;
      yield chunk;
      chunk = Buffer.allocUnsafeSlow(length);
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

/** The compressed bytes of a stream. Equal bytes give equal output, however they arrive. */
export function compress(source: AsyncIterable<Uint8Array>, compression: Compression): AsyncIterable<Buffer> {
  const chunks = rechunk(source);
  if (compression === 'none') return chunks;
  if (compression === 'gzip') return withoutSystem(through(chunks, createGzip({ chunkSize: CHUNK })));
  return through(
    chunks,
    createZstdCompress({
      chunkSize: CHUNK,
      params: { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 },
    }),
  );
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

/** A gzip stream whose header does not name the operating system that made it. */
async function* withoutSystem(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let position = 0;
  for await (const chunk of source) {
    const system = 9 - position;
    if (system >= 0 && system < chunk.length) chunk[system] = 255;
    position += chunk.length;
    yield chunk;
  }
}
