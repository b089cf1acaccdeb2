/**
 * Tar archives as streams: `writeTar` makes an archive of entries, `readTar` reads one, `compress` and
 * `decompress` handle gzip and zstd. Example: `compress(writeTar(entries), 'zstd')`. Equal entries give equal
 * bytes.
 *
 * Paths are byte sequences, because file names need not be UTF-8. Archives are not trusted: invalid or unsafe
 * ones throw an ArchiveError. This room does not know what an archive is for.
 */
export { type AttributeTarget, attributeNames, getAttribute, setAttribute } from './attributes.ts';
export { type ChunkReader, chunkReader, type SkippableSource } from './chunk-reader.ts';
export {
  CHUNK,
  type Compression,
  compress,
  compressions,
  decompress,
  type ExpansionLimit,
} from './compression/compress.ts';
export { readContent } from './content.ts';
export {
  ArchiveError,
  type Content,
  type Entry,
  type EntrySource,
  type EntryType,
  type ReadEntry,
  type SourceEntry,
} from './entry.ts';
export type { FileContent, FileEntry, FileTree } from './file-tree.ts';
export { type BytePath, fromBytes, fromText, shownPath, toBytes, toText } from './path.ts';
export { type ReadTarOptions, readTar } from './read.ts';
export type { SparseSegment } from './sparse.ts';
export { writeTar } from './write.ts';
