/** Paths to archive, checksums and metadata; and back. */

export { archiveName, type Compression, compressionOf, compressions, openArchive } from './compression.ts';
