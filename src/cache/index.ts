/**
 * Where images are kept. `ImageCache` is the contract by which the executor asks for images of packages by their content
 * keys; the images of the engine are its first implementation. Images that no package makes, base images, are found and
 * brought into the engine here, too.
 */
export {
  BaseImageError,
  type BaseImageOptions,
  baseImageFinder,
  holdBaseImage,
} from './base-images.ts';
export { engineCache } from './engine-cache.ts';
export {
  decodeInputs,
  decodeRecord,
  encodeInputs,
  encodeRecord,
  type ImageRecord,
  labels,
  type StepPaths,
} from './record.ts';
export { inputsTag, lastInputs } from './registry/inputs.ts';
export { type CacheEvent, RegistryCache } from './registry/registry-cache.ts';
export { stackedCache } from './stack.ts';
export type { CachedImage, ImageCache, Offered, OfferedImage } from './types.ts';
