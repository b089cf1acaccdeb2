import { type Explanation, explain } from './explain.ts';
import { search } from './search.ts';
import type { Candidate, Edge, Request, Solution } from './types.ts';
import type { Universe } from './universe.ts';

/** What came of a request. */
export type SolveResult = Solution | { readonly ok: false; readonly explanation: Explanation };

/**
 * Chooses one version of each package that a request needs, or says why that is impossible. The same universe
 * and request always give the same answer. Throws for ids that the universe does not know.
 */
export function solve(universe: Universe, request: Request): SolveResult {
  const found = search(universe, universe.encoding, request);
  if (found === undefined) return { ok: false, explanation: explain(universe, request) };
  // No two have one name, so there is no version to compare.
  const packages = [...found.chosen].sort((a, b) => (a.name < b.name ? -1 : 1));
  const byOwner = Map.groupBy(found.edges, (edge) => edge.from);
  const owners: (Candidate | undefined)[] = [undefined, ...packages];
  return { ok: true, packages, edges: owners.flatMap((owner): Edge[] => byOwner.get(owner) ?? []) };
}
