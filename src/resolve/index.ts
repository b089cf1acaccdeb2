/**
 * A plan says what is built on what; a resolved plan says it with everything that the answer depends on: content keys and
 * their inputs, environments, commands, times, packages. It is plain data: it can be compared, written as JSON and read on
 * another machine. This room knows no engine, no destination folder and no terminal.
 */
export { buildMetadata, type Output, outputsOf } from './artifact.ts';
export { type Context, type ContextFile, readContext, realPath } from './context.ts';
export { advanced, type FoundLater } from './identity.ts';
export { decodePlan, encodePlan, PlanFormatError } from './json.ts';
export {
  artifactHash,
  type BaseIdentity,
  baseKey,
  type CutInputs,
  contextHash,
  finalKey,
  type InputFile,
  KEY_SCHEME,
  type KeyInputs,
  nodeKey,
} from './key.ts';
export { PlanIndex } from './plan-index.ts';
export {
  type FindBaseImage,
  type FoundBaseImage,
  outlinePlan,
  type ResolveOptions,
  resolvePlan,
} from './resolve.ts';
export { notYetWritten, type Retrieved, RetrieveError, retrieve, retrieveFor } from './retrieve.ts';
export {
  type BaseImage,
  type Environment,
  type KnownIdentity,
  type NodeEnvironment,
  type NodeIdentity,
  type OutputSpec,
  PLAN_FORMAT,
  type ResolvedArtifact,
  type ResolvedCopy,
  type ResolvedNode,
  type ResolvedPackage,
  type ResolvedParent,
  type ResolvedPart,
  type ResolvedPlan,
} from './types.ts';
export { isDamage, openRetrieved, type Packing } from './unpack.ts';
