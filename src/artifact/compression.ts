import { createReadStream } from 'node:fs';
import { CHUNK, type Compression, compressions, decompress } from '../tar/index.ts';

const suffixes: Readonly<Record<Compression, string>> = {
  none: '.package.tar',
  gzip: '.package.tar.gz',
  zstd: '.package.tar.zst',
};

/** File name of a package's archive. */
export function archiveName(fingerprint: string, compression: Compression): string {
  return fingerprint + suffixes[compression];
}

/** The compression according to an archive's file name; undefined if it is not the name of an archive. */
export function compressionOf(file: string): Compression | undefined {
  return compressions.find((compression) => file.endsWith(suffixes[compression]));
}

/**
 * The uncompressed content of an archive on disk. The compression is determined by its name; by default, it
 * is not compressed.
 */
export function openArchive(file: string): AsyncIterable<Uint8Array> {
  const bytes = createReadStream(file, { highWaterMark: CHUNK });
  return decompress(bytes, compressionOf(file) ?? 'none');
}
