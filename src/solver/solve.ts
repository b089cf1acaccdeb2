import { Encoding } from './encoding.ts';
import { type Explanation, explain } from './explain.ts';
import { search } from './search.ts';
import type { Candidate, Edge, Request, Solution } from './types.ts';
import { Universe } from './universe.ts';

/** What came of a request. */
export type Outcome = Solution | { readonly ok: false; readonly explanation: Explanation };

/** What requests over one universe share: clauses, and what was learned from them. It never changes an answer. */
const encodings = new WeakMap<Universe, Encoding>();

/** Indexes candidates for any number of requests; their order does not matter. Throws where ids repeat. */
export function createUniverse(candidates: Iterable<Candidate>): Universe {
  return new Universe(candidates);
}

/**
 * Chooses one version of each package that a request needs, or says why that is impossible. The same universe
 * and request always give the same answer. Throws for ids that the universe does not know.
 */
export function solve(universe: Universe, request: Request): Outcome {
  let encoding = encodings.get(universe);
  if (encoding === undefined) {
    encoding = new Encoding(universe);
    encodings.set(universe, encoding);
  }
  const found = search(universe, encoding, request);
  if (found === undefined) return { ok: false, explanation: explain(universe, request) };
  const order = new Map(sorted(found.chosen).map((candidate, i) => [candidate, i]));
  const at = (edge: Edge): number => (edge.from === undefined ? -1 : (order.get(edge.from) ?? 0));
  return {
    ok: true,
    packages: [...order.keys()],
    edges: [...found.edges].sort((a, b) => at(a) - at(b)),
  };
}

function sorted(candidates: readonly Candidate[]): Candidate[] {
  // No two have one name, so there is no version to compare.
  return [...candidates].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
