import type { Diagnostic, Place } from '../diagnostic/index.ts';
import { refusal } from '../disk/index.ts';
import type { Fault } from '../events/index.ts';
import type { Parent, Plan, PlanNode } from '../plan/index.ts';
import type { BytePath } from '../tar/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { artifactHashes } from './artifact.ts';
import { type BuildContext, readContext } from './context.ts';
import { dockerfileBases } from './dockerfile.ts';
import { environmentOf, identityOf } from './identity.ts';
import { KEY_SCHEME } from './key.ts';
import { resolvedPackage } from './package.ts';
import { PlanIndex } from './plan-index.ts';
import {
  type BaseImage,
  PLAN_FORMAT,
  type ResolvedCopy,
  type ResolvedNode,
  type ResolvedPackage,
  type ResolvedParent,
  type ResolvedPlan,
} from './types.ts';

/** An external image, or why it cannot be used. */
export type FoundBaseImage =
  | { readonly ok: true; readonly image: BaseImage }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[]; readonly fault?: Fault };

/** Looks up an external image for the package that refers to it at a place. */
export type FindBaseImage = (
  reference: string,
  asker: TreePackage,
  place: Place | undefined,
) => Promise<FoundBaseImage>;

/** Options of `resolvePlan`. */
export interface ResolveOptions {
  /** Returns the package with a `category/name-version`, for the runtime definitions of subpackages. */
  readonly find: (key: string) => TreePackage | undefined;
  readonly baseImage: FindBaseImage;
  /** Whether a build writes an absolute path, so that it is not part of a context. Default: no path. */
  readonly isOutput?: ((path: BytePath) => boolean) | undefined;
  /** Latest time in packages, in seconds since 1970. Default: given by the base images. */
  readonly sourceDateEpoch?: number | undefined;
}

/**
 * The structure of a plan as plain data, before anything is looked up: all keys and environments are pending,
 * and base images have no index.
 */
export function outlinePlan(
  plan: Plan,
  { find, sourceDateEpoch }: Omit<ResolveOptions, 'baseImage'>,
): ResolvedPlan {
  const ids = new Map(plan.nodes.map((node, id) => [node, id]));
  const idOf = (node: PlanNode): number => {
    const id = ids.get(node);
    if (id === undefined) throw new Error(`internal error: a node of ${node.package.key} is not in the plan`);
    return id;
  };
  return {
    format: PLAN_FORMAT,
    keyScheme: KEY_SCHEME,
    ...(sourceDateEpoch === undefined ? {} : { sourceDateEpoch }),
    packages: packagesOf(plan).map((pack) => resolvedPackage(pack, find)),
    images: [],
    nodes: plan.nodes.map((node) => outlineNode(node, idOf)),
    artifacts: plan.artifacts
      // The node of an artifact that needs no build was left out of the plan.
      .filter(({ node }) => node === undefined || ids.has(node))
      .map(({ package: { key }, node, asked, wanted }) => ({
        package: key,
        ...(node === undefined ? {} : { node: idOf(node) }),
        asked,
        wanted,
      })),
  };
}

/**
 * Determines everything that the nodes of a plan consist of: contexts, base images, keys, environments,
 * packages. What only a build can find is marked as pending; what cannot be built is marked as failed, with
 * the reason. Rejects only if `baseImage` does.
 */
export async function resolvePlan(plan: Plan, options: ResolveOptions): Promise<ResolvedPlan> {
  const outline = outlinePlan(plan, options);
  const bases = new BaseImages(options.baseImage);
  const lookUp = (node: PlanNode, id: number): Promise<Lookup> => withImages(node, outline.nodes[id], bases);
  // Looks up all images in parallel. Then the results are processed in order, so that the output is always in
  // the same order.
  const [contexts] = await Promise.all([readContexts(plan, options.isOutput), ...plan.nodes.map(lookUp)]);
  bases.images.length = 0;
  const looked: Lookup[] = [];
  for (const [id, node] of plan.nodes.entries()) looked.push(await lookUp(node, id));
  const index = new PlanIndex({ ...outline, images: bases.images });
  const nodes = looked.map((one) => {
    const folder = index.package(one.node.package).folder;
    const node = identified(index, one, contexts.get(folder));
    index.replace(node);
    return node;
  });
  const artifacts = index.plan.artifacts.map((artifact) => {
    const hashes = artifactHashes(index, artifact);
    return hashes === undefined ? artifact : { ...artifact, hashes };
  });
  return { ...index.plan, nodes, artifacts };
}

function packagesOf({ nodes, artifacts }: Plan): readonly TreePackage[] {
  const found = new Map<string, TreePackage>();
  for (const { package: pack } of [...artifacts, ...nodes]) found.set(pack.key, pack);
  return [...found.values()];
}

function outlineNode(node: PlanNode, idOf: (node: PlanNode) => number): ResolvedNode {
  const { package: pack, parent, copies, retrieveAfter, dependants } = node;
  return {
    id: idOf(node),
    package: pack.key,
    parent: outlineParent(parent, pack, idOf),
    copies: copies.map(({ entry: { source, destination, place }, from }) => ({
      from: from.kind === 'node' ? { kind: 'node', node: idOf(from.node) } : from,
      source,
      destination,
      place,
    })),
    retrieveAfter: retrieveAfter.map((artifact) => artifact.package.key),
    isNeeded: dependants.size > 0,
    passesThrough: false,
    identity: { state: 'pending', waitsFor: 'earlier' },
    environment: { state: 'pending' },
  };
}

function outlineParent(
  parent: Parent,
  { build }: TreePackage,
  idOf: (node: PlanNode) => number,
): ResolvedParent {
  switch (parent.kind) {
    case 'image':
      return { ...parent, ...(build?.image === undefined ? {} : { place: build.image.place }) };
    case 'dockerfile':
      return { ...parent, images: [] };
    case 'node':
      return { kind: 'node', node: idOf(parent.node) };
    case 'final': {
      const parts = parent.parts.map(({ name, artifact }) => ({ name, artifact: artifact.package.key }));
      return { kind: 'final', parts };
    }
  }
}

/** What prevents a node from being built. */
interface Obstacle {
  readonly diagnostics: readonly Diagnostic[];
  readonly fault?: Fault;
}

/** A node with its base images looked up. */
interface Lookup {
  readonly node: ResolvedNode;
  readonly obstacles: readonly Obstacle[];
}

async function withImages(
  { package: pack }: PlanNode,
  node: ResolvedNode | undefined,
  bases: BaseImages,
): Promise<Lookup> {
  if (node === undefined) throw new Error(`internal error: a node of ${pack.key} is not in the outline`);
  const obstacles: Obstacle[] = [];
  const imageOf = async (reference: string, place: Place | undefined): Promise<{ image?: number }> => {
    const found = await bases.find(reference, pack, place);
    if (typeof found === 'number') return { image: found };
    obstacles.push(found);
    return {};
  };
  let { parent } = node;
  if (parent.kind === 'image') parent = { ...parent, ...(await imageOf(parent.reference, parent.place)) };
  if (parent.kind === 'dockerfile') {
    const images: number[] = [];
    const bases = await dockerfileBases(parent.path);
    let base: number | undefined;
    for (const reference of bases.images) {
      const { image } = await imageOf(reference, pack.definition.place);
      if (image === undefined) continue;
      images.push(image);
      if (reference === bases.last) base = image;
    }
    parent = { ...parent, images, ...(base === undefined ? {} : { base }) };
  }
  const copies: ResolvedCopy[] = [];
  for (const copy of node.copies) {
    const { from, place } = copy;
    copies.push(
      from.kind === 'node' ? copy : { ...copy, from: { ...from, ...(await imageOf(from.reference, place)) } },
    );
  }
  return { node: { ...node, parent, copies }, obstacles };
}

/** A node with its context, key and environments, as far as they are known. */
function identified(
  index: PlanIndex,
  { node, obstacles }: Lookup,
  context: BuildContext | Error | undefined,
): ResolvedNode {
  const pack = index.package(node.package);
  const open: ResolvedNode = {
    ...node,
    passesThrough: passesThrough(pack, node.copies, context),
    ...(context === undefined || context instanceof Error ? {} : { context }),
  };
  const own = [...obstacles, ...unreadable(pack, context)];
  const failed = {
    state: 'failed' as const,
    diagnostics: own.flatMap(({ diagnostics }) => diagnostics),
    ...(own[0]?.fault === undefined ? {} : { fault: own[0].fault }),
  };
  const identity = own.length > 0 ? failed : identityOf(index, open);
  return { ...open, identity, environment: environmentOf(index, open, identity) };
}

function passesThrough(
  { hasBuild, prelude, steps, env, retrieve }: ResolvedPackage,
  copies: readonly ResolvedCopy[],
  context: BuildContext | Error | undefined,
): boolean {
  if (!hasBuild) return true;
  if (prelude.length + steps.length + env.length + copies.length + retrieve.length > 0) return false;
  return context !== undefined && !(context instanceof Error) && context.files.length === 0;
}

/** Contexts by folder, or the error of reading them. */
type Contexts = ReadonlyMap<string, BuildContext | Error>;

/** Number of contexts to read in parallel. */
const READERS = 8;

async function readContexts({ nodes }: Plan, isOutput: ResolveOptions['isOutput']): Promise<Contexts> {
  const folders = new Set(nodes.map(({ package: { folder } }) => folder)).values();
  const contexts = new Map<string, BuildContext | Error>();
  const read = async (): Promise<void> => {
    for (const folder of folders)
      contexts.set(folder, await readContext(folder, isOutput).catch((error: Error) => error));
  };
  await Promise.all(Array.from({ length: READERS }, read));
  return contexts;
}

function unreadable({ key, place }: ResolvedPackage, context: BuildContext | Error | undefined): Obstacle[] {
  if (!(context instanceof Error)) return [];
  const refused = refusal(context);
  const finding: Diagnostic = {
    code: 'unreadable-context',
    severity: 'error',
    message: `cannot read the build context: ${(refused ?? context).message}`,
    place,
    package: key,
    ...(refused?.hint !== undefined && { hint: refused.hint }),
  };
  return [{ diagnostics: [finding] }];
}

/** The external images. Each is looked up once for each package that refers to it. */
class BaseImages {
  readonly images: BaseImage[] = [];
  readonly #find: FindBaseImage;
  readonly #answers = new Map<string, Promise<FoundBaseImage>>();

  constructor(find: FindBaseImage) {
    this.#find = find;
  }

  /** The index of an image, or what prevents using it. */
  async find(reference: string, asker: TreePackage, place: Place | undefined): Promise<number | Obstacle> {
    const question = JSON.stringify([asker.key, reference, place]);
    const answer = this.#answers.get(question) ?? this.#find(reference, asker, place);
    this.#answers.set(question, answer);
    const found = await answer;
    if (!found.ok) return found;
    const { image } = found;
    const known = this.images.findIndex(
      (one) => one.reference === image.reference && one.name === image.name,
    );
    return known >= 0 ? known : this.images.push(image) - 1;
  }
}
