import { Catalog } from './catalog.ts';
import { Encoding } from './encoding.ts';
import type { Candidate } from './types.ts';

/** Candidates, indexed once and ready for any number of requests; made by `createUniverse`. */
export class Universe extends Catalog {
  /** The clauses that requests share, with what was learned from them. They never change an answer. */
  readonly encoding = new Encoding(this);
}

/** Indexes candidates for any number of requests; their order does not matter. Throws where ids repeat. */
export function createUniverse(candidates: Iterable<Candidate>): Universe {
  return new Universe(candidates);
}
