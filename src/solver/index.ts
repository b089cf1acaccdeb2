/**
 * Selects one version of each package that a request needs, or explains why that is impossible. Example: a
 * request for `apps/a >=1` over an index in which `apps/a-1.0` requires `libs/b` selects `apps/a-1.0` and the
 * newest `libs/b`. The result does not depend on the order of the input. docs/solver.md describes the order
 * of preference and the algorithm.
 *
 * Input and output are plain data. This room knows neither files nor build specs nor engines.
 */

export type { CoreItem } from './demands.ts';
export type { Explanation, Problem } from './explain.ts';
export { satisfiers } from './satisfiers.ts';
export { type SolveResult, solve } from './solve.ts';
export type { Candidate, Claim, Edge, Request, Requirement, Solution } from './types.ts';
export { createUniverse, type Universe } from './universe.ts';
