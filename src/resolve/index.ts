/**
 * Makes a resolved plan of a plan: everything that a build needs to know, as plain data: content keys and
 * their inputs, environments, commands, times and packages. Example: `resolvePlan(plan, options)` gives each
 * node the key under which its image is stored. A key that depends on files of an earlier package stays
 * pending until the build has written them (`advanced`).
 *
 * A resolved plan can be compared, written as JSON and read on another machine. This room knows neither an
 * engine nor the destination folder nor the terminal.
 */
export { buildMetadata, outputsOf, type PackageOutput } from './artifact.ts';
export { type BuildContext, type ContextFile, readContext, realPath } from './context.ts';
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
  type EnvironmentVariables,
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
