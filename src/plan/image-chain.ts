import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Candidate, Solution } from '../solver/index.ts';
import type { BuildSpec } from '../spec/index.ts';
import { enumerate, type Tree, type TreePackage } from '../tree/index.ts';
import { type Checking, solveAlone } from './checking.ts';
import { cycles, type Edge, imagesBelow, needingCycles, plainSolution, solvedEdges } from './relations.ts';

/**
 * What is wrong with the images that packages are built on: steps with none underneath, and several with an
 * image of their own, of which only the last one's is underneath. Those that first choices make suspect are
 * solved to be sure.
 */
export function* imageProblems(
  checking: Checking,
  candidates: readonly Candidate[],
  edges: (candidate: Candidate) => readonly Edge[],
  selects: (key: string) => boolean,
): Generator<Diagnostic> {
  const { tree } = checking;
  const suspects = imagesIn(tree, candidates, edges);
  const circular = needingCycles(candidates, edges);
  // What is below a candidate, once solved; undefined without an order, of which nothing can be said here.
  const solved = (candidate: Candidate): readonly Candidate[] | undefined => {
    if (!circular.has(candidate) && plainSolution(checking.universe, candidate) !== undefined)
      return suspects.get(candidate) ?? [];
    const outcome = solveAlone(checking, candidate);
    if (!outcome.ok || cycles(outcome.packages, solvedEdges(outcome)).length > 0) return undefined;
    return imagesIn(tree, outcome.packages, solvedEdges(outcome)).get(candidate) ?? [];
  };
  for (const candidate of candidates) {
    const pack = tree.byKey(candidate.id);
    if (pack?.build === undefined || !selects(candidate.id) || startsAnew(tree, candidate)) continue;
    const count = suspects.get(candidate)?.length ?? 0;
    if (count === 1 || (count === 0 && (candidate.requires.length === 0 || !runs(pack.build)))) continue;
    const below = solved(candidate);
    // Without an order there is no chain to speak of; that has been reported.
    if (below === undefined) continue;
    if (below.length > 1) yield imageProblem(tree, pack, below);
    else if (below.length === 0 && runs(pack.build)) yield noImage(pack);
  }
}

/** What is odd about the images that a package is built on, by the chain that was solved for it. */
export function chainWarnings(
  tree: Tree,
  pack: TreePackage,
  { edges }: Pick<Solution, 'edges'>,
): Diagnostic[] {
  const self = edges.find(({ from }) => from?.id === pack.key)?.from;
  if (pack.build === undefined || self === undefined || startsAnew(tree, self)) return [];
  const all = [...new Set(edges.flatMap(({ from, to }) => [...(from === undefined ? [] : [from]), to]))];
  const below = imagesIn(tree, all, solvedEdges({ edges })).get(self) ?? [];
  return below.length > 1 ? [imageProblem(tree, pack, below)] : [];
}

const isFinal = (tree: Tree, { id }: Candidate): boolean =>
  tree.byKey(id)?.build?.requiresFinalImages === true;

/** Whether a package has an image of its own, or may have: what cannot be read may well have one. */
function startsAnew(tree: Tree, at: Candidate): boolean {
  const { build } = tree.byKey(at.id) ?? {};
  return build === undefined || build.image !== undefined || isFinal(tree, at);
}

/** The packages with an image of their own below each. What stands on final images is not in a chain with them. */
function imagesIn(tree: Tree, all: readonly Candidate[], of: (candidate: Candidate) => readonly Edge[]) {
  return imagesBelow(
    all,
    (at) => (isFinal(tree, at) ? [] : of(at)),
    (at) => startsAnew(tree, at),
  );
}

const imagePlaces = new WeakMap<Tree, Map<string, Place | undefined>>();

/** Where the image of a package stands. Looking that up may mean rendering, and a few packages are asked for again and again. */
function imagePlace(tree: Tree, id: string): Place | undefined {
  const places = imagePlaces.get(tree) ?? new Map<string, Place | undefined>();
  imagePlaces.set(tree, places);
  if (!places.has(id)) places.set(id, tree.byKey(id)?.build?.image?.place);
  return places.get(id);
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

function imageProblem(tree: Tree, pack: TreePackage, below: readonly Candidate[]): Diagnostic {
  const ids = below.map(({ id }) => id);
  const place = pack.build?.requires[0]?.place ?? pack.build?.place;
  const notes = ids.map((id) => {
    const at = imagePlace(tree, id);
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
