/**
 * Places where commands run on an image, behind one small contract. `engine/docker` speaks the Docker API,
 * `engine/native` works on this machine itself.
 */

export { closeInherited } from './descriptors.ts';
export { type Attempt, type FindOptions, type FoundEngine, NoEngineError } from './docker/find.ts';
export { type FindEngineOptions, findEngine } from './find.ts';
export {
  type NativeAddress,
  type NativeOptions,
  openNative,
  parseNative,
  storeFolder,
} from './native/find.ts';
export {
  type Garbage,
  garbageOf,
  type StoreLimits,
  type SurplusImage,
} from './native/store/garbage.ts';
export { StoreImages } from './native/store/images.ts';
export { type LayerUse, Store, type StoreOptions } from './native/store/store.ts';
export { type ImageUse, type StoreUse, usageOf } from './native/store/usage.ts';
export { type VerifiedLayer, verifyStore } from './native/store/verify.ts';
export {
  type ChangeSource,
  type Changes,
  type Engine,
  EngineError,
  type EngineErrorOptions,
  type EngineFault,
  type EngineReport,
  type FileContent,
  type FileEntry,
  type HeldImage,
  type ImageBuildOptions,
  type ImageConfig,
  type ImageInfo,
  type LimitSupport,
  type ListedImage,
  type NamedImage,
  NoShellError,
  type OpenedImages,
  type OutputListener,
  type PutOptions,
  type Reader,
  type Workspace,
  type WorkspaceLimits,
  type WorkspaceOptions,
} from './types.ts';
