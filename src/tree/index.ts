/** Every package of one or more trees: found, read, and looked up by name. */

export {
  type Bumped,
  type BumpedFile,
  type BumpedVersions,
  bumpVersions,
  followsOwner,
  type VersionChange,
  writeBumped,
} from './bump.ts';
export { unifiedDiff } from './diff.ts';
export { enumerate, type Found, findPackages, notBuilt } from './find.ts';
export { type ListedPackage, listedPackage } from './listing.ts';
export { loadTrees } from './load.ts';
export { type RenderedSpec, renderedSpec } from './rendered.ts';
export { type RenderedTemplate, renderTemplate, type TemplateOptions } from './template.ts';
export type { LoadOptions, PackageIndex, Tree, TreeFinalizer, TreePackage } from './types.ts';
export { errorsIn, type ValidateOptions, type View, validateTree } from './validate.ts';
export {
  buildProvides,
  buildtimeCandidates,
  isBuildable,
  originText,
  requirement,
  runtimeCandidates,
  type ViewCandidate,
  type ViewRequirement,
} from './views.ts';
