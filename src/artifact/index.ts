/**
 * Writes and reads package files. `PackageFormat` is the interface of a format; `luetFormat` implements
 * Luet's: `hello-apps-1.0.package.tar.zst` with `hello-apps-1.0.metadata.yaml`. It also merges the contents
 * of several packages into one stream of entries (`mergePackages`).
 *
 * This room does not know how a package was built.
 */

export { type Compression, compressions } from '../tar/index.ts';
export { archiveName, compressionOf, openArchive } from './compression.ts';
export { metadataName, removeUnfinished } from './files.ts';
export type {
  FoundPackage,
  PackageFormat,
  PackageName,
  PackagePlace,
  PackageToWrite,
  WrittenPackage,
} from './format.ts';
export { layEntries, type OpenEntries } from './layered.ts';
export { luetFormat } from './luet-format.ts';
export { mergePackages, type ReadPackage } from './merge.ts';
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
export { type KnownArtifact, readArtifactRecord, readKeyInputs, readPackage } from './record.ts';
export { type PackageFileOptions, type WrittenArtifact, writeArtifact } from './write.ts';
