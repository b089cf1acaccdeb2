/**
 * Places where commands run on an image, behind one small contract. `engine/docker` speaks the Docker API.
 */

export type {
  Attempt,
  FindOptions,
  FoundEngine,
} from './docker/find.ts';
export { findEngine, NoEngineError } from './find.ts';
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
  type ListedImage,
  type NamedImage,
  type OpenedImages,
  type OutputListener,
  type PutOptions,
  type Reader,
  type Workspace,
  type WorkspaceOptions,
} from './types.ts';
