/**
 * From a request over an index of packages to one version of each, or to an explanation of why not. Plain data
 * in, plain data out: no files, no build specs, no engines.
 */

export type { CoreItem } from './demands.ts';
export type { Explanation, Problem } from './explain.ts';
export { satisfiers } from './satisfiers.ts';
export { type Outcome, solve } from './solve.ts';
export type { Candidate, Claim, Edge, Request, Requirement, Solution } from './types.ts';
export { createUniverse, type Universe } from './universe.ts';
