/** Paths to archive, checksums and metadata; and back. */

export {
  ArchiveError,
  type Content,
  type Entry,
  type EntrySource,
  type EntryType,
  type ReadEntry,
  type SourceEntry,
} from './entry.ts';
export { readTar } from './tar-read.ts';
export { writeTar } from './tar-write.ts';
