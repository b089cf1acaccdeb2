import type { Engine, ImageInfo } from '../engine/index.ts';
import {
  baseKey,
  finalKey,
  nodeKey,
  type Parent,
  type Plan,
  type PlanArtifact,
  type PlanNode,
} from '../plan/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { type Context, readContext } from './context.ts';
import { basesOf, dockerfileKey } from './dockerfile.ts';
import { expanded, packageVariables } from './environment.ts';
import { PackageFailure } from './failure.ts';
import { Memory } from './memory.ts';
import { OutsideImages } from './outside.ts';
import { type Link, type Product, productsOf } from './products.ts';
import { notYetWritten, type Retrieved, retrieve } from './retrieve.ts';
import type { BuildOptions } from './types.ts';

/** The beginning of what counts as a time: 1980, where archives of other kinds begin. */
const EARLIEST = 315_532_800;

/** What a Dockerfile's commands find in PATH where their image names none. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What facts are worked out from, besides the plan. */
export interface FactsOptions
  extends Pick<BuildOptions, 'find' | 'destination' | 'imageRepository' | 'sourceDateEpoch' | 'signal'> {
  /** Says what images from outside are. */
  readonly engine: Pick<Engine, 'resolve'>;
}

/** What nodes and artifacts of a plan are, worked out on demand and once: keys, environments, times. */
export class Facts {
  readonly #plan: Plan;
  readonly #options: FactsOptions;
  /** Waits until these packages lie in the destination. */
  readonly #written: (artifacts: readonly PlanArtifact[]) => Promise<void>;
  /** Makes the image of a node's Dockerfile, or finds it made. */
  readonly #dockerfileImage: (node: PlanNode) => Promise<ImageInfo>;
  readonly #memory = new Memory();
  readonly #outside: OutsideImages;

  constructor(
    plan: Plan,
    options: FactsOptions,
    written: (artifacts: readonly PlanArtifact[]) => Promise<void>,
    dockerfileImage: (node: PlanNode) => Promise<ImageInfo>,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#written = written;
    this.#dockerfileImage = dockerfileImage;
    this.#outside = new OutsideImages(options);
  }

  /** Lets go of files that were opened. */
  close(): Promise<void> {
    return this.#outside.close();
  }

  /** An image from outside: one that lies in the tree, or one of the engine, pulled where that does not hold it. */
  image(...given: Parameters<OutsideImages['find']>): Promise<ImageInfo> {
    return this.#outside.find(...given);
  }

  /** Asks again for an image from outside when it is needed: it is not in the engine any more. */
  forgetImage(reference: string): void {
    this.#outside.forget(reference);
  }

  /** The name by which an image from outside can be opened in the engine: one that lies in the tree is put there. */
  held(...given: Parameters<OutsideImages['held']>): Promise<string> {
    return this.#outside.held(...given);
  }

  context(node: PlanNode): Promise<Context> {
    return this.#contextOf(node.package);
  }

  /** The images that a Dockerfile begins with. */
  #bases(dockerfile: string, pack: TreePackage): Promise<readonly ImageInfo[]> {
    return this.#memory.once(`bases ${dockerfile}`, async () =>
      Promise.all(
        (await basesOf(dockerfile)).map((reference) => this.image(reference, pack, pack.definition.place)),
      ),
    );
  }

  #contextOf(pack: TreePackage): Promise<Context> {
    const { folder } = pack;
    return this.#memory
      .once(`context ${folder}`, () => readContext(folder))
      .catch((error: Error) => {
        throw new PackageFailure(pack, [
          {
            code: 'unreadable-context',
            message: `its build context cannot be read: ${error.message}`,
            place: pack.definition.place,
          },
        ]);
      });
  }

  retrieved(node: PlanNode): Promise<readonly Retrieved[]> {
    return this.#memory.once(`retrieved ${node.id}`, async () => {
      const globs = node.package.build?.retrieve ?? [];
      if (globs.length === 0) return [];
      await this.#written(node.retrieveAfter);
      const { files, unmatched } = await retrieve(
        this.#options.destination,
        globs.map(({ value }) => value),
        notYetWritten(this.#plan, node),
      );
      const bad = globs.filter(({ value }) => unmatched.includes(value));
      if (bad.length === 0) return files;
      throw new PackageFailure(
        node.package,
        bad.map(({ value, place }) => ({
          code: 'nothing-to-retrieve',
          message: `retrieve: nothing in the destination folder matches ${value}`,
          place,
        })),
      );
    });
  }

  /** Whether nothing is done on the parent's image, so that it is the package's image too. */
  async passesThrough(node: PlanNode): Promise<boolean> {
    const { build } = node.package;
    if (build === undefined) return true;
    const { prelude, steps, env, copy, retrieve: globs } = build;
    if (prelude.length + steps.length + env.length + copy.length + globs.length > 0) return false;
    return (await this.context(node)).files.length === 0;
  }

  key(node: PlanNode): Promise<string> {
    return this.#memory.once(`key ${node.id}`, async () => {
      const parent = await this.parentKey(node.parent, node.package);
      const { package: pack } = node;
      if (pack.build === undefined || (await this.passesThrough(node))) return parent;
      const copies = await Promise.all(
        node.copies.map(async ({ entry, from }) =>
          from.kind === 'node'
            ? this.key(from.node)
            : baseKey(await this.image(from.reference, pack, entry.place)),
        ),
      );
      const [context, retrieved] = [await this.context(node), await this.retrieved(node)];
      return nodeKey(pack.definition, pack.build, {
        parent,
        platform: await this.#platform(node),
        context: context.hash,
        copies,
        retrieved: retrieved.map(({ path, sha256 }) => ({ name: path, sha256 })),
      });
    });
  }

  async parentKey(parent: Parent, pack: TreePackage): Promise<string> {
    if (parent.kind === 'node') return this.key(parent.node);
    if (parent.kind === 'image') return baseKey(await this.image(parent.reference, pack));
    if (parent.kind === 'dockerfile')
      return dockerfileKey(await this.#contextOf(pack), await this.#bases(parent.path, pack));
    const hashes = parent.parts.map(async ({ name, artifact }) => {
      const product = (await this.products(artifact)).find((one) => one.name === name);
      return product === undefined ? [] : [product.hash];
    });
    return finalKey((await Promise.all(hashes)).flat());
  }

  /** The platform of the image at the beginning of the chain. */
  #platform({ parent, package: pack }: PlanNode): Promise<string> {
    if (parent.kind === 'node') return this.#platform(parent.node);
    if (parent.kind === 'image') {
      return this.image(parent.reference, pack).then(({ config }) =>
        [config.os, config.architecture, config.variant].filter(Boolean).join('/'),
      );
    }
    if (parent.kind === 'dockerfile')
      return this.#bases(parent.path, pack).then(([base]) => `linux/${base?.config.architecture ?? ''}`);
    const first = parent.parts.find(({ artifact }) => artifact.node !== undefined)?.artifact.node;
    return first === undefined ? Promise.resolve('linux') : this.#platform(first);
  }

  /** No time in the package is later than this, in seconds since 1970. */
  latest({ parent, package: pack }: PlanNode): Promise<number> {
    const { sourceDateEpoch } = this.#options;
    if (sourceDateEpoch !== undefined) return Promise.resolve(sourceDateEpoch);
    if (parent.kind === 'node') return this.latest(parent.node);
    if (parent.kind === 'image')
      return this.image(parent.reference, pack).then(({ created }) => Math.max(created, EARLIEST));
    if (parent.kind === 'dockerfile') {
      return this.#bases(parent.path, pack).then((bases) =>
        Math.max(EARLIEST, ...bases.map(({ created }) => created)),
      );
    }
    const nodes = parent.parts.flatMap(({ artifact }) => artifact.node ?? []);
    return Promise.all(nodes.map((node) => this.latest(node))).then((times) => Math.max(EARLIEST, ...times));
  }

  /** The environment of a package's builder image, which its prelude has: that of its parent with its own `env` over it. */
  builderEnvironment(node: PlanNode): Promise<ReadonlyMap<string, string>> {
    return this.#memory.once(`builder environment ${node.id}`, async () =>
      expanded(node.package, await this.#parentEnvironment(node)),
    );
  }

  /**
   * The environment of a package's image, which its steps have and what is built on it inherits. `env` belongs to both
   * images, so it is laid over the builder's once more: `PATH=$PATH:/x` ends in `/x` twice.
   */
  imageEnvironment(node: PlanNode): Promise<ReadonlyMap<string, string>> {
    return this.#memory.once(`environment ${node.id}`, async () =>
      expanded(node.package, await this.builderEnvironment(node)),
    );
  }

  async #parentEnvironment(node: PlanNode): Promise<ReadonlyMap<string, string>> {
    const { parent, package: pack } = node;
    if (parent.kind === 'node') return this.imageEnvironment(parent.node);
    const environment = new Map([['PATH', DEFAULT_PATH]]);
    if (parent.kind === 'image' || parent.kind === 'dockerfile') {
      // What a Dockerfile sets is known when its image is there.
      const image =
        parent.kind === 'image' ? this.image(parent.reference, pack) : this.#dockerfileImage(node);
      for (const pair of (await image).config.env) {
        const at = pair.indexOf('=');
        if (at > 0) environment.set(pair.slice(0, at), pair.slice(at + 1));
      }
    }
    return environment.set('HOME', '/root');
  }

  /** The environments that a package's prelude and its steps have, all variables of the reference included. */
  async environments(
    node: PlanNode,
  ): Promise<{ readonly prelude: ReadonlyMap<string, string>; readonly steps: ReadonlyMap<string, string> }> {
    const own = new Set(
      (node.package.build?.env ?? []).map(({ value }) => value.slice(0, value.indexOf('='))),
    );
    const variables = [
      ...packageVariables(node.package),
      ['SOURCE_DATE_EPOCH', String(await this.latest(node))] as const,
    ].filter(([name]) => !own.has(name));
    return {
      prelude: new Map([...(await this.builderEnvironment(node)), ...variables]),
      steps: new Map([...(await this.imageEnvironment(node)), ...variables]),
    };
  }

  /** What is written of a package: itself, then its subpackages. */
  products(artifact: PlanArtifact): Promise<readonly Product[]> {
    return this.#memory.once(`products ${artifact.package.key}`, async () => {
      const { package: pack, node } = artifact;
      const origin =
        node === undefined
          ? // What stands on no image stands on the content of no packages.
            { key: finalKey([]), latest: EARLIEST, seed: '', links: [] }
          : {
              key: await this.key(node),
              latest: await this.latest(node),
              seed: await this.#seed(node),
              links: await this.#links(node),
            };
      return productsOf(pack, origin, this.#options.find);
    });
  }

  /** The image that prelude and steps run on: its reference, or its key where it is ours, whatever engine it lies in. */
  async #seed({ parent, package: pack }: PlanNode): Promise<string> {
    return parent.kind === 'image' ? parent.reference : this.parentKey(parent, pack);
  }

  async #links(node: PlanNode): Promise<readonly Link[]> {
    const below = node.parent.kind === 'node' ? await this.#links(node.parent.node) : [];
    const parent = await this.parentKey(node.parent, node.package);
    return [...below, { package: node.package, parent, key: await this.key(node) }];
  }
}
