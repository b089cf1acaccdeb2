/** Paths to archive, checksums and metadata; and back. */

export { type Compression, compressions } from '../tar/index.ts';
export { archiveName, compressionOf, openArchive } from './compression.ts';
export { metadataName, removeUnfinished } from './files.ts';
export { mergeArchives, type OpenArchive } from './merge.ts';
export type {
  ArtifactRecord,
  Metadata,
  MetadataBuild,
  MetadataCopy,
  MetadataForm,
  MetadataLink,
  MetadataPackage,
} from './metadata.ts';
export { MetadataError, parseMetadata } from './metadata-read.ts';
export { serializeMetadata } from './metadata-write.ts';
export { type KnownArtifact, readArtifactRecord, readPackage } from './record.ts';
export { type ArtifactOptions, type WrittenArtifact, writeArtifact } from './write.ts';
