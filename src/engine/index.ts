/**
 * Places where commands run on an image. An engine opens an image as a workspace: commands run in it, files
 * are written and read, what changed since a mark is listed, and an image is made of the result. All engines
 * have one contract, `Engine` in types.ts, and pass one suite of tests (test/engine/contract).
 *
 * `docker/` speaks the Docker API, also with podman; `native/` works on this machine itself, on images of the
 * store; `overlay/` reads the folders of overlay mounts for both. `findEngine` chooses: it tries one strategy
 * after the other until an engine answers.
 */

export { closeInherited } from './descriptors.ts';
export { EngineError, type EngineErrorOptions, type EngineFault, NoShellError } from './errors.ts';
export { findEngine } from './find.ts';
export {
  endRun,
  type NativeAddress,
  type NativeOptions,
  parseNative,
} from './native/find/address.ts';
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
