/**
 * What a package holds. From the files of an image, what its steps added, and the expressions of a spec, this room chooses
 * the entries of the package, and says for each path why it was kept or left out. It knows no engine and no archive.
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
