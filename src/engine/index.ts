/**
 * Places where commands run on an image, behind one small contract. `engine/docker` speaks the Docker API,
 * `engine/native` works on this machine itself.
 */

export { closeInherited } from './descriptors.ts';
export { EngineError, type EngineErrorOptions, type EngineFault, NoShellError } from './errors.ts';
export { findEngine } from './find.ts';
export {
  type NativeAddress,
  type NativeOptions,
  parseNative,
} from './native/address.ts';
export {
  type Garbage,
  garbageOf,
  type StoreLimits,
  type SurplusImage,
} from './native/store/garbage.ts';
export { type LayerUse, Store, type StoreOptions } from './native/store/store.ts';
export { type ImageUse, type StoreUse, usageOf } from './native/store/usage.ts';
export { type VerifiedLayer, verifyStore } from './native/store/verify.ts';
export { overriding } from './overriding.ts';
export type { EngineSettings, Setting } from './settings.ts';
export { type Attempt, type FindEngineOptions, type FoundEngine, NoEngineError } from './strategy.ts';
export type {
  ChangeSource,
  Changes,
  Engine,
  EngineAbilities,
  EngineReport,
  FileContent,
  FileEntry,
  HeldImage,
  ImageBuildOptions,
  ImageConfig,
  ImageInfo,
  LimitSupport,
  ListedImage,
  NamedImage,
  OpenedImages,
  OutputListener,
  PutOptions,
  Reader,
  Workspace,
  WorkspaceLimits,
  WorkspaceOptions,
} from './types.ts';
