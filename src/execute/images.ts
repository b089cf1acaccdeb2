import { baseImageFinder } from '../cache/index.ts';
import type { Diagnostic } from '../diagnostic/index.ts';
import { isFolderThere } from '../disk/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Plan } from '../plan/index.ts';
import {
  advanced,
  outlinePlan,
  PlanIndex,
  type ResolvedNode,
  type ResolvedPlan,
  resolvePlan,
  retrieveFor,
} from '../resolve/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { type OutputFolders, outputsOf } from './outputs.ts';

/** What resolving a plan as a build does takes. */
export type ResolveForBuildOptions = Omit<PlanImagesOptions, 'imageRepository'>;

/** Resolves a plan as a build with the same options does. Rejects when it is aborted. */
export async function resolveForBuild(plan: Plan, options: ResolveForBuildOptions): Promise<ResolvedPlan> {
  const { find, sourceDateEpoch, destination } = options;
  isFolderThere(destination);
  return await resolvePlan(plan, {
    find,
    sourceDateEpoch,
    isOutput: outputsOf(outlinePlan(plan, options), options),
    baseImage: baseImageFinder(options),
  });
}

/** The image of one package on one parent. */
export interface PlanImage {
  /** The package, by its key. */
  readonly package: string;
  /** The reference under which a build makes or finds it. Null if its key cannot be determined. */
  readonly image: string | null;
}

/** The images of a plan, and why some cannot be determined. */
export interface PlanImages {
  /** Sorted so that each comes after the images it is built on. */
  readonly images: readonly PlanImage[];
  readonly problems: readonly Diagnostic[];
}

/** Options of `planImages`. */
export interface PlanImagesOptions extends OutputFolders {
  /** Looks up external images. */
  readonly engine: Pick<Engine, 'resolve'> & Partial<Pick<Engine, 'report'>>;
  readonly find: (key: string) => TreePackage | undefined;
  /** Absolute path of the folder that `retrieve` searches. */
  readonly destination: string;
  readonly imageRepository: string;
  readonly sourceDateEpoch?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * Determines the images of a plan by their content keys, without making any. A package that does not change
 * its parent's image has the same image. Rejects if aborted, and with a `FileError` if the destination is not
 * a folder.
 */
export async function planImages(plan: Plan, options: PlanImagesOptions): Promise<PlanImages> {
  const { imageRepository } = options;
  const resolved = await resolveForBuild(plan, options);
  const index = new PlanIndex(resolved);
  const problems: Diagnostic[] = [];
  const images: PlanImage[] = [];
  for (const { id } of resolved.nodes) {
    const node = await nodeNow(index, id, options, problems);
    images.push({ package: node.package, image: nameOf(index, node, imageRepository) });
  }
  return { images, problems };
}

/**
 * A node as far as it is known. Nothing is built, so files for `retrieve` must already be in the destination.
 */
async function nodeNow(
  index: PlanIndex,
  id: number,
  { destination }: PlanImagesOptions,
  problems: Diagnostic[],
): Promise<ResolvedNode> {
  const node = index.node(id);
  if (node.identity.state === 'failed') problems.push(...node.identity.diagnostics);
  if (node.identity.state !== 'pending') return node;
  const { files, problems: own } = await retrieveFor(index, node, destination);
  problems.push(...own);
  if (own.length > 0) return node;
  index.replace(advanced(index, node, { retrieved: files }));
  return index.node(id);
}

function nameOf(index: PlanIndex, node: ResolvedNode, repository: string): string | null {
  const { identity, parent, passesThrough } = node;
  if (identity.state !== 'known') return null;
  if (!passesThrough) return `${repository}:${identity.key}`;
  if (parent.kind === 'node') return nameOf(index, index.node(parent.node), repository);
  if (parent.kind === 'image') return baseName(index.plan, parent.image);
  return `${repository}:${identity.parentKey}`;
}

const baseName = ({ images }: ResolvedPlan, at: number | undefined): string | null =>
  at === undefined ? null : (images[at]?.name ?? null);
