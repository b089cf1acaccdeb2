import { mergeArchives } from '../artifact/index.ts';
import type { ImageInfo } from '../engine/index.ts';
import type { PlanArtifact, PlanNode } from '../plan/index.ts';
import { writeTar } from '../tar/index.ts';
import type { Attempts } from './attempts.ts';
import { buildDockerfile } from './dockerfile-image.ts';
import type { Facts } from './facts.ts';
import { type HeldImages, referenceOf } from './held.ts';
import type { ImagesInUse } from './lost.ts';
import type { Remaining } from './remaining.ts';
import type { BuildOptions, BuiltPackage } from './types.ts';

/** What parents' images are found and made with. */
export interface ParentSources {
  readonly options: BuildOptions;
  readonly facts: Facts;
  readonly held: HeldImages;
  readonly inUse: ImagesInUse;
  readonly attempts: Attempts;
  readonly remaining: Remaining;
  /** Whether a node runs although its image is there. */
  readonly mustRun: (node: PlanNode) => boolean;
  /** The image of another node. */
  readonly imageOf: (node: PlanNode) => Promise<string>;
  /** The written packages of an artifact. */
  readonly packagesOf: (artifact: PlanArtifact) => Promise<readonly BuiltPackage[]>;
}

/** The images that nodes run on. */
export class ParentImages {
  readonly #from: ParentSources;
  readonly #dockerfiles = new Map<PlanNode, Promise<ImageInfo>>();

  constructor(from: ParentSources) {
    this.#from = from;
  }

  /** The image that a node runs on: found, or made where that is not another node's. */
  async of(node: PlanNode): Promise<string> {
    const { parent, package: pack } = node;
    if (parent.kind === 'node') return this.#from.imageOf(parent.node);
    if (parent.kind === 'image')
      return await this.#from.facts.held(parent.reference, pack, this.#from.options);
    if (parent.kind === 'dockerfile') return (await this.dockerfile(node)).reference;
    const key = await this.#from.facts.parentKey(parent, pack);
    const { engine, imageRepository, keepImages } = this.#from.options;
    if ((await this.#from.held.get(key)) !== undefined) return `${imageRepository}:${key}`;
    const archives: string[] = [];
    for (const { name, artifact } of parent.parts) {
      const part = (await this.#from.packagesOf(artifact)).find((one) => one.package === name);
      if (part !== undefined) archives.push(part.archive);
    }
    const reference = referenceOf(key, this.#from.options);
    return this.#from.attempts.inSlot(
      pack,
      { priority: this.#from.remaining.run(node) },
      async () =>
        (await engine.importImage(reference, writeTar(mergeArchives(archives)), {}, !keepImages)).reference,
    );
  }

  /** The image that a node's Dockerfile makes, made once. */
  dockerfile(node: PlanNode): Promise<ImageInfo> {
    const known = this.#dockerfiles.get(node);
    if (known !== undefined) return known;
    const image = this.#from.attempts.for(node.package, async () => {
      const { engine, imageRepository } = this.#from.options;
      const { package: pack, parent } = node;
      const key = await this.#from.facts.parentKey(parent, pack);
      const held =
        (await this.#from.held.get(key)) !== undefined && !this.#from.mustRun(node)
          ? await engine.resolve(`${imageRepository}:${key}`, { pull: false })
          : undefined;
      if (held !== undefined) return held;
      return this.#from.attempts.inSlot(pack, { priority: this.#from.remaining.run(node) }, () =>
        buildDockerfile(node, referenceOf(key, this.#from.options), this.#from.facts, this.#from.options),
      );
    });
    this.#dockerfiles.set(node, image);
    this.#from.inUse.watch(
      image.then(({ reference }) => reference),
      () => this.#dockerfiles.delete(node),
    );
    return image;
  }
}
