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
import { relations, solveAlone, suggester, type ViewCheck, when, written } from './checking.ts';
import { contradictions } from './contradictions.ts';
import { cutHint } from './cut-hint.ts';
import { imageProblems } from './image-chain.ts';
import { imageNameProblems } from './local-image.ts';
import { cycles, preferred, type RequirementEdge, solvedEdges } from './relations.ts';
import { sameFiles } from './same-files.ts';

/** Options for checking the relations between packages. */
export interface RelationOptions extends ValidateOptions {
  /** Whether to solve each package, which also finds contradictions between more than two packages. */
  readonly solve?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Problems between the packages of a tree, sorted: requirements that nothing satisfies, contradictions,
 * cycles, images inside a chain and, if requested, packages without solution.
 */
export function validateRelations(tree: Tree, options: RelationOptions = {}): readonly Diagnostic[] {
  const { views = ['runtime', 'buildtime'], selects = () => true } = options;
  const problems: Diagnostic[] = [];
  for (const view of views) {
    const candidates = view === 'runtime' ? runtimeCandidates(tree) : buildtimeCandidates(tree);
    const universe = createUniverse(candidates);
    const checking: ViewCheck = { tree, view, universe, problems, suggest: suggester(universe) };
    const bad = new Set<string>();
    for (const candidate of candidates) {
      if (selects(candidate.id) && checkPackage(checking, candidate)) bad.add(candidate.id);
    }
    const edges = (candidate: Candidate): readonly RequirementEdge[] => preferred(universe, candidate);
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

/**
 * Cycles at run time that contain some of these packages. They can be installed together, but none before the
 * others.
 */
export function runtimeCycles(tree: Tree, packages: readonly TreePackage[]): readonly Diagnostic[] {
  const candidates = runtimeCandidates(tree);
  const universe = createUniverse(candidates);
  const suggest = (): undefined => undefined;
  const checking: ViewCheck = { tree, view: 'runtime', universe, problems: [], suggest };
  const keys = new Set(packages.map(({ key }) => key));
  const asked = candidates.filter(({ id }) => keys.has(id));
  const circles = cycles(asked, (candidate) => preferred(universe, candidate));
  const own = circles.filter((circle) => circle.some(({ from }) => keys.has(from.id)));
  return own.flatMap((circle) => cycleProblems(checking, circle));
}

/** Packages with the same file names, if one of them is selected. */
function sameFileProblems(tree: Tree, selects: (key: string) => boolean): readonly Diagnostic[] {
  const found = sameFiles(tree.packages.filter(isBuildable));
  return found
    .filter(({ packages }) => packages.some(({ key }) => selects(key)))
    .map(({ problem }) => problem);
}

/**
 * Checks whether the requirements of one package can be satisfied and do not contradict each other. Returns
 * whether it found an error.
 */
function checkPackage(checking: ViewCheck, candidate: Candidate): boolean {
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

function missing(checking: ViewCheck, id: string, ref: PackageRef): Diagnostic {
  const { tree, view, universe } = checking;
  const name = packageName(ref);
  const versions = universe.versionsOf(name).map(({ version }) => version || '(no version)');
  const hint =
    versions.length > 0
      ? `Versions of ${name}: ${enumerate(versions.toReversed())}`
      : ((view === 'buildtime' ? cutHint(tree, name) : undefined) ??
        (tree.byName(name).length > 0
          ? `${name} has a definition, but no build.yaml`
          : checking.suggest(ref)));
  return {
    code: 'missing-requirement',
    severity: 'error',
    message: `no package satisfies ${written(ref)}, required ${when(view)}`,
    place: ref.place,
    package: id,
    ...(hint !== undefined && { hint }),
  };
}

/**
 * Checks whether a cycle exists in the actual solution, because the solver does not always use the first
 * choices. Without a solution, the cycle is reported as found.
 */
function confirm(
  checking: ViewCheck,
  circle: readonly RequirementEdge[],
): readonly RequirementEdge[] | undefined {
  const [first] = circle;
  const outcome = first && solveAlone(checking, first.from);
  return outcome?.ok === true ? cycles(outcome.packages, solvedEdges(outcome))[0] : circle;
}

function cycleProblems(checking: ViewCheck, found: readonly RequirementEdge[]): Diagnostic[] {
  const circle = confirm(checking, found);
  return circle === undefined ? [] : [cycleProblem(checking, circle)];
}

function cycleProblem(checking: ViewCheck, circle: readonly RequirementEdge[]): Diagnostic {
  const path = [...circle.map(({ from }) => from.id), circle[0]?.from.id ?? ''].join(' → ');
  const parseOrigin = ({ from, index }: RequirementEdge) =>
    relations(checking, from.id).requires[index]?.place;
  const [first, ...others] = circle;
  const place = first && parseOrigin(first);
  const notes = others.map((edge) => {
    const at = parseOrigin(edge);
    return {
      message: `requirement of ${edge.from.id} on ${edge.to.id}`,
      ...(at !== undefined && { place: at }),
    };
  });
  return {
    code: 'cycle',
    // Packages that require each other can be installed together, but none of them can be built first.
    severity: checking.view === 'runtime' ? 'warning' : 'error',
    message: `these packages require each other in a cycle ${when(checking.view)}: ${path}`,
    ...(place !== undefined && { place }),
    ...(first !== undefined && { package: first.from.id }),
    ...(notes.length > 0 && { notes }),
  };
}

function unsolvable({ tree, view }: ViewCheck, candidate: Candidate, explanation: Explanation): Diagnostic {
  const pack = tree.runtime.byKey(candidate.id);
  const place = (view === 'buildtime' ? pack?.build?.place : undefined) ?? pack?.definition.place;
  return {
    code: 'unsolvable',
    severity: 'error',
    message: `no choice of versions satisfies all requirements ${when(view)}`,
    package: candidate.id,
    ...(place !== undefined && { place }),
    notes: explanation.message.split('\n').map((message) => ({ message })),
  };
}
