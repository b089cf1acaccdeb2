/** Every package of one or more trees: found, read, and looked up by name. */

export { enumerate, type Found, findPackages } from './find.ts';
export { loadTrees } from './load.ts';
export { type RenderedSpec, renderedSpec } from './rendered.ts';
export type { LoadOptions, Tree, TreeFinalizer, TreePackage } from './types.ts';
export { type ValidateOptions, type View, validateTree } from './validate.ts';
export {
  buildProvides,
  buildtimeCandidate,
  buildtimeCandidates,
  isBuildable,
  originText,
  requirement,
  runtimeCandidate,
  runtimeCandidates,
  subpackageCandidates,
  type ViewCandidate,
  type ViewRequirement,
} from './views.ts';
