import { basename } from 'node:path';
import { SCRATCH } from '../spec/index.ts';
import { artifactHashes } from './artifact.ts';
import { inputFiles } from './context.ts';
import { imageEnvironment, nodeEnvironment } from './environment.ts';
import {
  baseKey,
  dockerfileKey,
  EARLIEST,
  finalKey,
  hashOf,
  KEY_SCHEME,
  type KeyInputs,
  nodeKey,
} from './key.ts';
import type { PlanIndex } from './plan-index.ts';
import type { Retrieved } from './retrieve.ts';
import type {
  BaseImage,
  FailedIdentity,
  KnownIdentity,
  NodeEnvironment,
  NodeIdentity,
  ResolvedNode,
  ResolvedPackage,
} from './types.ts';

/** Information for a node's identity that only a build can find. */
export interface FoundLater {
  /** The files found by `retrieve`, after the packages that it searches were written. */
  readonly retrieved?: readonly Retrieved[];
  /** The environment of the image built from its Dockerfile, as `NAME=value`. */
  readonly dockerfileEnvironment?: readonly string[];
}

/** What a node inherits from its parent's image. */
interface ParentProperties {
  readonly key: string;
  readonly platform: string;
  readonly latest: number;
  readonly chain: string;
}

type Pending = Extract<NodeIdentity, { state: 'pending' }>;

/** Whether something that a key needs is pending or failed. */
const isObstacle = (found: object): found is Pending | FailedIdentity =>
  'state' in found && (found.state === 'pending' || found.state === 'failed');

const EARLIER: Pending = { state: 'pending', waitsFor: 'earlier' };

/**
 * The identity of a node, as far as it is known. Earlier nodes of the plan must be resolved already. `found`
 * contains what the build has found.
 */
export function identityOf(index: PlanIndex, node: ResolvedNode, found: FoundLater = {}): NodeIdentity {
  const pack = index.package(node.package);
  const below = belowOf(index, node);
  if (isObstacle(below)) return below;
  const { key: parentKey, platform } = below;
  const chainOf = (key: string): string => hashOf([below.chain, pack.buildtime, parentKey, key]);
  if (node.passesThrough) {
    const { latest } = below;
    return { state: 'known', key: parentKey, parentKey, platform, latest, chain: chainOf(parentKey) };
  }
  const copies = copiesOf(index, node);
  if (isObstacle(copies)) return copies;
  const latest = latestOf(index, node, below.latest);
  if (pack.retrieve.length > 0 && found.retrieved === undefined)
    return { state: 'pending', waitsFor: 'retrieve' };
  const inputs: KeyInputs = {
    scheme: KEY_SCHEME,
    name: pack.buildtime.name,
    category: pack.buildtime.category,
    version: pack.buildtime.version,
    platform,
    parent: parentKey,
    prelude: pack.prelude.map(({ value }) => value),
    steps: pack.steps.map(({ value }) => value),
    env: pack.env.map(({ value }) => value),
    context: inputFiles(node.context?.files ?? []),
    copies,
    retrieved: (found.retrieved ?? []).map(({ path, sha256, packing }) => ({
      path,
      sha256,
      ...(packing === undefined ? {} : { unpacked: true as const }),
    })),
  };
  const key = nodeKey(inputs, node.context?.hash);
  return { state: 'known', key, parentKey, inputs, platform, latest, chain: chainOf(key) };
}

/** The empty root has no creation time: files copied into it keep their times. */
function latestOf(index: PlanIndex, node: ResolvedNode, latest: number): number {
  const { parent, copies } = node;
  if (parent.kind !== 'image' || parent.reference !== SCRATCH || index.plan.sourceDateEpoch !== undefined)
    return latest;
  const times = copies.map(({ from }) => {
    if (from.kind === 'image') return imageAt(index, from.image)?.created ?? 0;
    const { identity } = index.node(from.node);
    return identity.state === 'known' ? identity.latest : 0;
  });
  return Math.max(latest, ...times);
}

/** What a node inherits from its parent, or the state that prevents knowing it. */
function belowOf(index: PlanIndex, node: ResolvedNode): ParentProperties | Pending | FailedIdentity {
  const { parent } = node;
  if (parent.kind === 'node') {
    const { identity, package: name } = index.node(parent.node);
    return identityFor(identity, name);
  }
  if (parent.kind === 'image') {
    const image = imageAt(index, parent.image);
    if (image === undefined) return { state: 'failed', diagnostics: [] };
    return { ...ofImages(index, [image]), key: baseKey(image), chain: '' };
  }
  if (parent.kind === 'dockerfile') {
    const images = parent.images.flatMap((at) => imageAt(index, at) ?? []);
    const key = dockerfileKey(node.context?.hash ?? '', images.map(baseKey), basename(parent.path));
    const platform = `linux/${images[0]?.config.architecture ?? ''}`;
    return { ...ofImages(index, images), platform, key, chain: '' };
  }
  return belowFinal(index, parent.parts);
}

/** An identity as seen by the nodes above it. */
function identityFor(identity: NodeIdentity, name: string): KnownIdentity | Pending | FailedIdentity {
  if (identity.state === 'known') return identity;
  if (identity.state === 'pending') return EARLIER;
  const { fault } = identity;
  const because = identity.because ?? name;
  return { state: 'failed', diagnostics: [], because, ...(fault === undefined ? {} : { fault }) };
}

function belowFinal(
  index: PlanIndex,
  parts: readonly { readonly name: string; readonly artifact: string }[],
): ParentProperties | Pending | FailedIdentity {
  const hashes: string[] = [];
  const nodes: KnownIdentity[] = [];
  for (const part of parts) {
    const artifact = index.artifact(part.artifact);
    if (artifact.node !== undefined) {
      const node = index.node(artifact.node);
      const identity = identityFor(node.identity, node.package);
      if (identity.state !== 'known') return identity;
      nodes.push(identity);
    }
    const at = index.package(part.artifact).outputs.findIndex(({ name }) => name === part.name);
    const hash = artifactHashes(index, artifact)?.[at];
    if (hash !== undefined) hashes.push(hash);
  }
  const { sourceDateEpoch } = index.plan;
  return {
    key: finalKey(hashes),
    platform: nodes[0]?.platform ?? 'linux',
    latest: sourceDateEpoch ?? Math.max(EARLIEST, ...nodes.map(({ latest }) => latest)),
    chain: '',
  };
}

function ofImages(index: PlanIndex, images: readonly BaseImage[]): { platform: string; latest: number } {
  const { os = '', architecture = '', variant = '' } = images[0]?.config ?? {};
  return {
    platform: [os, architecture, variant].filter(Boolean).join('/'),
    latest: index.plan.sourceDateEpoch ?? Math.max(EARLIEST, ...images.map(({ created }) => created)),
  };
}

function copiesOf(index: PlanIndex, node: ResolvedNode): KeyInputs['copies'] | Pending | FailedIdentity {
  const copies: KeyInputs['copies'][number][] = [];
  for (const { from, source, destination } of node.copies) {
    if (from.kind === 'image') {
      const image = imageAt(index, from.image);
      if (image === undefined) return { state: 'failed', diagnostics: [] };
      copies.push({ source, destination, from: baseKey(image) });
      continue;
    }
    const other = index.node(from.node);
    const identity = identityFor(other.identity, other.package);
    if (identity.state !== 'known') return identity;
    copies.push({ source, destination, from: identity.key });
  }
  return copies;
}

const imageAt = ({ plan }: PlanIndex, at: number | undefined): BaseImage | undefined =>
  at === undefined ? undefined : plan.images[at];

/** The environments of a node's commands, as far as they are known. */
export function environmentOf(
  index: PlanIndex,
  node: ResolvedNode,
  identity: NodeIdentity,
  found: FoundLater = {},
): NodeEnvironment {
  if (identity.state !== 'known') return { state: 'pending' };
  const { parent } = node;
  const pack: ResolvedPackage = index.package(node.package);
  if (parent.kind === 'node') {
    const { environment } = index.node(parent.node);
    return environment.state === 'known'
      ? nodeEnvironment(pack, environment.image, identity.latest)
      : { state: 'pending' };
  }
  if (parent.kind === 'dockerfile' && found.dockerfileEnvironment === undefined) return { state: 'pending' };
  const pairs =
    parent.kind === 'image'
      ? (imageAt(index, parent.image)?.config.env ?? [])
      : (found.dockerfileEnvironment ?? []);
  return nodeEnvironment(pack, imageEnvironment(pairs), identity.latest);
}

/** A node, updated with what a build has found. */
export function advanced(index: PlanIndex, node: ResolvedNode, found: FoundLater): ResolvedNode {
  const identity = node.identity.state === 'pending' ? identityOf(index, node, found) : node.identity;
  const environment =
    node.environment.state === 'pending' ? environmentOf(index, node, identity, found) : node.environment;
  return { ...node, identity, environment };
}
