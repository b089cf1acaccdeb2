/**
 * Where images are kept. The executor asks for images of packages by their content keys, through one
 * contract, `ImageCache`: the engine's own images are one cache, a registry is another, and several can be
 * stacked. Base images, which no package makes, are looked up and brought into the engine here, too.
 */
export {
  BaseImageError,
  type BaseImageOptions,
  baseImageFinder,
  holdBaseImage,
} from './base-images.ts';
export { engineCache } from './engine-cache.ts';
export {
  checkedInputs,
  decodeInputs,
  decodeRecord,
  encodeInputs,
  encodeRecord,
  type ImageRecord,
  labels,
  type StepPaths,
} from './record.ts';
export { deleteImages, isDeleteRefused, type StoredImage, storedImages } from './registry/contents.ts';
export { isTransferError } from './registry/difference.ts';
export { inputsTag, lastInputs } from './registry/inputs.ts';
export { TagLookup } from './registry/lookup.ts';
export { type CacheEvent, RegistryCache } from './registry/registry-cache.ts';
export { stackedCache } from './stack.ts';
export type { CachedImage, ImageCache, Offered, OfferedImage } from './types.ts';
