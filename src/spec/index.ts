/** One folder's files → checked, typed package and build spec, or diagnostics with file, line and column. */

export { type PackageArgument, type PackageCandidate, parsePackageArgument } from './argument.ts';
export { type BuildFile, readBuild } from './build.ts';
export { readCollection } from './collection.ts';
export { type DefinitionFile, readDefinition } from './definition.ts';
export { type Expansion, expandEnvironment } from './environment.ts';
export { type Compiled, compileExpression } from './expression.ts';
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
  type Origin,
  type Origins,
  plainSource,
  readYaml,
  renderedSource,
  type Source,
  toValue,
  type YamlNode,
  type YamlResult,
} from './yaml/index.ts';
