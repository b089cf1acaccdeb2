import { mergePackages } from '../artifact/index.ts';
import { PromiseCache } from '../async/index.ts';
import { type CachedImage, engineCache, type StepPaths } from '../cache/index.ts';
import { EngineError, type ImageInfo, type Reader } from '../engine/index.ts';
import {
  advanced,
  type KnownIdentity,
  PlanIndex,
  type ResolvedArtifact,
  type ResolvedNode,
  type ResolvedPackage,
  type ResolvedPlan,
  type Retrieved,
  retrieveFor,
} from '../resolve/index.ts';
import { type FileEntry, writeTar } from '../tar/index.ts';
import { HeldBases } from './bases.ts';
import { addedByDockerfile, buildDockerfile } from './dockerfile.ts';
import { PackageFailure } from './failure.ts';
import { imageName } from './names.ts';
import { nodesBelow } from './needs.ts';
import { type MadeImage, runNodeCompletely } from './node-run.ts';
import { NodeStates } from './node-states.ts';
import type { ReadyNode } from './open-node.ts';
import { PackageImages } from './package-images.ts';
import { type CutSource, findUnchanged, knownOutputs, refuseOthers, writePackages } from './packages.ts';
import { type RemainingPaths, remainingPaths } from './remaining.ts';
import { resultOf } from './result.ts';
import { filesBelow } from './run-node.ts';
import type { BuildResult, BuiltPackage, ExecuteOptions } from './types.ts';
import { WorkQueue } from './work-queue.ts';

/** A node whose key is known. */
type KnownNode = ResolvedNode & { readonly identity: KnownIdentity };

/** What was added to an image: the topmost paths, or a function that finds the added files. */
type Added = StepPaths | ((image: Reader) => Promise<readonly FileEntry[]>);

/** The paths if nothing ran. */
const NOTHING: StepPaths = { added: [], changed: [] };

/** A running node, as seen by work that waits for it. */
interface NodeRun {
  /** The image's reference, as soon as other nodes can be built on it. */
  readonly image: Promise<string>;
  /** The packages that were cut from it. */
  readonly packages: Promise<readonly BuiltPackage[]>;
}

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
  readonly #ready = new PromiseCache<number, KnownNode>(isFault);
  readonly #retrieved = new PromiseCache<number, readonly Retrieved[]>(isFault);
  readonly #dockerfiles = new PromiseCache<number, ImageInfo>();
  readonly #images = new PromiseCache<number, string>();
  readonly #packages = new PromiseCache<string, readonly BuiltPackage[]>();
  readonly #unchanged = new PromiseCache<string, readonly BuiltPackage[] | undefined>(() => true);
  readonly #free = new PromiseCache<string, void>(() => true);
  readonly #runs = new Map<number, NodeRun>();
  /** Runs whose images were lost. They still finish the rest of their work. */
  readonly #earlier: NodeRun[] = [];
  readonly #ranBefore = new Set<number>();
  /** What steps changed, for nodes that ran and whose images exist. */
  readonly #added = new Map<number, StepPaths>();
  /** The nodes that use an image, by its reference. */
  readonly #users = new Map<string, Set<number>>();
  readonly #written = new Map<string, readonly BuiltPackage[]>();
  /** Packages that are being cut from an existing image. */
  readonly #cutting = new Set<string>();

  constructor(plan: ResolvedPlan, options: ExecuteOptions) {
    this.#index = new PlanIndex(plan);
    this.#options = options;
    this.#found = new PackageImages(
      options.cache ?? engineCache(options.engine, options.imageRepository),
      plan,
    );
    this.#bases = new HeldBases(plan, options);
    this.#queue = new WorkQueue(options);
    this.#remaining = remainingPaths(plan, options.durations ?? new Map());
    this.#states = new NodeStates(plan.nodes.length);
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
    const all = [...this.#runs.values(), ...this.#earlier];
    await Promise.allSettled(all.flatMap(({ image, packages }) => [image, packages]));
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
    const users = this.#users.get(reference) ?? [];
    this.#users.delete(reference);
    for (const id of users) this.#forget(id);
  }

  /** Makes sure that a node's image is made again when it is needed. */
  #forget(id: number): void {
    this.#states.set(id, 'waiting');
    this.#images.forget(id);
    this.#dockerfiles.forget(id);
    this.#added.delete(id);
    const run = this.#runs.get(id);
    if (run === undefined) return;
    this.#runs.delete(id);
    this.#earlier.push(run);
    this.#ranBefore.add(id);
  }

  /** Records that a node uses an image. */
  #count(id: number, reference: string): string {
    const users = this.#users.get(reference) ?? new Set();
    this.#users.set(reference, users.add(id));
    return reference;
  }

  // ── What nodes are

  #packageOf(id: number): ResolvedPackage {
    return this.#index.package(this.#index.node(id).package);
  }

  /** Whether a node must run although its image exists. */
  #mustRun(id: number): boolean {
    return this.#options.rebuild && this.#isAsked(id);
  }

  #isAsked(id: number): boolean {
    return this.#index.artifactOfNode(id)?.asked ?? false;
  }

  /** A node with its key: immediately, or when the packages that the key depends on are written. */
  #known(id: number): Promise<KnownNode> {
    return this.#ready.get(id, async () => {
      const node = this.#index.node(id);
      const { identity, parent } = node;
      if (identity.state === 'failed' && identity.diagnostics.length > 0)
        throw new PackageFailure(this.#packageOf(id), identity.diagnostics, { fault: identity.fault });
      if (identity.state !== 'known') {
        for (const other of nodesBelow(node)) await this.#known(other);
        if (parent.kind === 'final')
          for (const part of parent.parts) {
            const below = this.#index.artifact(part.artifact).node;
            if (below !== undefined) await this.#known(below);
          }
        const retrieved = await this.#retrievedBy(id);
        this.#index.replace(advanced(this.#index, node, { retrieved }));
      }
      return withKey(this.#index.node(id));
    });
  }

  /** The files found by a node's `retrieve`, after the packages that it searches were written. */
  #retrievedBy(id: number): Promise<readonly Retrieved[]> {
    return this.#retrieved.get(id, async () => {
      const pack = this.#packageOf(id);
      if (pack.retrieve.length === 0) return [];
      const node = this.#index.node(id);
      for (const name of node.retrieveAfter) await this.#packagesOf(this.#index.artifact(name));
      const { files, problems } = await retrieveFor(this.#index, node, this.#options.destination);
      if (problems.length > 0) throw new PackageFailure(pack, problems);
      return files;
    });
  }

  /** Everything that a node's commands need. */
  async #readyNode(id: number): Promise<ReadyNode> {
    const parent = await this.#parentOf(id);
    const copySources: string[] = [];
    for (const { from, place } of this.#index.node(id).copies)
      copySources.push(
        from.kind === 'node'
          ? await this.#imageOf(from.node)
          : await this.#bases.hold(from.image, this.#packageOf(id), place),
      );
    const { identity } = await this.#known(id);
    const retrieved = await this.#retrievedBy(id);
    const node = await this.#withEnvironment(id);
    const { environment } = node;
    const pack = this.#packageOf(id);
    if (environment.state === 'failed') throw new PackageFailure(pack, environment.diagnostics);
    if (environment.state === 'pending')
      throw new Error(`internal error: the environment of ${pack.key} is not known`);
    return { node, package: pack, identity, environment, retrieved, parent, copySources };
  }

  /** A node with the environments of its commands, which can depend on an image built from a Dockerfile. */
  async #withEnvironment(id: number): Promise<ResolvedNode> {
    await this.#known(id);
    const node = this.#index.node(id);
    const { parent, environment } = node;
    if (environment.state !== 'pending') return node;
    if (parent.kind === 'node') {
      const below = await this.#withEnvironment(parent.node);
      if (below.environment.state === 'failed')
        throw new PackageFailure(this.#packageOf(parent.node), below.environment.diagnostics);
    }
    const found =
      parent.kind === 'dockerfile' ? { dockerfileEnvironment: (await this.#dockerfile(id)).config.env } : {};
    this.#index.replace(advanced(this.#index, node, found));
    return this.#index.node(id);
  }

  // ── Images

  /** The image that a node runs on. It is looked up, or built if no other node makes it. */
  async #parentOf(id: number): Promise<string> {
    const { parent } = this.#index.node(id);
    if (parent.kind === 'node') return this.#imageOf(parent.node);
    if (parent.kind === 'dockerfile') return (await this.#dockerfile(id)).reference;
    const { identity } = await this.#known(id);
    if (parent.kind === 'image') return this.#bases.hold(parent.image, this.#packageOf(id), parent.place);
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
    const made = await this.#queue.inSlot(this.#packageOf(id), { priority }, () =>
      engine.importImage(reference, root(), !keepImages),
    );
    return made.reference;
  }

  /** The image built from a node's Dockerfile; built only once. */
  #dockerfile(id: number): Promise<ImageInfo> {
    return this.#dockerfiles.get(id, () =>
      this.#attempt(this.#packageOf(id), async () => {
        const node = await this.#known(id);
        const { parentKey } = node.identity;
        const reference = this.#mustRun(id) ? undefined : await this.#found.fetch(parentKey);
        const { engine } = this.#options;
        const there = reference === undefined ? undefined : await engine.resolve(reference, { pull: false });
        const pack = this.#packageOf(id);
        const image =
          there ??
          (await this.#queue.inSlot(pack, { priority: this.#remaining.run(id) }, () =>
            buildDockerfile(pack, node, imageName(parentKey, this.#options), this.#options),
          ));
        this.#count(id, image.reference);
        return image;
      }),
    );
  }

  /** The reference of a node's image, when it exists. */
  #imageOf(id: number): Promise<string> {
    return this.#images.get(id, async () => {
      const pack = this.#packageOf(id);
      const reference = await this.#attempt(pack, async () => {
        const { passesThrough, identity } = await this.#known(id);
        if (passesThrough) return this.#parentOf(id);
        const { key } = identity;
        const held = this.#mustRun(id) ? undefined : await this.#fetch(id, key);
        if (held !== undefined) return held;
        if ((await this.#waited(id, key)) !== undefined) {
          const arrived = await this.#fetch(id, key);
          if (arrived !== undefined) return arrived;
        }
        if (this.#options.noDependencies && !this.#isAsked(id)) throw missingParent(pack, key, this.#options);
        return this.#startRun(id).image;
      });
      return this.#count(id, reference);
    });
  }

  /** Loads a node's image into the engine. Undefined if the cache does not have it. */
  async #fetch(id: number, key: string): Promise<string | undefined> {
    if ((await this.#found.find(key)) === undefined) return undefined;
    this.#states.set(id, 'fetching');
    const reference = await this.#found.fetch(key);
    if (reference === undefined) return undefined;
    this.#options.onEvent({ type: 'reused', package: this.#packageOf(id).key, reference });
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
    if (id === undefined) return this.#writeEmpty(artifact);
    const { identity, passesThrough } = await this.#known(id);
    if (!this.#mustRun(id)) {
      const unchanged = await this.#findUnchanged(artifact);
      if (unchanged !== undefined) return unchanged;
    }
    if (passesThrough) return this.#cutFrom(artifact, await this.#imageOf(id), this.#addedByParent(id));
    const held = this.#mustRun(id)
      ? undefined
      : ((await this.#found.find(identity.key)) ?? (await this.#waited(id, identity.key)));
    const record = await held?.record();
    // Without a record of what its steps added, packages cannot be cut from an image, so it is made again for
    // all that need it.
    if (held !== undefined && record === undefined) this.#found.lose(identity.key);
    if (record !== undefined) return this.#cutFrom(artifact, await this.#imageOf(id), record);
    const packages = await this.#startRun(id).packages;
    if (packages.length > 0) return packages;
    // The image was lost while a package was cut from it, and was made again for other packages.
    return this.#cutFrom(artifact, await this.#imageOf(id), this.#added.get(id) ?? NOTHING);
  }

  #findUnchanged(artifact: ResolvedArtifact): Promise<readonly BuiltPackage[] | undefined> {
    return this.#unchanged.get(artifact.package, async () => {
      const unchanged = await findUnchanged(this.#index, artifact, this.#options);
      if (unchanged === undefined) await this.#refuseOthers(artifact);
      return unchanged;
    });
  }

  /** Rejects if the file names of an artifact in the destination belong to another package. */
  #refuseOthers(artifact: ResolvedArtifact): Promise<void> {
    return this.#free.get(artifact.package, () => refuseOthers(this.#index, artifact, this.#options));
  }

  /** Writes empty packages, which need no image. */
  async #writeEmpty(artifact: ResolvedArtifact): Promise<readonly BuiltPackage[]> {
    const unchanged = this.#options.rebuild ? undefined : await this.#findUnchanged(artifact);
    return unchanged ?? this.#write(artifact, undefined, { added: [], changed: [] }, 'empty');
  }

  async #write(
    artifact: ResolvedArtifact,
    reader: Reader | undefined,
    { added, changed }: Pick<CutSource, 'added' | 'changed'>,
    outcome: BuiltPackage['outcome'],
  ): Promise<readonly BuiltPackage[]> {
    await this.#refuseOthers(artifact);
    const source = { reader, added, changed, outcome };
    const packages = await writePackages(this.#index, artifact, source, this.#options);
    this.#written.set(artifact.package, packages);
    return packages;
  }

  /** What a package adds that runs nothing itself: the files that its Dockerfile added. */
  #addedByParent(id: number): Added {
    const { parent } = this.#index.node(id);
    if (parent.kind !== 'dockerfile') return NOTHING;
    return async (made) => {
      const { engine, signal } = this.#options;
      const { base } = parent;
      const image =
        base === undefined ? undefined : await this.#bases.hold(base, this.#packageOf(id), undefined);
      const reader = image === undefined ? undefined : await engine.openForReading(image, signal);
      try {
        return await addedByDockerfile(made, reader);
      } finally {
        await reader?.close().catch(() => {});
      }
    };
  }

  /** Cuts packages from an image to which files were added. */
  async #cutFrom(
    artifact: ResolvedArtifact,
    image: string,
    added: Added,
    outcome: BuiltPackage['outcome'] = 'cut',
  ): Promise<readonly BuiltPackage[]> {
    const outputs = knownOutputs(this.#index, artifact);
    if (outputs.every(({ cut }) => cut.kind === 'empty')) return this.#writeEmpty(artifact);
    const { engine, signal, onEvent } = this.#options;
    const priority = artifact.node === undefined ? 0 : this.#remaining.cut(artifact.node);
    return this.#queue.inSlot(this.#index.package(artifact.package), { priority }, async () => {
      onEvent({ type: 'started', package: artifact.package, work: 'cut', parent: image });
      this.#cutting.add(artifact.package);
      let reader: Reader | undefined;
      try {
        reader = await engine.openForReading(image, signal);
        const isDelta = outputs.some(({ cut }) => cut.kind === 'delta');
        const find = typeof added === 'function' ? added : (from: Reader) => filesBelow(from, added.added);
        const { changed } = typeof added === 'function' ? NOTHING : added;
        const files = isDelta ? await find(reader) : [];
        return await this.#write(artifact, reader, { added: files, changed }, outcome);
      } finally {
        this.#cutting.delete(artifact.package);
        await reader?.close().catch(() => {});
      }
    });
  }

  // ── Running

  #startRun(id: number): NodeRun {
    const known = this.#runs.get(id);
    if (known !== undefined) return known;
    const image = Promise.withResolvers<string>();
    let made: MadeImage | undefined;
    const packages = this.#attempt(this.#packageOf(id), () => {
      const artifact = this.#index.artifactOfNode(id);
      // If the image was made but writing failed, only the writing is repeated, from that image.
      if (made !== undefined && made.reference !== '' && artifact !== undefined && this.#added.has(id))
        return this.#cutFrom(artifact, made.reference, made.paths, 'built');
      return this.#oneRun(id, (now) => {
        made = now;
        this.#added.set(id, now.paths);
        image.resolve(now.reference);
      });
    });
    packages.catch((error: unknown) => {
      this.#states.set(id, 'failed');
      image.reject(error);
    });
    // Handle a rejection here: possibly nothing waits for the image.
    image.promise.catch(() => {});
    const run = { image: image.promise, packages };
    this.#runs.set(id, run);
    return run;
  }

  /** The image of a node, where another machine makes it and this one is to wait for that. */
  async #waited(id: number, key: string): Promise<CachedImage | undefined> {
    if (this.#options.waitForOthers !== true || this.#mustRun(id)) return undefined;
    // What is only built on is left to others; what is to be written is built here, unless somebody is at it.
    const isExpected = this.#index.artifactOfNode(id)?.wanted !== true;
    return await this.#found.wait(key, this.#packageOf(id).key, isExpected);
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
        mayReuse: !this.#mustRun(id),
        offer: (image) => this.#found.offer(image),
        onImage,
        ...(toWrite && { write: (from, changes) => this.#write(toWrite, from, changes, 'built') }),
      },
      this.#options,
    );
    if ('packages' in result) return written ?? result.packages;
    const { reference, paths } = result.reused;
    return toWrite === undefined ? (written ?? []) : this.#cutFrom(toWrite, reference, paths);
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
    if (!isWanted || this.#ranBefore.has(id) || this.#cutting.has(artifact.package)) return [];
    // An interrupted run may have written them.
    return (
      this.#written.get(artifact.package) ??
      (this.#mustRun(id) ? undefined : await this.#findUnchanged(artifact))
    );
  }
}

const isFault = (error: unknown): boolean => error instanceof EngineError;

function withKey(node: ResolvedNode): KnownNode {
  const { identity } = node;
  if (identity.state !== 'known') throw new Error(`internal error: the key of ${node.package} is not known`);
  return { ...node, identity };
}

function missingParent(
  pack: ResolvedPackage,
  key: string,
  { imageRepository }: ExecuteOptions,
): PackageFailure {
  const message = `image ${imageRepository}:${key} not found in the engine, and only the requested packages are built`;
  return new PackageFailure(pack, [{ code: 'missing-parent-image', message, place: pack.place }]);
}
