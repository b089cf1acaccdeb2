import type { MetadataBuild, MetadataLink } from '../artifact/index.ts';
import { artifactHash, EARLIEST, finalKey, hashOf } from './key.ts';
import type { PlanIndex } from './plan-index.ts';
import type { OutputSpec, ResolvedArtifact } from './types.ts';

/** One package file to write: the package itself or one of its subpackages. */
export interface PackageOutput extends OutputSpec {
  /** Key of the image that it is cut from. */
  readonly key: string;
  /** Hash of everything that determines its files and metadata. */
  readonly hash: string;
  /** Latest time in the package, in seconds since 1970. */
  readonly latest: number;
}

/** Properties of the node that an artifact is cut from. */
interface NodeProperties {
  readonly key: string;
  readonly latest: number;
  /** The image that prelude and steps run on: its reference, or its key if a build makes it. */
  readonly seed: string;
  readonly chain: string;
}

/** Undefined if the key is not known yet, or the node failed. */
function propertiesOf(index: PlanIndex, { node: id }: ResolvedArtifact): NodeProperties | undefined {
  // A package without an image has an empty content.
  if (id === undefined) return { key: finalKey([]), latest: EARLIEST, seed: '', chain: '' };
  const { identity, parent } = index.node(id);
  if (identity.state !== 'known') return undefined;
  const { key, latest, chain, parentKey } = identity;
  return { key, latest, chain, seed: parent.kind === 'image' ? parent.reference : parentKey };
}

/**
 * The outputs of an artifact: the package itself, then its subpackages. Undefined if its key is not known
 * yet.
 */
export function outputsOf(
  index: PlanIndex,
  artifact: ResolvedArtifact,
): readonly PackageOutput[] | undefined {
  const origin = propertiesOf(index, artifact);
  const hashes = artifactHashes(index, artifact);
  if (origin === undefined || hashes === undefined) return undefined;
  const { key, latest } = origin;
  return index
    .package(artifact.package)
    .outputs.map((output, at) => ({ ...output, key, latest, hash: hashes[at] ?? '' }));
}

/** The hashes of an artifact's outputs, in order. Undefined if its key is not known yet. */
export function artifactHashes(index: PlanIndex, artifact: ResolvedArtifact): readonly string[] | undefined {
  if (artifact.hashes !== undefined) return artifact.hashes;
  const origin = propertiesOf(index, artifact);
  if (origin === undefined) return undefined;
  const { key, latest, seed, chain } = origin;
  const pack = index.package(artifact.package);
  const build = hashOf([pack.buildtime, pack.spec, seed, chain]);
  return pack.outputs.map(({ fingerprint, cut, runtime }) => {
    const { kind, folder: packageDir, includes, excludes, within = null } = cut;
    const metadata = hashOf([runtime, build]);
    return artifactHash({ fingerprint, key, kind, packageDir, includes, excludes, within, latest, metadata });
  });
}

/** The build information for the metadata of an output: the rendered spec, and the images of the closure. */
export function buildMetadata(
  index: PlanIndex,
  artifact: ResolvedArtifact,
  output: OutputSpec,
): MetadataBuild {
  const pack = index.package(artifact.package);
  const { seed } = propertiesOf(index, artifact) ?? { seed: '' };
  const closure = artifact.node === undefined ? [] : linksOf(index, artifact.node);
  // Luet's create-repo reads the name of a package from its build information, so a subpackage has its own
  // name there.
  const own = output.name === pack.key ? pack.buildtime : output.runtime;
  return { package: own, seed, ...pack.spec, closure };
}

/** The packages of a chain from the bottom to the top, with the keys of their images. */
function linksOf(index: PlanIndex, id: number): MetadataLink[] {
  const links: MetadataLink[] = [];
  for (let at: number | undefined = id; at !== undefined; ) {
    const { identity, parent, package: name } = index.node(at);
    if (identity.state === 'known') {
      const { key: packageHash, parentKey: buildHash } = identity;
      links.push({ package: index.package(name).buildtime, buildHash, packageHash });
    }
    at = parent.kind === 'node' ? parent.node : undefined;
  }
  return links.reverse();
}
