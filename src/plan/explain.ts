import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import {
  type Candidate,
  createUniverse,
  type Request,
  type Requirement,
  type Solution,
  solve,
  type Universe,
} from '../solver/index.ts';
import { type PackageArgument, packageName } from '../spec/index.ts';
import { buildtimeCandidates, runtimeCandidates, type Tree, type View } from '../tree/index.ts';
import { cutHint } from './cut-hint.ts';
import { refuseErrors } from './errors.ts';

/** Who asks for a chosen package. */
export interface Reason {
  /** `category/name-version` of the package that requires it; undefined for the request itself. */
  readonly from?: string;
  /** What is asked for: another name than that of the package where it provides that. */
  readonly name: string;
  readonly selector: string;
  /** `file:line`. */
  readonly origin?: string;
}

/** A package of the answer, and why it is in it. */
export interface Chosen {
  /** `category/name-version`. */
  readonly package: string;
  readonly name: string;
  readonly version: string;
  readonly reasons: readonly Reason[];
  /** All versions of its name, oldest first. */
  readonly versions: readonly string[];
  /** Why its newest version was not chosen, in sentences; absent where it was. */
  readonly notNewest?: readonly string[];
}

/** A request with its answer: the packages that fulfil it, or why there are none. */
export type Explained =
  | { readonly ok: true; readonly view: View; readonly packages: readonly Chosen[] }
  | {
      readonly ok: false;
      readonly view: View;
      /** From the request to the contradiction, a sentence each. */
      readonly steps: readonly string[];
      /** Demands that cannot hold together, while any part of them can. */
      readonly core: readonly CoreDemand[];
    };

/** One demand of those that cannot hold together. */
export interface CoreDemand extends Reason {
  readonly kind: 'requires' | 'conflicts';
}

/**
 * What the packages of a tree say to a request, and why. Throws a DiagnosticError where an argument without a category
 * can be meant for several packages, or for what they provide, and where packages of the answer have errors.
 */
export function explainRequest(tree: Tree, wanted: readonly PackageArgument[], view: View): Explained {
  const universe = createUniverse(view === 'buildtime' ? buildtimeCandidates(tree) : runtimeCandidates(tree));
  const request: Request = { requires: requirementsOf(universe, wanted) };
  const outcome = solve(universe, request);
  if (outcome.ok) {
    refuseErrors(
      outcome.packages.flatMap(({ id }) => tree.runtime.byKey(id) ?? []),
      view,
      wanted.map(({ text }) => text).join(' and '),
    );
    return {
      ok: true,
      view,
      packages: outcome.packages.map((one) => chosen(universe, request, outcome, one)),
    };
  }
  const { steps, core } = outcome.explanation;
  const hints = view === 'buildtime' ? request.requires.flatMap(({ name }) => cutHint(tree, name) ?? []) : [];
  return {
    ok: false,
    view,
    steps: [...steps, ...hints],
    core: core.map((item) => {
      if (item.kind === 'package')
        return { kind: 'requires', name: item.candidate.name, selector: `=${item.candidate.version}` };
      return { kind: item.kind, ...reasonOf(item.from, item.requirement) };
    }),
  };
}

/** What arguments ask for. Throws a DiagnosticError that names every one that can mean several things. */
function requirementsOf(universe: Universe, wanted: readonly PackageArgument[]): Requirement[] {
  const problems: Diagnostic[] = [];
  const found = wanted.map((argument) => {
    const meanings = meaningsOf(universe, argument);
    if (meanings.length > 1) {
      problems.push({
        code: 'ambiguous-package',
        severity: 'error',
        message: `${JSON.stringify(argument.text)} can be ${meanings.map(({ name }) => name).join(' or ')}`,
        hint: 'Add the category',
      });
    }
    return meanings[0];
  });
  if (problems.length > 0) throw new DiagnosticError(problems);
  return found;
}

/** The meanings of an argument's first reading that anything satisfies or, where there is none, that anything bears or provides at all. */
function meaningsOf(
  universe: Universe,
  { candidates }: PackageArgument,
): readonly [Requirement, ...Requirement[]] {
  const readings = candidates.map(({ name, category, selector }) =>
    namesFor(universe, name, category).map((full) => ({ name: full, selector })),
  );
  const satisfied = readings.map((all) => all.filter((one) => universe.options(one).groups.length > 0));
  const [{ name, category = '', selector }] = candidates;
  const [first, ...others] = [...satisfied, ...readings].find((all) => all.length > 0) ?? [];
  return first === undefined ? [{ name: packageName({ name, category }), selector }] : [first, ...others];
}

function namesFor(universe: Universe, name: string, category: string | undefined): string[] {
  if (category !== undefined) return [packageName({ name, category })];
  return [...new Set([...universe.names(), ...universe.providedNames()])]
    .filter((known) => known === name || known.endsWith(`/${name}`))
    .sort();
}

function reasonOf(
  from: Candidate | undefined,
  { name, selector, origin }: { readonly name: string; readonly selector: string; readonly origin?: string },
): Reason {
  return {
    ...(from === undefined ? {} : { from: from.id }),
    name,
    selector,
    ...(origin === undefined ? {} : { origin }),
  };
}

function chosen(universe: Universe, request: Request, solution: Solution, candidate: Candidate): Chosen {
  const members = universe.versionsOf(candidate.name);
  const newest = members.at(-1);
  return {
    package: candidate.id,
    name: candidate.name,
    version: candidate.version,
    reasons: solution.edges
      .filter(({ to, from }) => to === candidate && from !== candidate)
      .map(({ from, requirement }) => reasonOf(from, requirement)),
    versions: members.map(({ version }) => version),
    ...(newest === undefined || newest === candidate
      ? {}
      : { notNewest: whyNot(universe, request, solution, newest) }),
  };
}

/** Why a version is not in a solution: what speaks against it, or what would be worse with it. */
function whyNot(
  universe: Universe,
  request: Request,
  solution: Solution,
  other: Candidate,
): readonly string[] {
  const outcome = solve(universe, { ...request, packages: [other.id] });
  if (!outcome.ok) return outcome.explanation.steps;
  const now = new Map(solution.packages.map((one) => [one.name, one]));
  const changes = outcome.packages.flatMap((one) => {
    const before = now.get(one.name);
    return before === undefined || before === one || one === other
      ? []
      : [`${one.name} would be ${one.version} instead of ${before.version}`];
  });
  return changes.length > 0 ? changes : [`nothing that is asked for needs ${other.id}`];
}
