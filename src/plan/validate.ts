import { type Diagnostic, type Note, nearest, type Place, sortDiagnostics } from '../diagnostic/index.ts';
import {
  type Candidate,
  createUniverse,
  type Explanation,
  type Outcome,
  type Requirement,
  solve,
  type Universe,
} from '../solver/index.ts';
import { type BuildSpec, type PackageRef, packageName } from '../spec/index.ts';
import {
  buildtimeCandidates,
  enumerate,
  runtimeCandidates,
  subpackageCandidates,
  type Tree,
  type TreePackage,
  type ValidateOptions,
  type View,
} from '../tree/index.ts';
import { localImageProblems } from './local-image.ts';
import {
  cycles,
  type Edge,
  imagesBelow,
  needingCycles,
  plainSolution,
  preferred,
  solvedEdges,
} from './relations.ts';

/** What is checked between packages, besides what is looked at. */
export interface RelationOptions extends ValidateOptions {
  /** Whether each package is solved, which finds what no pair of packages shows. */
  readonly solve?: boolean;
  readonly signal?: AbortSignal;
}

/** One view of a tree while it is checked. */
interface Checking {
  readonly tree: Tree;
  readonly view: View;
  readonly universe: Universe;
  readonly problems: Diagnostic[];
  /** What was perhaps meant by a name that nothing bears. */
  readonly suggest: (ref: PackageRef) => string | undefined;
}

/** Searches for a similar name take long among many names, and help only while few are missing. */
const SUGGESTIONS = 200;

/** Suggests names: first the same name in other categories, then one that is spelled alike. */
function suggester(universe: Universe): (ref: PackageRef) => string | undefined {
  let byBaseName: Map<string, string[]> | undefined;
  const known = new Map<string, string | undefined>();
  return (ref) => {
    byBaseName ??= Map.groupBy(universe.names(), (full) => full.slice(full.lastIndexOf('/') + 1));
    const elsewhere = byBaseName.get(ref.name);
    if (elsewhere !== undefined) return `Did you mean ${enumerate(elsewhere)}?`;
    const name = packageName(ref);
    if (!known.has(name) && known.size < SUGGESTIONS) known.set(name, nearest(name, universe.names()));
    const close = known.get(name);
    return close === undefined ? undefined : `Did you mean ${close}?`;
  };
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
    const others = view === 'runtime' ? subpackageCandidates(tree) : [];
    const universe = createUniverse([...candidates, ...others]);
    const checking: Checking = { tree, view, universe, problems, suggest: suggester(universe) };
    const bad = new Set<string>();
    for (const candidate of candidates) {
      if (selects(candidate.id) && checkPackage(checking, candidate)) bad.add(candidate.id);
    }
    const edges = (candidate: Candidate): readonly Edge[] => preferred(universe, candidate);
    for (const circle of cycles(candidates, edges)) {
      options.signal?.throwIfAborted();
      if (!circle.some(({ from }) => selects(from.id))) continue;
      const confirmed = confirm(checking, circle);
      if (confirmed !== undefined) problems.push(cycleProblem(checking, confirmed));
    }
    if (view === 'buildtime') problems.push(...images(checking, candidates, edges, selects));
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

/** A package's own relations with their places, in one view. */
function relations({ tree, view }: Checking, id: string) {
  const pack = tree.byKey(id);
  const of = view === 'runtime' ? pack?.definition : pack?.build;
  return { requires: of?.requires ?? [], conflicts: of?.conflicts ?? [], pack };
}

const when = (view: View): string => (view === 'runtime' ? 'at run time' : 'at build time');

const written = (ref: PackageRef): string => `${packageName(ref)}${ref.selector && ` ${ref.selector}`}`;

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
  if (view === 'buildtime' && pack !== undefined) problems.push(...localImageProblems(pack));
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
      : tree.byName(name).length > 0
        ? `There is a definition of ${name}, but no build.yaml`
        : checking.suggest(ref);
  return {
    code: 'missing-requirement',
    severity: 'error',
    message: `nothing satisfies ${written(ref)}, which is required ${when(view)}`,
    place: ref.place,
    package: id,
    ...(hint !== undefined && { hint }),
  };
}

/** More choices than this are left to solving. */
const FEW = 16;

/** Everything that can satisfy a requirement. */
function choices(universe: Universe, requirement: Requirement): readonly Candidate[] {
  return universe
    .options(requirement)
    .groups.flatMap(({ family, spans }) =>
      spans.flatMap(([first, last]) => family.members.slice(first, last + 1)),
    );
}

/** Finds requirements of one package that cannot hold together, whatever is chosen. */
function contradictions(checking: Checking, candidate: Candidate): void {
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
      report(ref, `${written(ref)} is required and conflicted with`, [
        { message: 'the conflict is here', place: at },
      ]);
    }
    for (let j = 0; j < i; j++) {
      const other = requires[j];
      const theirs = all[j] ?? [];
      if (other === undefined || theirs.length > FEW) continue;
      if (!mine.every((one) => theirs.every((two) => excludes(universe, one, two)))) continue;
      const message = `${written(other)} and ${written(ref)} are required, which conflict with each other`;
      const notes = [{ message: 'the other one is required here', place: other.place }];
      report(ref, message, [...notes, ...declared(checking, mine[0], theirs[0])]);
    }
  }
}

/** Where one of two candidates says that it conflicts with the other. */
function declared(checking: Checking, a: Candidate | undefined, b: Candidate | undefined): readonly Note[] {
  if (a === undefined || b === undefined) return [];
  for (const [one, two] of [
    [a, b],
    [b, a],
  ] as const) {
    const index = one.conflicts.findIndex((conflict) => checking.universe.satisfies(two, conflict));
    const ref = relations(checking, one.id).conflicts[index];
    if (ref !== undefined) return [{ message: `${one.id} conflicts with ${two.id} here`, place: ref.place }];
  }
  return [];
}

/** Whether two candidates can never be in one solution, by what they say themselves. */
function excludes(universe: Universe, a: Candidate, b: Candidate): boolean {
  if (a === b) return false;
  if (a.name === b.name) return true;
  return (
    a.conflicts.some((conflict) => universe.satisfies(b, conflict)) ||
    b.conflicts.some((conflict) => universe.satisfies(a, conflict))
  );
}

/** What comes of asking for one package and nothing else. */
function solveAlone({ universe }: Checking, candidate: Candidate): Outcome {
  return solve(universe, { requires: [], packages: [candidate.id] });
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

/**
 * What is wrong with the images that packages are built on: steps with none underneath, and several with an
 * image of their own, of which only the last one's is underneath. Those that first choices make suspect are
 * solved to be sure.
 */
function* images(
  checking: Checking,
  candidates: readonly Candidate[],
  edges: (candidate: Candidate) => readonly Edge[],
  selects: (key: string) => boolean,
): Generator<Diagnostic> {
  const { tree } = checking;
  const isFinal = ({ id }: Candidate): boolean => tree.byKey(id)?.build?.requiresFinalImages === true;
  const starts = (at: Candidate): boolean => {
    const pack = tree.byKey(at.id);
    // What cannot be read may well have an image.
    const unknown = pack?.build === undefined;
    return unknown || pack.build?.image !== undefined || isFinal(at);
  };
  // What stands on final images is not in a chain with them.
  const imagesIn = (all: readonly Candidate[], of: typeof edges) =>
    imagesBelow(all, (at) => (isFinal(at) ? [] : of(at)), starts);
  const suspects = imagesIn(candidates, edges);
  const circular = needingCycles(candidates, edges);
  const places = new Map<string, Place | undefined>();
  const imagePlace = (id: string): Place | undefined => {
    if (!places.has(id)) places.set(id, tree.byKey(id)?.build?.image?.place);
    return places.get(id);
  };
  // What is below a candidate, once solved; undefined without an order, of which nothing can be said here.
  const solved = (candidate: Candidate): readonly Candidate[] | undefined => {
    if (!circular.has(candidate) && plainSolution(checking.universe, candidate) !== undefined)
      return suspects.get(candidate) ?? [];
    const outcome = solveAlone(checking, candidate);
    if (!outcome.ok || cycles(outcome.packages, solvedEdges(outcome)).length > 0) return undefined;
    return imagesIn(outcome.packages, solvedEdges(outcome)).get(candidate) ?? [];
  };
  for (const candidate of candidates) {
    const pack = tree.byKey(candidate.id);
    if (pack?.build === undefined || !selects(candidate.id) || starts(candidate)) continue;
    const count = suspects.get(candidate)?.length ?? 0;
    if (count === 1 || (count === 0 && (candidate.requires.length === 0 || !runs(pack.build)))) continue;
    const below = solved(candidate);
    // Without an order there is no chain to speak of; that has been reported.
    if (below === undefined) continue;
    if (below.length > 1) yield imageProblem(pack, below, imagePlace);
    else if (below.length === 0 && runs(pack.build)) yield noImage(pack);
  }
}

/** Whether a build spec asks for anything that needs an image. */
function runs({ steps, unpack, packageDir }: BuildSpec): boolean {
  return steps.length > 0 || unpack || packageDir !== undefined;
}

function noImage(pack: TreePackage): Diagnostic {
  const place = pack.build?.steps[0]?.place ?? pack.build?.place;
  return {
    code: 'no-image',
    severity: 'error',
    message: 'there is no image to run in: nothing that it requires has one',
    package: pack.key,
    ...(place !== undefined && { place }),
  };
}

function imageProblem(
  pack: TreePackage,
  below: readonly Candidate[],
  imagePlace: (id: string) => Place | undefined,
): Diagnostic {
  const ids = below.map(({ id }) => id);
  const place = pack.build?.requires[0]?.place ?? pack.build?.place;
  const notes = ids.map((id) => {
    const at = imagePlace(id);
    return { message: `${id} starts from an image of its own`, ...(at !== undefined && { place: at }) };
  });
  return {
    code: 'image-in-chain',
    severity: 'warning',
    message: `it is built on ${enumerate(ids)}, which each start from an image of their own: what comes before the last of them is lost`,
    package: pack.key,
    ...(place !== undefined && { place }),
    notes,
  };
}

function unsolvable({ tree, view }: Checking, candidate: Candidate, explanation: Explanation): Diagnostic {
  const pack = tree.byKey(candidate.id);
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
