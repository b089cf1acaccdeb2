import type { BytePath } from '../tar/index.ts';
import type { ExpressionPosition, Verdict } from './filter.ts';
import type { Selection } from './select.ts';

/** Why a path is in a package or not. */
export type PathReason =
  /** The filters keep it. `by` is the `includes` expression; undefined if there are none. */
  | { readonly kind: 'kept'; readonly by?: FilterPosition }
  /** It is a parent folder of a path that is kept. */
  | { readonly kind: 'folder' }
  /** An `excludes` expression matches it. */
  | { readonly kind: 'excluded'; readonly by: FilterPosition }
  /** No `includes` expression matches it. */
  | { readonly kind: 'not-included'; readonly of: FilterPosition['of'] };

/** An expression of a spec, and whether it belongs to the package or to a subpackage. */
export interface FilterPosition extends ExpressionPosition {
  readonly of: 'package' | 'subpackage';
}

/** The reasons for all candidates, from the filters of the package and, for a subpackage, its own filters. */
export function reasonsOf(whole: Selection, part: Selection | undefined): ReadonlyMap<BytePath, PathReason> {
  const reasons = new Map<BytePath, PathReason>();
  // One object for each verdict, because a package can have a million paths but only a few expressions.
  const byVerdict = new Map<Verdict, PathReason>();
  const add = (selection: Selection, of: FilterPosition['of']): void => {
    for (const [path, verdict] of selection.verdicts) {
      const reason = byVerdict.get(verdict) ?? reasonOf(verdict, of);
      byVerdict.set(verdict, reason);
      reasons.set(path, reason);
    }
    byVerdict.clear();
  };
  add(whole, 'package');
  if (part !== undefined) add(part, 'subpackage');
  const folder: PathReason = { kind: 'folder' };
  for (const path of (part ?? whole).folders) reasons.set(path, folder);
  return reasons;
}

function reasonOf({ keeps, by }: Verdict, of: FilterPosition['of']): PathReason {
  if (keeps) return by === undefined ? { kind: 'kept' } : { kind: 'kept', by: { ...by, of } };
  return by === undefined ? { kind: 'not-included', of } : { kind: 'excluded', by: { ...by, of } };
}
