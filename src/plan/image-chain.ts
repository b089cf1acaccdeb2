import type { Diagnostic, Place } from '../diagnostic/index.ts';
import type { Candidate } from '../solver/index.ts';
import type { BuildSpec } from '../spec/index.ts';
import { enumerate, type TreePackage } from '../tree/index.ts';
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
