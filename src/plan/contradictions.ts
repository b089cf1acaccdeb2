import type { Note } from '../diagnostic/index.ts';
import type { Candidate, Requirement, Universe } from '../solver/index.ts';
import type { PackageRef } from '../spec/index.ts';
import { relations, type ViewCheck, when, written } from './checking.ts';

/** Maximum number of combinations to check; larger ones are left to the solver. */
const FEW = 16;

/** All candidates that satisfy a requirement. */
function choices(universe: Universe, requirement: Requirement): readonly Candidate[] {
  return universe
    .options(requirement)
    .groups.flatMap(({ family, spans }) =>
      spans.flatMap(([first, last]) => family.members.slice(first, last + 1)),
    );
}

/** Finds requirements of one package that contradict each other, whatever is selected for them. */
export function contradictions(checking: ViewCheck, candidate: Candidate): void {
  const { universe, problems, view } = checking;
  const { requires, conflicts } = relations(checking, candidate.id);
  const all = candidate.requires.map((requirement) => choices(universe, requirement));
  const report = (ref: PackageRef, message: string, notes: readonly Note[]): void => {
    const place = ref.place;
    const text = `${message} ${when(view)}`;
    problems.push({
      code: 'conflict',
      severity: 'error',
      message: text,
      place,
      package: candidate.id,
      notes,
    });
  };
  for (const [i, ref] of requires.entries()) {
    const mine = all[i] ?? [];
    if (mine.length > FEW) continue;
    const against = candidate.conflicts.findIndex((conflict) =>
      mine.every((one) => one !== candidate && universe.satisfies(one, conflict)),
    );
    const at = conflicts[against]?.place;
    if (at !== undefined) {
      report(ref, `the package both requires ${written(ref)} and conflicts with it`, [
        { message: 'the conflict', place: at },
      ]);
    }
    for (let j = 0; j < i; j++) {
      const other = requires[j];
      const theirs = all[j] ?? [];
      if (other === undefined || theirs.length > FEW) continue;
      if (!mine.every((one) => theirs.every((two) => excludes(universe, one, two)))) continue;
      const message = `the package requires ${written(other)} and ${written(ref)}, which conflict with each other`;
      const notes = [{ message: 'the other requirement', place: other.place }];
      report(ref, message, [...notes, ...declared(checking, mine[0], theirs[0])]);
    }
  }
}

/** The place where one of two candidates declares a conflict with the other. */
function declared(checking: ViewCheck, a: Candidate | undefined, b: Candidate | undefined): readonly Note[] {
  if (a === undefined || b === undefined) return [];
  for (const [one, two] of [
    [a, b],
    [b, a],
  ] as const) {
    const index = one.conflicts.findIndex((conflict) => checking.universe.satisfies(two, conflict));
    const ref = relations(checking, one.id).conflicts[index];
    if (ref !== undefined) return [{ message: `the conflict of ${one.id} with ${two.id}`, place: ref.place }];
  }
  return [];
}

/** Whether two candidates can never be in the same solution because of their own conflicts. */
function excludes(universe: Universe, a: Candidate, b: Candidate): boolean {
  if (a === b) return false;
  if (a.name === b.name) return true;
  return (
    a.conflicts.some((conflict) => universe.satisfies(b, conflict)) ||
    b.conflicts.some((conflict) => universe.satisfies(a, conflict))
  );
}
