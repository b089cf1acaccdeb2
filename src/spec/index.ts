/** One folder's files → checked, typed package and build spec, or diagnostics with file, line and column. */

export type {
  BuildSpec,
  CopyEntry,
  Definition,
  Located,
  PackageId,
  PackageRef,
  Subpackage,
} from './types.ts';
