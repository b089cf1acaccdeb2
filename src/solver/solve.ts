import { type Explanation, explain } from './explain.ts';
import { search } from './search.ts';
import type { Candidate, Edge, Request, Solution } from './types.ts';
import type { Universe } from './universe.ts';

/** The result of a request. */
export type SolveResult = Solution | { readonly ok: false; readonly explanation: Explanation };

/**
 * Selects one version of each package that a request needs, or explains why that is impossible. The same
 * universe and request always give the same result. Throws if the request contains an id that is not in the
 * universe.
 */
export function solve(universe: Universe, request: Request): SolveResult {
  const found = search(universe, universe.encoding, request);
  if (found === undefined) return { ok: false, explanation: explain(universe, request) };
  // All names are different, so versions need not be compared.
  const packages = [...found.chosen].sort((a, b) => (a.name < b.name ? -1 : 1));
  const byOwner = Map.groupBy(found.edges, (edge) => edge.from);
  const owners: (Candidate | undefined)[] = [undefined, ...packages];
  return { ok: true, packages, edges: owners.flatMap((owner): Edge[] => byOwner.get(owner) ?? []) };
}
