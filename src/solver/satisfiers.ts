import type { Candidate, Requirement, Solution } from './types.ts';

/**
 * Who satisfies a requirement in a solution: of a candidate, or of the request where that is undefined. The
 * candidate itself where it provides what it requires; empty for a requirement that is not in the solution.
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
