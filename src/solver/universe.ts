import { Catalog } from './catalog.ts';
import { ClauseEncoding } from './encoding.ts';
import type { Candidate } from './types.ts';

/** All candidates, indexed once for any number of requests. Created by `createUniverse`. */
export class Universe extends Catalog {
  /** The clauses shared by all requests, including learned ones. They never change a result. */
  readonly encoding = new ClauseEncoding(this);
}

/**
 * Indexes candidates for any number of requests. Their order does not matter. Throws if two candidates have
 * the same id.
 */
export function createUniverse(candidates: Iterable<Candidate>): Universe {
  return new Universe(candidates);
}
