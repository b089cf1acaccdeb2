import { type Diagnostic, nearest } from '../diagnostic/index.ts';
import { type Candidate, type SolveResult, solve, type Universe } from '../solver/index.ts';
import { type PackageRef, packageName } from '../spec/index.ts';
import { enumerate, type Tree, type View } from '../tree/index.ts';

/** One view of a tree during validation. */
export interface ViewCheck {
  readonly tree: Tree;
  readonly view: View;
  readonly universe: Universe;
  readonly problems: Diagnostic[];
  /** Suggests a name that was probably meant by an unknown one. */
  readonly suggest: (ref: PackageRef) => string | undefined;
}

/**
 * Maximum number of suggestions: searching for similar names is slow in large trees, and helps only if few
 * names are wrong.
 */
const SUGGESTIONS = 200;

/** Suggests names: first the same name in other categories, then a similar one. */
export function suggester(universe: Universe): (ref: PackageRef) => string | undefined {
  let byBaseName: Map<string, string[]> | undefined;
  const known = new Map<string, string | undefined>();
  return (ref) => {
    byBaseName ??= Map.groupBy(universe.names(), (full) => full.slice(full.lastIndexOf('/') + 1));
    const elsewhere = byBaseName.get(ref.name);
    if (elsewhere !== undefined) return `Did you mean ${enumerate(elsewhere)}?`;
    const name = packageName(ref);
    if (!known.has(name) && known.size < SUGGESTIONS) known.set(name, nearest(name, universe.names()));
    const close = known.get(name);
    return close === undefined ? undefined : `Did you mean ${close}?`;
  };
}

/** The requirements and conflicts of a package in one view, with their places. */
export function relations({ tree, view }: ViewCheck, id: string) {
  const pack = (view === 'runtime' ? tree.runtime : tree).byKey(id);
  const of = view === 'runtime' ? pack?.definition : pack?.build;
  return { requires: of?.requires ?? [], conflicts: of?.conflicts ?? [], pack };
}

/** The view in words, for messages. */
export const when = (view: View): string => (view === 'runtime' ? 'at run time' : 'at build time');

/** A reference as users write it, for messages. */
export const written = (ref: PackageRef): string =>
  `${packageName(ref)}${ref.selector && ` ${ref.selector}`}`;

/** Solves a request for one package only. */
export function solveAlone({ universe }: ViewCheck, candidate: Candidate): SolveResult {
  return solve(universe, { requires: [], packages: [candidate.id] });
}
