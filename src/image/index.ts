/**
 * Container images as data: pull from and push to registries, read and write OCI layouts and archives,
 * extract layers to folders and make layers of folders. Example: `new Registry(options).image('debian:12')`
 * returns an `Image`, which `writePath` stores as an OCI layout.
 *
 * Layers are streams; each verifies its digest while it is read. Archives and registries are not trusted.
 * This room knows neither engines nor packages. Details: README.md in this folder.
 */
export { assembleImage } from './assemble.ts';
export { compressImage, compressLayer } from './compressed.ts';
export { countedImage } from './counted.ts';
export { inParallel } from './in-parallel.ts';
export { extractImage, removeFolder, writeFolderAside } from './layer/aside.ts';
export {
  compressionByMagic,
  isLayerMediaType,
  layerMediaType,
  packLayer,
  unpackLayer,
} from './layer/codec.ts';
export {
  type ExtractOptions,
  extractLayer,
} from './layer/extract.ts';
export { joinSplit } from './layer/join.ts';
export { packFolder } from './layer/pack.ts';
export { type SplitListener, SplitRecorder } from './layer/split.ts';
export {
  digestOf,
  isDigest,
  type Measured,
  measure,
  measured,
  parseDigest,
  verified,
} from './layer/verify.ts';
export { writeFolder } from './layer/write-folder.ts';
export { dockerArchive, fileLayer } from './layout/docker.ts';
export { dockerArchiveOf } from './layout/docker-write.ts';
export { emptyImage, emptyLayer } from './layout/empty.ts';
export { ociArchive, ociLayout } from './layout/oci.ts';
export { ociArchiveSink } from './layout/oci-write.ts';
export {
  imageOfLayers,
  type RunSettings,
  rootfsImage,
  rootfsLayersImage,
  rootfsSink,
} from './layout/rootfs.ts';
export {
  parseConfiguration,
  parseManifest,
} from './manifest.ts';
export { openPath, type PathLocation, writePath } from './places.ts';
export {
  formatPlatform,
  hostPlatform,
  listPlatforms,
  parsePlatform,
  platformDistance,
  selectPlatform,
} from './platform.ts';
export {
  familiarName,
  formatLocation,
  formatReference,
  type ImageLocation,
  parseLocation,
  parseReference,
  type Reference,
} from './reference.ts';
export { type Artifact, fallbackTag } from './registry/artifact.ts';
export {
  type Credentials,
  type Keychain,
  readCredentials,
  registryAuth,
  registryOf,
} from './registry/credentials.ts';
export { ConfigError, readDockerConfig } from './registry/docker-config.ts';
export { RegistryError } from './registry/error.ts';
export { Registry, type RegistryOptions } from './registry/registry.ts';
export type { RetryClock } from './registry/retry.ts';
export { type ProxySetting, type ProxySettings, transportOf } from './registry/transport.ts';
export {
  type Configuration,
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type ImageSink,
  type ImageSource,
  type Layer,
  type Platform,
  type ReadOptions,
  type WriteOptions,
} from './types.ts';
