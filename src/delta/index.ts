/**
 * Selects the files of a package. Input: the files of an image, the files that steps added, and the filters
 * of a spec. Output: the entries of the package, and for each path why it is in the package or not. Example:
 * with `excludes: [\.la$]`, the file `/usr/lib/a.la` is left out, with the reason `excluded` and the position
 * of that expression.
 *
 * This room knows neither engines nor archives.
 */
export { type Cut, CutError, type CutFile, type CutSpec, cut, keptBy } from './cut.ts';
export { entriesOf, wholeTree } from './entries.ts';
export {
  createFilter,
  type ExpressionPosition,
  type Expressions,
  type Filter,
  type Verdict,
} from './filter.ts';
export { LinkError, partsOf, resolvePath } from './paths.ts';
export type { FilterPosition, PathReason } from './reason.ts';
export { type Selection, select, topmost } from './select.ts';
