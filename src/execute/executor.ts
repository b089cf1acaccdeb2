import { mergePackages } from '../artifact/index.ts';
import { PromiseCache } from '../async/index.ts';
import { type CachedImage, engineCache } from '../cache/index.ts';
import { EngineError, type ImageInfo } from '../engine/index.ts';
import {
  PlanIndex,
  type ResolvedArtifact,
  type ResolvedNode,
  type ResolvedPackage,
  type ResolvedPlan,
  type Retrieved,
} from '../resolve/index.ts';
import { writeTar } from '../tar/index.ts';
import { HeldBases } from './bases.ts';
import { addedByDockerfile, buildDockerfile } from './dockerfile.ts';
import { PackageFailure } from './failure.ts';
import { imageName } from './names.ts';
import { type KnownNode, NodeFacts } from './node-facts.ts';
import { type MadeImage, runNodeCompletely } from './node-run.ts';
import { type NodeRun, NodeRuns } from './node-runs.ts';
import { NodeStates } from './node-states.ts';
import type { ReadyNode } from './open-node.ts';
import { PackageImages } from './package-images.ts';
import { type Added, NOTHING, PackageWriter } from './package-writer.ts';
import { type RemainingPaths, remainingPaths } from './remaining.ts';
import { resultOf } from './result.ts';
import type { BuildResult, BuiltPackage, ExecuteOptions } from './types.ts';
import { WorkQueue } from './work-queue.ts';

/**
 * Executes one resolved plan on demand: the wanted packages request their images, images request their
 * parents, and so on. Each is made only once, and slots limit how many run in parallel.
 */
export class Executor {
  readonly #index: PlanIndex;
  readonly #options: ExecuteOptions;
  readonly #found: PackageImages;
  readonly #bases: HeldBases;
  readonly #queue: WorkQueue;
  readonly #remaining: RemainingPaths;
  readonly #states: NodeStates;
  readonly #writer: PackageWriter;
  readonly #facts: NodeFacts;
  readonly #runs = new NodeRuns();
  // An engine that failed may answer the next time.
  readonly #ready = new PromiseCache<number, KnownNode>((error) => error instanceof EngineError);
  readonly #dockerfiles = new PromiseCache<number, ImageInfo>();
  readonly #images = new PromiseCache<number, string>();
  readonly #packages = new PromiseCache<string, readonly BuiltPackage[]>();

  constructor(plan: ResolvedPlan, options: ExecuteOptions) {
    this.#index = new PlanIndex(plan);
    this.#options = options;
    this.#found = new PackageImages(
      options.cache ?? engineCache(options.engine, options.imageRepository),
      plan,
    );
    this.#facts = new NodeFacts(this.#index, options);
    this.#bases = new HeldBases(plan, options);
    this.#queue = new WorkQueue(options);
    this.#remaining = remainingPaths(plan, options.durations ?? new Map());
    this.#states = new NodeStates(plan, options.onEvent);
    const [index, queue, states, remaining] = [this.#index, this.#queue, this.#states, this.#remaining];
    this.#writer = new PackageWriter({ index, queue, states, remaining }, options);
  }

  /** Also resolves if packages fail; rejects if aborted, and for errors that no package caused. */
  async run(): Promise<BuildResult> {
    const { signal, onEvent } = this.#options;
    const wanted = this.#index.plan.artifacts.filter((artifact) => artifact.wanted);
    signal.addEventListener('abort', () => this.#queue.close(signal.reason), { once: true });
    const settled = await Promise.allSettled(
      wanted.map((artifact) =>
        this.#packagesOf(artifact).catch((error: unknown) => Promise.reject(this.#queue.report(error))),
      ),
    );
    // Also waits for work that was started for others.
    await this.#runs.settle();
    await this.#share();
    const undelivered = await this.#found.settle();
    signal.throwIfAborted();
    return { ...resultOf(this.#index.plan, settled, this.#queue.failed, onEvent), undelivered };
  }

  /** Offers the images of all packages with known keys to the cache, which skips those that it has. */
  async #share(): Promise<void> {
    const { keepImages, imageRepository, cache } = this.#options;
    // The engine's own images are already in place.
    if (!keepImages || cache === undefined) return;
    await this.#found.share(
      this.#index.plan.nodes.flatMap(({ id }) => {
        const { identity, passesThrough, package: pack } = this.#index.node(id);
        if (identity.state !== 'known' || passesThrough) return [];
        const { key, inputs } = identity;
        return [{ key, reference: `${imageRepository}:${key}`, package: pack, inputs }];
      }),
    );
  }

  // ── Retries and lost images

  /** Runs work for a package, and retries it after failures of the engine if that can help. */
  #attempt<T>(pack: ResolvedPackage, work: () => Promise<T>): Promise<T> {
    return this.#queue.attempt(pack, work, (reference) => this.#lose(reference));
  }

  /** Forgets a lost image, unless it exists: another package may have made it again in the meantime. */
  async #lose(reference: string): Promise<void> {
    const { engine, imageRepository } = this.#options;
    if ((await engine.resolve(reference, { pull: false })) !== undefined) return;
    if (reference.startsWith(`${imageRepository}:`))
      this.#found.lose(reference.slice(imageRepository.length + 1));
    this.#bases.forget();
    for (const id of this.#runs.lose(reference)) {
      this.#states.set(id, 'waiting');
      this.#images.forget(id);
      this.#dockerfiles.forget(id);
    }
  }

  // ── What nodes are

  /** A node with its key: immediately, or when the packages that the key depends on are written. */
  #known(id: number): Promise<KnownNode> {
    return this.#ready.get(id, async () => {
      for (const other of this.#facts.keysBefore(id)) await this.#known(other);
      if (this.#facts.isPending(id)) await this.#retrievedBy(id);
      return await this.#facts.known(id);
    });
  }

  /** The files that a node's `retrieve` names, once the packages that it looks for are written. */
  async #retrievedBy(id: number): Promise<readonly Retrieved[]> {
    for (const name of this.#facts.writtenBefore(id)) await this.#packagesOf(this.#index.artifact(name));
    return await this.#facts.retrieved(id);
  }

  /** Everything that a node's commands need. */
  async #readyNode(id: number): Promise<ReadyNode> {
    const parent = await this.#parentOf(id);
    const copySources: string[] = [];
    for (const { from, place } of this.#index.node(id).copies)
      copySources.push(
        from.kind === 'node'
          ? await this.#imageOf(from.node)
          : await this.#bases.hold(from.image, this.#facts.packageOf(id), place),
      );
    const { identity } = await this.#known(id);
    const retrieved = await this.#retrievedBy(id);
    const node = await this.#withEnvironment(id);
    const { environment } = node;
    const pack = this.#facts.packageOf(id);
    if (environment.state !== 'known') throw new Error(`the environment of ${pack.key} is not known`);
    return { node, package: pack, identity, environment, retrieved, parent, copySources };
  }

  /** A node with the environments of its commands, which can depend on an image built from a Dockerfile. */
  async #withEnvironment(id: number): Promise<ResolvedNode> {
    await this.#known(id);
    const { parent, environment } = this.#facts.node(id);
    if (environment.state === 'pending' && parent.kind === 'node') await this.#withEnvironment(parent.node);
    const isMade = environment.state === 'pending' && parent.kind === 'dockerfile';
    const made = isMade ? await this.#dockerfile(id) : undefined;
    return this.#facts.withEnvironment(id, made?.config.env);
  }

  // ── Images

  /** The image that a node runs on. It is looked up, or built if no other node makes it. */
  async #parentOf(id: number): Promise<string> {
    const { parent } = this.#index.node(id);
    if (parent.kind === 'node') return this.#imageOf(parent.node);
    if (parent.kind === 'dockerfile') return (await this.#dockerfile(id)).reference;
    const { identity } = await this.#known(id);
    if (parent.kind === 'image')
      return this.#bases.hold(parent.image, this.#facts.packageOf(id), parent.place);
    const { parentKey } = identity;
    const held = await this.#found.fetch(parentKey);
    if (held !== undefined) return held;
    const archives: string[] = [];
    for (const { name, artifact } of parent.parts) {
      const written = await this.#packagesOf(this.#index.artifact(artifact));
      const part = written.find((one) => one.package === name);
      if (part !== undefined) archives.push(part.archive);
    }
    const { engine, keepImages, format } = this.#options;
    const reference = imageName(parentKey, this.#options);
    const root = (): AsyncIterable<Uint8Array> => writeTar(mergePackages(archives, format.read));
    const priority = this.#remaining.run(id);
    const made = await this.#queue.inSlot(this.#facts.packageOf(id), { priority }, () =>
      engine.importImage(reference, root(), !keepImages),
    );
    return made.reference;
  }

  /** The image built from a node's Dockerfile; built only once. */
  #dockerfile(id: number): Promise<ImageInfo> {
    return this.#dockerfiles.get(id, () =>
      this.#attempt(this.#facts.packageOf(id), async () => {
        const node = await this.#known(id);
        const { parentKey } = node.identity;
        const reference = this.#facts.mustRun(id) ? undefined : await this.#found.fetch(parentKey);
        const { engine } = this.#options;
        const there = reference === undefined ? undefined : await engine.resolve(reference, { pull: false });
        const pack = this.#facts.packageOf(id);
        const image =
          there ??
          (await this.#queue.inSlot(pack, { priority: this.#remaining.run(id) }, () =>
            buildDockerfile(pack, node, imageName(parentKey, this.#options), this.#options),
          ));
        this.#runs.count(id, image.reference);
        return image;
      }),
    );
  }

  /** The reference of a node's image, when it exists. */
  #imageOf(id: number): Promise<string> {
    return this.#images.get(id, async () => {
      const pack = this.#facts.packageOf(id);
      const reference = await this.#attempt(pack, async () => {
        const { passesThrough, identity } = await this.#known(id);
        if (passesThrough) return this.#parentOf(id);
        const { key } = identity;
        const held = this.#facts.mustRun(id) ? undefined : await this.#fetch(id, key);
        if (held !== undefined) return held;
        if ((await this.#waited(id, key)) !== undefined) {
          const arrived = await this.#fetch(id, key);
          if (arrived !== undefined) return arrived;
        }
        if (this.#options.noDependencies && !this.#facts.isAsked(id))
          throw missingParent(pack, key, this.#options);
        return this.#startRun(id).image;
      });
      return this.#runs.count(id, reference);
    });
  }

  /** Loads a node's image into the engine. Undefined if the cache does not have it. */
  async #fetch(id: number, key: string): Promise<string | undefined> {
    if ((await this.#found.find(key)) === undefined) return undefined;
    this.#states.set(id, 'fetching');
    const reference = await this.#found.fetch(key);
    if (reference === undefined) return undefined;
    this.#options.onEvent({ type: 'reused', package: this.#facts.packageOf(id).key, reference });
    this.#states.set(id, 'done');
    return reference;
  }

  // ── Packages

  /** The written packages of an artifact: itself, then its subpackages. */
  #packagesOf(artifact: ResolvedArtifact): Promise<readonly BuiltPackage[]> {
    const pack = this.#index.package(artifact.package);
    return this.#packages.get(artifact.package, () =>
      this.#attempt(pack, () => this.#makePackages(artifact)),
    );
  }

  async #makePackages(artifact: ResolvedArtifact): Promise<readonly BuiltPackage[]> {
    const { node: id } = artifact;
    if (id === undefined) return this.#writer.writeEmpty(artifact);
    const { identity, passesThrough } = await this.#known(id);
    if (!this.#facts.mustRun(id)) {
      const unchanged = await this.#writer.findUnchanged(artifact);
      if (unchanged !== undefined) {
        this.#states.skip(id);
        return unchanged;
      }
    }
    if (passesThrough)
      return this.#writer.cutFrom(artifact, await this.#imageOf(id), this.#addedByParent(id));
    const held = this.#facts.mustRun(id)
      ? undefined
      : ((await this.#found.find(identity.key)) ?? (await this.#waited(id, identity.key)));
    const record = await held?.record();
    // Without a record of what its steps added, packages cannot be cut from an image, so it is made again for
    // all that need it.
    if (held !== undefined && record === undefined) this.#found.lose(identity.key);
    if (record !== undefined) return this.#writer.cutFrom(artifact, await this.#imageOf(id), record);
    const packages = await this.#startRun(id).packages;
    if (packages.length > 0) return packages;
    // Its image was lost while a package was cut from it, and made again for others meanwhile.
    return this.#writer.cutFrom(artifact, await this.#imageOf(id), this.#runs.pathsOf(id) ?? NOTHING);
  }

  /** What a package adds that runs nothing itself: the files that its Dockerfile added. */
  #addedByParent(id: number): Added {
    const { parent } = this.#index.node(id);
    if (parent.kind !== 'dockerfile') return NOTHING;
    return async (made) => {
      const { engine, signal } = this.#options;
      const { base } = parent;
      const image =
        base === undefined ? undefined : await this.#bases.hold(base, this.#facts.packageOf(id), undefined);
      const reader = image === undefined ? undefined : await engine.openForReading(image, signal);
      try {
        return await addedByDockerfile(made, reader);
      } finally {
        await reader?.close().catch(() => {});
      }
    };
  }

  // ── Running

  #startRun(id: number): NodeRun {
    const known = this.#runs.get(id);
    if (known !== undefined) return known;
    const image = Promise.withResolvers<string>();
    let made: MadeImage | undefined;
    const packages = this.#attempt(this.#facts.packageOf(id), () => {
      const artifact = this.#index.artifactOfNode(id);
      // Where the image was made and only packing failed, packing goes on from that image.
      if (
        made !== undefined &&
        made.reference !== '' &&
        artifact !== undefined &&
        this.#runs.pathsOf(id) !== undefined
      )
        return this.#writer.cutFrom(artifact, made.reference, made.paths, 'built');
      return this.#oneRun(id, (now) => {
        made = now;
        this.#runs.made(id, now.paths);
        image.resolve(now.reference);
      });
    });
    packages.catch((error: unknown) => {
      this.#states.set(id, 'failed');
      image.reject(error);
    });
    // Handle a rejection here: possibly nothing waits for the image.
    image.promise.catch(() => {});
    return this.#runs.add(id, { image: image.promise, packages });
  }

  /** The image of a node, where another machine makes it and this one is to wait for that. */
  async #waited(id: number, key: string): Promise<CachedImage | undefined> {
    if (this.#options.waitForOthers !== true || this.#facts.mustRun(id)) return undefined;
    // What is only built on is left to others; what is to be written is built here, unless somebody is at it.
    const isExpected = this.#index.artifactOfNode(id)?.wanted !== true;
    return await this.#found.wait(key, this.#facts.packageOf(id).key, isExpected);
  }

  async #oneRun(id: number, onImage: (image: MadeImage) => void): Promise<readonly BuiltPackage[]> {
    const end = this.#found.begin((await this.#known(id)).identity.key);
    try {
      return await this.#runOnce(id, onImage);
    } catch (error) {
      await end();
      throw error;
    }
  }

  async #runOnce(id: number, onImage: (image: MadeImage) => void): Promise<readonly BuiltPackage[]> {
    this.#states.set(id, 'waiting');
    const ready = await this.#readyNode(id);
    const artifact = this.#index.artifactOfNode(id);
    const written = await this.#writtenBefore(id, artifact);
    const toWrite = written === undefined ? artifact : undefined;
    const result = await runNodeCompletely(
      {
        ready,
        queue: this.#queue,
        states: this.#states,
        priority: this.#remaining.run(id),
        mayReuse: !this.#facts.mustRun(id),
        offer: (image) => this.#found.offer(image),
        onImage,
        ...(toWrite && { write: (from, changes) => this.#writer.write(toWrite, from, changes, 'built') }),
      },
      this.#options,
    );
    if ('packages' in result) return written ?? result.packages;
    const { reference, paths } = result.reused;
    if (toWrite !== undefined) return this.#writer.cutFrom(toWrite, reference, paths);
    this.#states.skip(id);
    return written ?? [];
  }

  /**
   * The packages of a node that is about to run, if they need not be cut from this run: none, or those that
   * already exist. Undefined if they must be cut.
   */
  async #writtenBefore(
    id: number,
    artifact: ResolvedArtifact | undefined,
  ): Promise<readonly BuiltPackage[] | undefined> {
    const isWanted = artifact !== undefined && (artifact.wanted || this.#packages.has(artifact.package));
    if (!isWanted || this.#runs.ranBefore(id) || this.#writer.isCutting(artifact)) return [];
    // A run that was cut short may have come so far.
    return (
      this.#writer.writtenNow(artifact) ??
      (this.#facts.mustRun(id) ? undefined : await this.#writer.findUnchanged(artifact))
    );
  }
}

function missingParent(
  pack: ResolvedPackage,
  key: string,
  { imageRepository }: ExecuteOptions,
): PackageFailure {
  const message = `image ${imageRepository}:${key} not found in the engine, and only the requested packages are built`;
  return new PackageFailure(pack, [{ code: 'missing-parent-image', message, place: pack.place }]);
}
