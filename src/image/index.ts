/**
 * Container images as data: read from and written to registries, OCI layouts and archives. Knows of no engine.
 */
export {
  type Configuration,
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type ImageIndex,
  type ImageSink,
  type ImageSource,
  type Layer,
  type Platform,
  type ReadOptions,
  type WriteOptions,
} from './types.ts';
