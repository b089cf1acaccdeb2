import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Explanation, Problem } from '../solver/index.ts';

/** `file:line`, as the solver carries it, as a place. */
export function placeOf(origin: string | undefined): Place | undefined {
  const match = /^(.*):(\d+)$/s.exec(origin ?? '');
  return match === null ? undefined : { file: match[1] ?? '', line: Number(match[2]) };
}

/** The codes of contradictions, as `tree validate` has them. */
const codes = {
  'invalid-selector': 'invalid-selector',
  'unknown-name': 'missing-requirement',
  'no-version': 'missing-requirement',
  conflict: 'conflict',
  'two-versions': 'unsolvable',
  'none-left': 'unsolvable',
} as const satisfies Record<Problem['kind'], string>;

/**
 * Why a package cannot be had: one finding, at the first contradiction, with the way that leads there. `hint` may know what was
 * meant by a `category/name` that nothing of the view bears.
 */
export function unsolvable(
  { message, problems }: Explanation,
  asker: string,
  hint: (name: string) => string | undefined = () => undefined,
): Diagnostic[] {
  const [first] = problems;
  if (first === undefined) throw new Error('an explanation ends in a contradiction');
  const claims = first.kind === 'two-versions' ? first.claims : [first];
  const isMissing = first.kind === 'unknown-name' || first.kind === 'no-version';
  const near =
    first.kind === 'unknown-name' && first.nearest !== undefined
      ? `Did you mean ${first.nearest}?`
      : undefined;
  const meant = (isMissing ? hint(first.requirement.name) : undefined) ?? near;
  const place = claims.flatMap(({ requirement }) => placeOf(requirement.origin) ?? [])[0];
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
    return `two versions of ${problem.name} are needed, and a build holds one`;
  const { requirement, from } = problem;
  const wanted = `${requirement.name} ${requirement.selector}`.trim();
  const needs = `${from === undefined ? 'what is asked for' : from.id} requires ${wanted}`;
  switch (problem.kind) {
    case 'invalid-selector':
      return `${needs}, which is no selector: ${problem.reason}`;
    case 'unknown-name':
      return `${needs}, and no package of that name is there`;
    case 'no-version':
      return `${needs}, and there is only ${[...problem.versions, ...problem.providers.map(({ id }) => id)].join(', ')}`;
    case 'conflict':
      return `${from === undefined ? 'what is asked for' : from.id} is in conflict with ${problem.with.map(({ id }) => id).join(', ')}`;
    case 'none-left':
      return `${needs}, and everything that would do is ruled out`;
  }
}
