/**
 * Places where commands run on an image, behind one small contract. `engine/docker` speaks the Docker API.
 */

export {
  type Attempt,
  type FindOptions,
  type FoundEngine,
  findDockerEngine as findEngine,
  NoEngineError,
} from './docker/find.ts';
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
  type ImageBuildOptions,
  type ImageConfig,
  type ImageInfo,
  type ListedImage,
  type OutputListener,
  type Reader,
  type Workspace,
  type WorkspaceOptions,
} from './types.ts';
