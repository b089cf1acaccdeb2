import { createReadStream } from 'node:fs';
import { CHUNK, type Compression, compressions, decompress } from '../tar/index.ts';

const suffixes: Readonly<Record<Compression, string>> = {
  none: '.package.tar',
  gzip: '.package.tar.gz',
  zstd: '.package.tar.zst',
};

/** The file name of a package's archive. */
export function archiveName(fingerprint: string, compression: Compression): string {
  return fingerprint + suffixes[compression];
}

/** The compression that an archive's file name tells; undefined where it is no archive's name. */
export function compressionOf(file: string): Compression | undefined {
  return compressions.find((compression) => file.endsWith(suffixes[compression]));
}

/** The plain bytes of an archive on disk, unpacked as its name says; a name that says nothing is a plain tar's. */
export function openArchive(file: string): AsyncIterable<Uint8Array> {
  const bytes = createReadStream(file, { highWaterMark: CHUNK });
  return decompress(bytes, compressionOf(file) ?? 'none');
}
