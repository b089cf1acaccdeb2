import { type Diagnostic, sortDiagnostics } from '../diagnostic/index.ts';
import { type Candidate, createUniverse, type Explanation } from '../solver/index.ts';
import { type PackageRef, packageName } from '../spec/index.ts';
import {
  buildtimeCandidates,
  enumerate,
  isBuildable,
  runtimeCandidates,
  type Tree,
  type TreePackage,
  type ValidateOptions,
} from '../tree/index.ts';
import { type Checking, relations, solveAlone, suggester, when, written } from './checking.ts';
import { contradictions } from './contradictions.ts';
import { cutHint } from './cut-hint.ts';
import { imageProblems } from './image-chain.ts';
import { imageNameProblems } from './local-image.ts';
import { cycles, type Edge, preferred, solvedEdges } from './relations.ts';
import { sameFiles } from './same-files.ts';

/** What is checked between packages, besides what is looked at. */
export interface RelationOptions extends ValidateOptions {
  /** Whether each package is solved, which finds what no pair of packages shows. */
  readonly solve?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * What is wrong between the packages of a tree, sorted: requirements that nothing satisfies, contradictions,
 * cycles, images in mid-chain and, where asked for, packages that cannot be solved.
 */
export function validateRelations(tree: Tree, options: RelationOptions = {}): readonly Diagnostic[] {
  const { views = ['runtime', 'buildtime'], selects = () => true } = options;
  const problems: Diagnostic[] = [];
  for (const view of views) {
    const candidates = view === 'runtime' ? runtimeCandidates(tree) : buildtimeCandidates(tree);
    const universe = createUniverse(candidates);
    const checking: Checking = { tree, view, universe, problems, suggest: suggester(universe) };
    const bad = new Set<string>();
    for (const candidate of candidates) {
      if (selects(candidate.id) && checkPackage(checking, candidate)) bad.add(candidate.id);
    }
    const edges = (candidate: Candidate): readonly Edge[] => preferred(universe, candidate);
    for (const circle of cycles(candidates, edges)) {
      options.signal?.throwIfAborted();
      if (circle.some(({ from }) => selects(from.id))) problems.push(...cycleProblems(checking, circle));
    }
    if (view === 'buildtime') {
      problems.push(...imageProblems(checking, candidates, edges, selects));
      problems.push(...sameFileProblems(tree, selects));
    }
    if (options.solve !== true) continue;
    for (const candidate of candidates) {
      if (!selects(candidate.id) || bad.has(candidate.id)) continue;
      options.signal?.throwIfAborted();
      const outcome = solveAlone(checking, candidate);
      if (!outcome.ok) problems.push(unsolvable(checking, candidate, outcome.explanation));
    }
  }
  return sortDiagnostics(problems);
}

/** Cycles at run time that some packages are in: they can be installed, but none of them before the others. */
export function runtimeCycles(tree: Tree, packages: readonly TreePackage[]): readonly Diagnostic[] {
  const candidates = runtimeCandidates(tree);
  const universe = createUniverse(candidates);
  const suggest = (): undefined => undefined;
  const checking: Checking = { tree, view: 'runtime', universe, problems: [], suggest };
  const keys = new Set(packages.map(({ key }) => key));
  const asked = candidates.filter(({ id }) => keys.has(id));
  const circles = cycles(asked, (candidate) => preferred(universe, candidate));
  const own = circles.filter((circle) => circle.some(({ from }) => keys.has(from.id)));
  return own.flatMap((circle) => cycleProblems(checking, circle));
}

/** Packages that would write the same files, where one of them is looked at. */
function sameFileProblems(tree: Tree, selects: (key: string) => boolean): readonly Diagnostic[] {
  const found = sameFiles(tree.packages.filter(isBuildable));
  return found
    .filter(({ packages }) => packages.some(({ key }) => selects(key)))
    .map(({ problem }) => problem);
}

/** Checks what one package requires, and whether that contradicts itself. Says whether it found an error. */
function checkPackage(checking: Checking, candidate: Candidate): boolean {
  const { universe, problems, view } = checking;
  const before = problems.length;
  const { requires, pack } = relations(checking, candidate.id);
  for (const [i, ref] of requires.entries()) {
    const wanted = candidate.requires[i];
    if (wanted !== undefined && universe.options(wanted).groups.length === 0) {
      problems.push(missing(checking, candidate.id, ref));
    }
  }
  if (view === 'buildtime' && pack !== undefined) problems.push(...imageNameProblems(pack));
  for (const { package: ref } of view === 'buildtime' ? (pack?.build?.copy ?? []) : []) {
    if (ref === undefined) continue;
    const wanted = { name: packageName(ref), selector: ref.selector };
    if (universe.options(wanted).groups.length === 0) problems.push(missing(checking, candidate.id, ref));
  }
  if (problems.length === before) contradictions(checking, candidate);
  return problems.length > before;
}

function missing(checking: Checking, id: string, ref: PackageRef): Diagnostic {
  const { tree, view, universe } = checking;
  const name = packageName(ref);
  const versions = universe.versionsOf(name).map(({ version }) => version || '(no version)');
  const hint =
    versions.length > 0
      ? `Of ${name} there is ${enumerate(versions.toReversed())}`
      : ((view === 'buildtime' ? cutHint(tree, name) : undefined) ??
        (tree.byName(name).length > 0
          ? `There is a definition of ${name}, but no build.yaml`
          : checking.suggest(ref)));
  return {
    code: 'missing-requirement',
    severity: 'error',
    message: `nothing satisfies ${written(ref)}, which is required ${when(view)}`,
    place: ref.place,
    package: id,
    ...(hint !== undefined && { hint }),
  };
}

/**
 * A cycle as it stands in a solution. What solving tries first is not always what it settles on, so that a cycle
 * among first choices may be none; where there is no solution at all, it is shown as it is.
 */
function confirm(checking: Checking, circle: readonly Edge[]): readonly Edge[] | undefined {
  const [first] = circle;
  const outcome = first && solveAlone(checking, first.from);
  return outcome?.ok === true ? cycles(outcome.packages, solvedEdges(outcome))[0] : circle;
}

function cycleProblems(checking: Checking, found: readonly Edge[]): Diagnostic[] {
  const circle = confirm(checking, found);
  return circle === undefined ? [] : [cycleProblem(checking, circle)];
}

function cycleProblem(checking: Checking, circle: readonly Edge[]): Diagnostic {
  const path = [...circle.map(({ from }) => from.id), circle[0]?.from.id ?? ''].join(' → ');
  const placeOf = ({ from, index }: Edge) => relations(checking, from.id).requires[index]?.place;
  const [first, ...others] = circle;
  const place = first && placeOf(first);
  const notes = others.map((edge) => {
    const at = placeOf(edge);
    return { message: `${edge.from.id} requires ${edge.to.id} here`, ...(at !== undefined && { place: at }) };
  });
  return {
    code: 'cycle',
    // Packages that need each other can be installed together, but none of them can be built first.
    severity: checking.view === 'runtime' ? 'warning' : 'error',
    message: `these packages require each other in a cycle ${when(checking.view)}: ${path}`,
    ...(place !== undefined && { place }),
    ...(first !== undefined && { package: first.from.id }),
    ...(notes.length > 0 && { notes }),
  };
}

function unsolvable({ tree, view }: Checking, candidate: Candidate, explanation: Explanation): Diagnostic {
  const pack = tree.runtime.byKey(candidate.id);
  const place = (view === 'buildtime' ? pack?.build?.place : undefined) ?? pack?.definition.place;
  return {
    code: 'unsolvable',
    severity: 'error',
    message: `it cannot be solved ${when(view)}`,
    package: candidate.id,
    ...(place !== undefined && { place }),
    notes: explanation.message.split('\n').map((message) => ({ message })),
  };
}
