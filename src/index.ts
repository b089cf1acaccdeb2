/**
 * luet-ts as a library: what the commands do, for programs. `build` builds packages in one call; the other functions are the stages
 * that it consists of. Solver and template engine have entry points of their own: `luet-ts/solver`, `luet-ts/template`.
 */

// Packages as files: written by builds, read back.
export {
  type Compression,
  luetFormat,
  type Metadata,
  type PackageFormat,
  parseMetadata,
  readPackage,
} from './artifact/index.ts';
export { baseImageFinder, type ImageCache } from './cache/index.ts';
// Problems that a user can fix.
export {
  type Diagnostic,
  DiagnosticError,
  formatDiagnostic,
  hasErrors,
  type Place,
  sortDiagnostics,
} from './diagnostic/index.ts';
export { type Engine, EngineError, NoEngineError } from './engine/index.ts';
export type { BuildEvent, EventSink, Outcome } from './events/index.ts';
export {
  type BuildOptions,
  type BuildResult,
  type BuiltPackage,
  build as buildPlan,
  execute as executePlan,
} from './execute/index.ts';
// Container images in registries, layouts and archives.
export { type Image, ImageError, openPath, parseReference, Registry, writePath } from './image/index.ts';
// Everything in one call, with the command line's defaults.
export {
  BuildFailedError,
  type BuildTreeOptions,
  buildTree as build,
  openEngine,
  openRegistry,
  openWorkplace,
  ownSurroundings,
} from './library/index.ts';
// What is built on what, and why.
export {
  dependantsOf,
  dotOf,
  explainRequest,
  mermaidOf,
  needGraph,
  type Plan,
  planBuild,
  validateRelations,
} from './plan/index.ts';
// Plans with content keys, as data.
export { decodePlan, encodePlan, type ResolvedPlan, resolvePlan } from './resolve/index.ts';
// Trees of packages.
export {
  findPackages,
  isBuildable,
  loadTrees,
  type Tree,
  type TreePackage,
  validateTree,
} from './tree/index.ts';
export { admits, compareVersions, parseSelector } from './version/index.ts';
