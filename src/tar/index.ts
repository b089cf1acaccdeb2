/**
 * File trees as streams: entries with their full metadata, tar archives of them, and paths that may be any bytes.
 */
export {
  ArchiveError,
  type Content,
  type Entry,
  type EntrySource,
  type EntryType,
  type ReadEntry,
  type SourceEntry,
} from './entry.ts';
export { type BytePath, fromBytes, fromText, toBytes, toText } from './path.ts';
export { readTar } from './read.ts';
export { writeTar } from './write.ts';
