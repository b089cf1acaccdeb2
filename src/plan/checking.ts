import { type Diagnostic, nearest } from '../diagnostic/index.ts';
import { type Candidate, type Outcome, solve, type Universe } from '../solver/index.ts';
import { type PackageRef, packageName } from '../spec/index.ts';
import { enumerate, type Tree, type View } from '../tree/index.ts';

/** One view of a tree while it is checked. */
export interface Checking {
  readonly tree: Tree;
  readonly view: View;
  readonly universe: Universe;
  readonly problems: Diagnostic[];
  /** What was perhaps meant by a name that nothing bears. */
  readonly suggest: (ref: PackageRef) => string | undefined;
}

/** Searches for a similar name take long among many names, and help only while few are missing. */
const SUGGESTIONS = 200;

/** Suggests names: first the same name in other categories, then one that is spelled alike. */
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

/** A package's own relations with their places, in one view. */
export function relations({ tree, view }: Checking, id: string) {
  const pack = (view === 'runtime' ? tree.runtime : tree).byKey(id);
  const of = view === 'runtime' ? pack?.definition : pack?.build;
  return { requires: of?.requires ?? [], conflicts: of?.conflicts ?? [], pack };
}

/** For messages about a view. */
export const when = (view: View): string => (view === 'runtime' ? 'at run time' : 'at build time');

/** A reference as a user writes it, for messages. */
export const written = (ref: PackageRef): string =>
  `${packageName(ref)}${ref.selector && ` ${ref.selector}`}`;

/** What comes of asking for one package and nothing else. */
export function solveAlone({ universe }: Checking, candidate: Candidate): Outcome {
  return solve(universe, { requires: [], packages: [candidate.id] });
}
