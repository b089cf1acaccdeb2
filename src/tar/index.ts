/**
 * File trees as streams: entries with their full metadata, tar archives of them, compressed or not, and paths that may be
 * any bytes.
 */
export { type AttributePlace, attributeNames, getAttribute, setAttribute } from './attributes.ts';
export { type ChunkReader, chunkReader, type SkippableSource } from './chunk-reader.ts';
export {
  CHUNK,
  type Compression,
  compress,
  compressions,
  decompress,
  type Growth,
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
export type { Segment } from './sparse.ts';
export { writeTar } from './write.ts';
