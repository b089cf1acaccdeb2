import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Explanation, Problem, Requirement } from '../solver/index.ts';

/** The place of a requirement, which came from a view of a tree; undefined for one that a request made up. */
export function placeOf(requirement: Requirement | undefined): Place | undefined {
  return requirement?.place as Place | undefined;
}

/** Codes of contradictions, the same as in `tree validate`. */
const codes = {
  'invalid-selector': 'invalid-selector',
  'unknown-name': 'missing-requirement',
  'no-version': 'missing-requirement',
  conflict: 'conflict',
  'two-versions': 'unsolvable',
  'none-left': 'unsolvable',
} as const satisfies Record<Problem['kind'], string>;

/**
 * One diagnostic about a package without solution: at the first contradiction, with the explanation as notes.
 * `hint` can suggest a name for an unknown `category/name`.
 */
export function unsolvable(
  { message, problems }: Explanation,
  asker: string,
  hint: (name: string) => string | undefined = () => undefined,
): Diagnostic[] {
  const [first] = problems;
  if (first === undefined) throw new Error('internal error: an explanation without a contradiction');
  const claims = first.kind === 'two-versions' ? first.claims : [first];
  const isMissing = first.kind === 'unknown-name' || first.kind === 'no-version';
  const near =
    first.kind === 'unknown-name' && first.nearest !== undefined
      ? `Did you mean ${first.nearest}?`
      : undefined;
  const meant = (isMissing ? hint(first.requirement.name) : undefined) ?? near;
  const place = claims.flatMap(({ requirement }) => placeOf(requirement) ?? [])[0];
  return [
    {
      code: codes[first.kind],
      severity: 'error',
      message: summary(first),
      package: asker,
      ...(place === undefined ? {} : { place }),
      ...(meant === undefined ? {} : { hint: meant }),
      notes: message.split('\n').map((line) => ({ message: line })),
    },
  ];
}

function summary(problem: Problem): string {
  if (problem.kind === 'two-versions')
    return `two versions of ${problem.name} are required, but a build can use only one`;
  const { requirement, from } = problem;
  const wanted = `${requirement.name} ${requirement.selector}`.trim();
  const needs = `${from === undefined ? 'the request' : from.id} requires ${wanted}`;
  switch (problem.kind) {
    case 'invalid-selector':
      return `${needs}: ${problem.reason}`;
    case 'unknown-name':
      return `${needs}, but no such package exists`;
    case 'no-version':
      return `${needs}, but only these are available: ${[...problem.versions, ...problem.providers.map(({ id }) => id)].join(', ')}`;
    case 'conflict':
      return `${from === undefined ? 'the request' : from.id} conflicts with ${problem.with.map(({ id }) => id).join(', ')}`;
    case 'none-left':
      return `${needs}, but all options are ruled out`;
  }
}
