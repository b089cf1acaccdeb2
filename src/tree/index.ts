/**
 * Package trees: folders with a `definition.yaml` or `collection.yaml` and a `build.yaml`. `loadTrees` finds
 * and reads all packages of one or more trees, `findPackages` looks them up by name and version. Example:
 * `findPackages(tree, 'libs/zlib@>=1.2', 'buildtime')`.
 *
 * A broken package does not stop the others: problems are collected in `Tree.diagnostics`. This room does not
 * solve requirements; it only lists packages as candidates for the solver.
 */

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
export { enumerate, type FoundPackages, findPackages, notBuilt } from './find.ts';
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
