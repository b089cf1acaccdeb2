import type { BytePath } from '../tar/index.ts';
import type { ExpressionPosition, Verdict } from './filter.ts';
import type { Selection } from './select.ts';

/** Why a path is in a package, or is not. */
export type PathReason =
  /** It passed the filters; `by` is the `includes` expression, absent where there are none. */
  | { readonly kind: 'kept'; readonly by?: FilterPosition }
  /** It is a folder on the way to a path that was kept. */
  | { readonly kind: 'folder' }
  /** An `excludes` expression was found in it. */
  | { readonly kind: 'excluded'; readonly by: FilterPosition }
  /** No `includes` expression was found in it. */
  | { readonly kind: 'not-included'; readonly of: FilterPosition['of'] };

/** An expression of a spec, and whose filter it belongs to. */
export interface FilterPosition extends ExpressionPosition {
  readonly of: 'package' | 'subpackage';
}

/** The reasons for all candidates: of the package's own filters, and of a subpackage's where they decide. */
export function reasonsOf(whole: Selection, part: Selection | undefined): ReadonlyMap<BytePath, PathReason> {
  const reasons = new Map<BytePath, PathReason>();
  // One object for each verdict: a package may have a million paths and a few expressions.
  const shared = new Map<Verdict, PathReason>();
  const add = (selection: Selection, of: FilterPosition['of']): void => {
    for (const [path, verdict] of selection.verdicts) {
      const reason = shared.get(verdict) ?? reasonOf(verdict, of);
      shared.set(verdict, reason);
      reasons.set(path, reason);
    }
    shared.clear();
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
