import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Candidate, Solution } from '../solver/index.ts';
import type { BuildSpec } from '../spec/index.ts';
import { enumerate, type Tree, type TreePackage } from '../tree/index.ts';
import { solveAlone, type ViewCheck } from './checking.ts';
import {
  cycles,
  imagesBelow,
  needingCycles,
  plainSolution,
  type RequirementEdge,
  solvedEdges,
} from './relations.ts';

/**
 * Finds problems with the images that packages are built on: steps without any image, and several packages
 * with their own image, of which only the last one is used. Packages for which the preferred versions show a
 * problem are solved to make sure.
 */
export function* imageProblems(
  checking: ViewCheck,
  candidates: readonly Candidate[],
  edges: (candidate: Candidate) => readonly RequirementEdge[],
  selects: (key: string) => boolean,
): Generator<Diagnostic> {
  const { tree } = checking;
  const suspects = imagesIn(tree, candidates, edges);
  const circular = needingCycles(candidates, edges);
  // The packages below a candidate, in the order of building, from the solver. Undefined if there is no
  // order; then nothing can be said here.
  const solved = (candidate: Candidate): readonly Candidate[] | undefined => {
    if (!circular.has(candidate) && plainSolution(checking.universe, candidate) !== undefined)
      return suspects.get(candidate) ?? [];
    const outcome = solveAlone(checking, candidate);
    if (!outcome.ok || cycles(outcome.packages, solvedEdges(outcome)).length > 0) return undefined;
    return imagesIn(tree, outcome.packages, solvedEdges(outcome)).get(candidate) ?? [];
  };
  for (const candidate of candidates) {
    const pack = tree.byKey(candidate.id);
    if (pack?.build === undefined || !selects(candidate.id) || mayHaveOwnImage(tree, candidate)) continue;
    const count = suspects.get(candidate)?.length ?? 0;
    if (count === 1 || (count === 0 && (candidate.requires.length === 0 || !runs(pack.build)))) continue;
    const below = solved(candidate);
    // Without an order there is no chain; the cycle has been reported elsewhere.
    if (below === undefined) continue;
    if (below.length > 1) yield imageProblem(tree, pack, below);
    else if (below.length === 0 && runs(pack.build)) yield noImage(pack);
  }
}

/** Warnings about the images of a solved chain. */
export function chainWarnings(
  tree: Tree,
  pack: TreePackage,
  { edges }: Pick<Solution, 'edges'>,
): Diagnostic[] {
  const self = edges.find(({ from }) => from?.id === pack.key)?.from;
  if (pack.build === undefined || self === undefined || mayHaveOwnImage(tree, self)) return [];
  const all = [...new Set(edges.flatMap(({ from, to }) => [...(from === undefined ? [] : [from]), to]))];
  const below = imagesIn(tree, all, solvedEdges({ edges })).get(self) ?? [];
  return below.length > 1 ? [imageProblem(tree, pack, below)] : [];
}

const isFinal = (tree: Tree, { id }: Candidate): boolean =>
  tree.byKey(id)?.build?.requiresFinalImages === true;

/** Whether a package has its own image, or may have one because it could not be read. */
function mayHaveOwnImage(tree: Tree, at: Candidate): boolean {
  const { build } = tree.byKey(at.id) ?? {};
  return build === undefined || build.image !== undefined || isFinal(tree, at);
}

/**
 * The packages with their own image below each package. A package built on final images starts a new chain.
 */
function imagesIn(
  tree: Tree,
  all: readonly Candidate[],
  of: (candidate: Candidate) => readonly RequirementEdge[],
) {
  return imagesBelow(
    all,
    (at) => (isFinal(tree, at) ? [] : of(at)),
    (at) => mayHaveOwnImage(tree, at),
  );
}

const imagePlaces = new WeakMap<Tree, Map<string, Place | undefined>>();

/**
 * The place of the image of a package. Cached, because finding it may require rendering, and a few packages
 * are looked up often.
 */
function imagePlace(tree: Tree, id: string): Place | undefined {
  const places = imagePlaces.get(tree) ?? new Map<string, Place | undefined>();
  imagePlaces.set(tree, places);
  if (!places.has(id)) places.set(id, tree.byKey(id)?.build?.image?.place);
  return places.get(id);
}

/** Whether a build spec contains anything that needs an image. */
function runs({ steps, unpack, packageDir }: BuildSpec): boolean {
  return steps.length > 0 || unpack || packageDir !== undefined;
}

function noImage(pack: TreePackage): Diagnostic {
  const place = pack.build?.steps[0]?.place ?? pack.build?.place;
  return {
    code: 'no-image',
    severity: 'error',
    message: 'missing image: no required package has an image to run in',
    package: pack.key,
    ...(place !== undefined && { place }),
  };
}

function imageProblem(tree: Tree, pack: TreePackage, below: readonly Candidate[]): Diagnostic {
  const ids = below.map(({ id }) => id);
  const place = pack.build?.requires[0]?.place ?? pack.build?.place;
  const notes = ids.map((id) => {
    const at = imagePlace(tree, id);
    return { message: `${id} has its own image`, ...(at !== undefined && { place: at }) };
  });
  return {
    code: 'image-in-chain',
    severity: 'warning',
    message: `the package is built on ${enumerate(ids)}, which have their own images; everything before the last of them is lost`,
    package: pack.key,
    ...(place !== undefined && { place }),
    notes,
  };
}
