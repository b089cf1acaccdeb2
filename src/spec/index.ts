/**
 * Reads the files of one package folder (`definition.yaml` or `collection.yaml`, `build.yaml`,
 * `finalize.yaml`) after rendering, and returns checked, typed data. Example:
 * `readBuild(plainSource('build.yaml', 'steps: [make]'))`.
 *
 * All problems are collected as diagnostics with file, line and column; for a rendered file these are
 * positions in the template. This room does not know other packages, so it cannot check whether a requirement
 * exists.
 */

export { type PackageArgument, type PackageCandidate, parsePackageArgument } from './argument.ts';
export { type BuildFile, readBuild } from './build.ts';
export { readCollection } from './collection.ts';
export { type DefinitionFile, readDefinition } from './definition.ts';
export { type Expansion, expandEnvironment } from './environment.ts';
export { type CompiledExpression, compileExpression } from './expression.ts';
export { type FinalizeFile, type Finalizer, readFinalize } from './finalize.ts';
export { type CompiledGlob, compileGlob, isGlob } from './glob.ts';
export { fingerprint, formatPackage, packageName } from './package-id.ts';
export { SCRATCH } from './scratch.ts';
export type {
  BuildSpec,
  CopyEntry,
  Definition,
  Located,
  PackageId,
  PackageRef,
  Subpackage,
} from './types.ts';
export {
  plainSource,
  type RenderOrigin,
  type RenderOrigins,
  readYaml,
  renderedSource,
  toValue,
  type YamlNode,
  type YamlResult,
  type YamlSource,
} from './yaml/index.ts';
