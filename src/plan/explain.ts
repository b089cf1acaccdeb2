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

/** A requirement that selected a package. */
export interface RequestedBy {
  /** `category/name-version` of the package with the requirement; undefined for the request itself. */
  readonly from?: string;
  /** The required name. It differs from the package's name if the package only provides it. */
  readonly name: string;
  readonly selector: string;
  /** `file:line`. */
  readonly origin?: string;
}

/** A selected package, with the reasons. */
export interface SelectedPackage {
  /** `category/name-version`. */
  readonly package: string;
  readonly name: string;
  readonly version: string;
  readonly reasons: readonly RequestedBy[];
  /** All versions of this name, oldest first. */
  readonly versions: readonly string[];
  /** Why the newest version was not selected, in sentences. Undefined if it was. */
  readonly notNewest?: readonly string[];
}

/** The result of a request: the selected packages, or the reason why there is no solution. */
export type Explained =
  | { readonly ok: true; readonly view: View; readonly packages: readonly SelectedPackage[] }
  | {
      readonly ok: false;
      readonly view: View;
      /** The explanation from the request to the contradiction, one sentence each. */
      readonly steps: readonly string[];
      /** A minimal set of contradicting demands. */
      readonly core: readonly CoreDemand[];
    };

/** One of the contradicting demands. */
export interface CoreDemand extends RequestedBy {
  readonly kind: 'requires' | 'conflicts';
}

/**
 * Solves a request and explains the result. Throws a DiagnosticError if an argument without category is
 * ambiguous, or if selected packages have errors.
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

/** The requirements that arguments stand for. Throws a DiagnosticError with all ambiguous arguments. */
function requirementsOf(universe: Universe, wanted: readonly PackageArgument[]): Requirement[] {
  const problems: Diagnostic[] = [];
  const found = wanted.map((argument) => {
    const meanings = meaningsOf(universe, argument);
    if (meanings.length > 1) {
      problems.push({
        code: 'ambiguous-package',
        severity: 'error',
        message: `package name ${JSON.stringify(argument.text)} is ambiguous: ${meanings.map(({ name }) => name).join(' or ')}`,
        hint: 'Add the category',
      });
    }
    return meanings[0];
  });
  if (problems.length > 0) throw new DiagnosticError(problems);
  return found;
}

/**
 * The names that an argument can stand for: those that some package satisfies, otherwise those that any
 * package has or provides.
 */
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
): RequestedBy {
  return {
    ...(from === undefined ? {} : { from: from.id }),
    name,
    selector,
    ...(origin === undefined ? {} : { origin }),
  };
}

function chosen(
  universe: Universe,
  request: Request,
  solution: Solution,
  candidate: Candidate,
): SelectedPackage {
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

/**
 * Why a version is not in a solution: the contradiction, or the changes to other packages that it would
 * cause.
 */
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
      : [`with it, ${one.name} would be ${one.version} instead of ${before.version}`];
  });
  return changes.length > 0 ? changes : [`no requirement needs ${other.id}`];
}
