import type { Candidate, Requirement, Solution } from './types.ts';

/**
 * The candidates that satisfy a requirement of a candidate in a solution, or of the request if it is
 * undefined. Contains the candidate itself if it provides what it requires. Empty if the requirement is not
 * part of the solution.
 */
export function satisfiers(
  solution: Solution,
  candidate: Candidate | undefined,
  requirement: Requirement,
): Candidate[] {
  return solution.edges
    .filter((edge) => edge.from === candidate && edge.requirement === requirement)
    .map((edge) => edge.to);
}
