import { setImmediate } from 'node:timers/promises';
import { mergeArchives, writeArtifact } from '../artifact/index.ts';
import {
  EngineError,
  type FileEntry,
  type ImageInfo,
  type ListedImage,
  type Reader,
} from '../engine/index.ts';
import type { Plan, PlanArtifact, PlanNode } from '../plan/index.ts';
import { fingerprint } from '../spec/index.ts';
import { writeTar } from '../tar/index.ts';
import type { TreePackage } from '../tree/index.ts';
import { Ahead } from './ahead.ts';
import { plainEntries } from './context.ts';
import { cut, entriesOf } from './cut.ts';
import { Facts } from './facts.ts';
import { engineFault, failureOf, PackageFailure, Stopped } from './failure.ts';
import { PackageLog } from './log.ts';
import { ImagesInUse } from './lost.ts';
import { needsOf } from './needs.ts';
import { filesBelow, openNode, type Ran, runNode } from './node-run.ts';
import type { Product } from './products.ts';
import { decodeRecord, labels } from './record.ts';
import { type Remaining, remainingPaths } from './remaining.ts';
import { Recovery } from './retry.ts';
import { type Turn, takeTurn } from './shared.ts';
import { Slots, type Waiting } from './slots.ts';
import type { BuildOptions, BuildResult, BuiltPackage } from './types.ts';
import { findUnchanged } from './unchanged.ts';

/**
 * Carries out a plan: runs what has to run, each package on each parent once, and writes the wanted packages. Resolves
 * also where packages fail; rejects when it is aborted, and for faults that are no package's. The engine stays open.
 */
export function build(plan: Plan, options: BuildOptions): Promise<BuildResult> {
  return new Builder(plan, options).build();
}

/** How many workspaces at most are opened before there is a slot for them. */
const MOST_AHEAD = 2;

/** A run of a node, as those that wait for it see it. */
interface Running {
  /** The image's reference, as soon as it can be built on. */
  readonly image: Promise<string>;
  /** The packages that were cut from it. */
  readonly packages: Promise<readonly BuiltPackage[]>;
}

class Builder {
  readonly #plan: Plan;
  readonly #options: BuildOptions;
  #listing: Promise<Map<string, ListedImage>> | undefined;
  readonly #recovery: Recovery;
  readonly #inUse: ImagesInUse;
  readonly #facts: Facts;
  readonly #remaining: Remaining;
  readonly #slots: Slots;
  /** For packages whose commands have run: they are written while others run, but not any number of them. */
  readonly #finishing: Slots;
  readonly #byNode: ReadonlyMap<PlanNode, PlanArtifact>;
  readonly #images = new Map<PlanNode, Promise<string>>();
  readonly #dockerfiles = new Map<PlanNode, Promise<ImageInfo>>();
  readonly #running = new Map<PlanNode, Running>();
  readonly #found = new Map<PlanArtifact, Promise<readonly BuiltPackage[] | undefined>>();
  readonly #packages = new Map<PlanArtifact, Promise<readonly BuiltPackage[]>>();
  readonly #failed = new Map<string, PackageFailure>();
  /** Runs whose images were lost: what they still do is theirs to finish. */
  readonly #earlier: Running[] = [];
  readonly #ranBefore = new Set<PlanNode>();
  /** The topmost paths that steps added, of nodes that ran and whose images are there. */
  readonly #added = new Map<PlanNode, readonly string[]>();
  /** What was written in this build. */
  readonly #written = new Map<PlanArtifact, readonly BuiltPackage[]>();
  /** What is being cut from an image that was there. */
  readonly #cutting = new Set<PlanArtifact>();
  /** How many slots are taken. */
  #working = 0;

  constructor(plan: Plan, options: BuildOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#recovery = new Recovery(options);
    this.#inUse = new ImagesInUse(options.engine, (reference) => {
      this.#facts.forgetImage(reference);
      const { imageRepository } = options;
      if (reference.startsWith(`${imageRepository}:`))
        this.#listing?.then(
          (held) => held.delete(reference.slice(imageRepository.length + 1)),
          () => {},
        );
    });
    const count = Math.max(1, options.concurrency);
    this.#slots = new Slots(count, Math.min(count, MOST_AHEAD));
    this.#finishing = new Slots(count);
    this.#remaining = remainingPaths(plan, options.durations ?? new Map());
    this.#facts = new Facts(
      plan,
      options,
      async (artifacts) => {
        for (const artifact of artifacts) await this.#packagesOf(artifact);
      },
      (node) => this.#dockerfileImage(node),
    );
    this.#byNode = new Map(
      plan.artifacts.flatMap((artifact) => (artifact.node === undefined ? [] : [[artifact.node, artifact]])),
    );
  }

  async build(): Promise<BuildResult> {
    try {
      return await this.#build();
    } finally {
      await this.#facts.close();
    }
  }

  async #build(): Promise<BuildResult> {
    const { signal, onEvent } = this.#options;
    const wanted = this.#plan.artifacts.filter((artifact) => artifact.wanted);
    onEvent({
      type: 'planned',
      packages: wanted.map((a) => a.package.key),
      asked: this.#plan.artifacts.filter((a) => a.asked).map((a) => a.package.key),
      needs: needsOf(this.#plan),
      concurrency: this.#options.concurrency,
    });
    signal.addEventListener('abort', () => this.#slots.close(signal.reason), { once: true });
    const settled = await Promise.allSettled(
      wanted.map((artifact) =>
        this.#packagesOf(artifact).catch((error: unknown) => Promise.reject(this.#note(error))),
      ),
    );
    // Nothing that was begun for others is left behind.
    const all = [...this.#running.values(), ...this.#earlier];
    await Promise.allSettled(all.flatMap(({ image, packages: cut }) => [image, cut]));
    signal.throwIfAborted();
    const packages: BuiltPackage[] = [];
    const skipped: { package: string; because: string }[] = [];
    for (const [at, outcome] of settled.entries()) {
      if (outcome.status === 'fulfilled') packages.push(...outcome.value);
      else {
        const { reason } = outcome as { reason: unknown };
        const name = wanted[at]?.package.key ?? '';
        if (reason instanceof PackageFailure && reason.package === name) continue;
        if (!(reason instanceof PackageFailure) && !(reason instanceof Stopped)) throw reason;
        const because = reason instanceof Stopped ? reason.because : reason.package;
        if (this.#failed.has(name)) continue;
        skipped.push({ package: name, because });
        onEvent({ type: 'skipped', package: name, because });
      }
    }
    return { packages, failed: [...this.#failed.values()], skipped };
  }

  /** Tells of a failure once, and stops what has not begun where that is wanted. */
  #note(error: unknown): unknown {
    if (error instanceof PackageFailure && !this.#failed.has(error.package)) {
      this.#failed.set(error.package, error);
      const { package: name, diagnostics, fault } = error;
      const because = fault === undefined ? {} : { fault };
      this.#options.onEvent({ type: 'failed', package: name, diagnostics, ...because });
      // What is no package's fault does not keep others from being finished, as long as there is an engine.
      const goesOn = this.#options.keepGoing || (fault !== undefined && fault !== 'gone');
      if (!goesOn) this.#slots.close(new Stopped(name));
    }
    return error;
  }

  /** Work for a package, whose failures are the package's; done again where the engine failed it and that can help. */
  async #for<T>(pack: TreePackage, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const { signal } = this.#options;
        signal.throwIfAborted();
        const again = await this.#recovers(error, pack).catch(() => false);
        signal.throwIfAborted();
        if (!again) throw this.#note(await failureOf(error, pack, this.#options));
      }
    }
  }

  async #recovers(error: unknown, pack: TreePackage): Promise<boolean> {
    const fault = engineFault(error);
    if (fault === undefined) return false;
    if (fault.image !== undefined) await this.#inUse.missed(fault.image);
    return await this.#recovery.after(fault, pack.key, this.#working > 0);
  }

  /** Makes a node's image anew when it is needed after it was lost. */
  #forget(node: PlanNode): void {
    this.#images.delete(node);
    this.#added.delete(node);
    const running = this.#running.get(node);
    if (running === undefined) return;
    this.#running.delete(node);
    this.#earlier.push(running);
    this.#ranBefore.add(node);
  }

  /** The same, when a slot is free; a failure is known before the slot is given to others. */
  #inSlot<T>(pack: TreePackage, waiting: Waiting, work: () => Promise<T>): Promise<T> {
    if (this.#slots.full) this.#options.onEvent({ type: 'queued', package: pack.key });
    return this.#slots.run(async () => {
      this.#working++;
      try {
        return await work();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        // What may be done again is told of when it is not.
        if (engineFault(error) !== undefined) throw error;
        throw this.#note(await failureOf(error, pack, this.#options));
      } finally {
        this.#working--;
      }
    }, waiting);
  }

  /** The images under the repository, asked for once, and not at all where all packages are unchanged. */
  #held(): Promise<Map<string, ListedImage>> {
    const { engine, imageRepository } = this.#options;
    this.#listing ??= engine.list(imageRepository).then(
      (held) => new Map(held),
      (error: unknown) => {
        this.#listing = undefined;
        throw error;
      },
    );
    return this.#listing;
  }

  #asked(node: PlanNode): boolean {
    return this.#byNode.get(node)?.asked ?? false;
  }

  #mustRun(node: PlanNode): boolean {
    return this.#options.rebuild && this.#asked(node);
  }

  /** Where the image of a node can be found once it is there. */
  #imageOf(node: PlanNode): Promise<string> {
    const known = this.#images.get(node);
    if (known !== undefined) return known;
    const image = this.#for(node.package, async () => {
      if (await this.#facts.passesThrough(node)) return this.#parentImage(node);
      const key = await this.#facts.key(node);
      if ((await this.#held()).has(key) && !this.#mustRun(node)) {
        const reference = `${this.#options.imageRepository}:${key}`;
        this.#options.onEvent({ type: 'reused', package: node.package.key, reference });
        return reference;
      }
      if (this.#options.noDependencies && !this.#asked(node)) {
        throw new PackageFailure(node.package, [
          {
            code: 'missing-parent-image',
            message: `its image ${this.#options.imageRepository}:${key} is not in the engine, and only the asked packages are built`,
            place: node.package.definition.place,
          },
        ]);
      }
      return this.#run(node).image;
    });
    this.#images.set(node, image);
    this.#inUse.watch(image, () => this.#forget(node));
    return image;
  }

  async #parentImage(node: PlanNode): Promise<string> {
    const { parent, package: pack } = node;
    if (parent.kind === 'node') return this.#imageOf(parent.node);
    if (parent.kind === 'image') return await this.#facts.held(parent.reference, pack, this.#options);
    if (parent.kind === 'dockerfile') return (await this.#dockerfileImage(node)).reference;
    const key = await this.#facts.parentKey(parent, pack);
    const { engine, imageRepository, keepImages } = this.#options;
    if ((await this.#held()).has(key)) return `${imageRepository}:${key}`;
    const archives: string[] = [];
    for (const { name, artifact } of parent.parts) {
      const part = (await this.#packagesOf(artifact)).find((one) => one.package === name);
      if (part !== undefined) archives.push(part.archive);
    }
    const reference = this.#reference(key);
    return this.#inSlot(
      pack,
      { priority: this.#remaining.run(node) },
      async () =>
        (await engine.importImage(reference, writeTar(mergeArchives(archives)), {}, !keepImages)).reference,
    );
  }

  /** The image that a node's Dockerfile makes, made once. */
  #dockerfileImage(node: PlanNode): Promise<ImageInfo> {
    const known = this.#dockerfiles.get(node);
    if (known !== undefined) return known;
    const image = this.#for(node.package, async () => {
      const { engine, imageRepository, keepImages, network, onEvent, signal, logs } = this.#options;
      const { package: pack, parent } = node;
      const key = await this.#facts.parentKey(parent, pack);
      const held =
        (await this.#held()).has(key) && !this.#mustRun(node)
          ? await engine.resolve(`${imageRepository}:${key}`, { pull: false })
          : undefined;
      if (held !== undefined) return held;
      return this.#inSlot(pack, { priority: this.#remaining.run(node) }, async () => {
        const log = new PackageLog(logs, fingerprint(pack.definition));
        onEvent({ type: 'started', package: pack.key, work: 'run', parent: 'its Dockerfile', log: log.path });
        try {
          const { files } = await this.#facts.context(node);
          return await engine.buildImage(this.#reference(key), plainEntries(files), {
            labels: { [labels.package]: pack.key },
            temporary: !keepImages,
            network,
            signal,
            onOutput: (stream, chunk) => {
              log.output(chunk);
              onEvent({ type: 'output', package: pack.key, stream, chunk });
            },
          });
        } catch (error) {
          // What failed the engine is no fault of the Dockerfile's.
          if (!(error instanceof EngineError) || error.kind !== 'other') throw error;
          signal.throwIfAborted();
          const notes = [
            {
              message: `the end of its output:\n${log
                .tail()
                .map((line) => `    ${line}`)
                .join('\n')}`,
            },
          ];
          throw new PackageFailure(
            pack,
            [
              {
                code: 'dockerfile-failed',
                message: `its Dockerfile failed: ${error.message}`,
                place: pack.definition.place,
                notes,
                hint: log.hint,
              },
            ],
            { cause: error },
          );
        } finally {
          log.close();
        }
      });
    });
    this.#dockerfiles.set(node, image);
    this.#inUse.watch(
      image.then(({ reference }) => reference),
      () => this.#dockerfiles.delete(node),
    );
    return image;
  }

  /** Under what name an image of this build is made: by its key where it is kept, by this run's where not. */
  #reference(key: string): string {
    const { imageRepository, keepImages, runId } = this.#options;
    return `${imageRepository}:${keepImages ? key : `tmp-${runId}-${key.slice(0, 16)}`}`;
  }

  /** The written packages of an artifact: itself first, then its subpackages. */
  #packagesOf(artifact: PlanArtifact): Promise<readonly BuiltPackage[]> {
    const known = this.#packages.get(artifact);
    if (known !== undefined) return known;
    const packages = this.#make(artifact);
    this.#packages.set(artifact, packages);
    return packages;
  }

  async #make(artifact: PlanArtifact): Promise<readonly BuiltPackage[]> {
    const { node } = artifact;
    return this.#for(artifact.package, async () => {
      if (node === undefined) return this.#writeAll(artifact, undefined, [], 'empty');
      if (!this.#mustRun(node)) {
        const unchanged = await this.#unchanged(artifact);
        if (unchanged !== undefined) return unchanged;
      }
      if (await this.#facts.passesThrough(node))
        return this.#cutFrom(artifact, await this.#imageOf(node), []);
      const image = (await this.#held()).get(await this.#facts.key(node));
      const record = decodeRecord(image?.labels[labels.record]);
      if (record !== undefined && !this.#mustRun(node))
        return this.#cutFrom(artifact, await this.#imageOf(node), record.added);
      const packages = await this.#run(node).packages;
      if (packages.length > 0) return packages;
      // Its image was lost while it was cut, and made anew for others meanwhile.
      return this.#cutFrom(artifact, await this.#imageOf(node), this.#added.get(node) ?? []);
    });
  }

  #destination(artifact: PlanArtifact): string {
    return artifact.wanted ? this.#options.destination : this.#options.temporary;
  }

  /** The packages as they lie in the destination, where they are what would be written; else undefined. */
  #unchanged(artifact: PlanArtifact): Promise<readonly BuiltPackage[] | undefined> {
    const known = this.#found.get(artifact);
    if (known !== undefined) return known;
    const found = this.#lookForUnchanged(artifact);
    this.#found.set(artifact, found);
    // What the engine failed may go well the next time.
    found.catch(() => this.#found.delete(artifact));
    return found;
  }

  async #lookForUnchanged(artifact: PlanArtifact): Promise<readonly BuiltPackage[] | undefined> {
    const { compression, onEvent, clock } = this.#options;
    const start = clock();
    const packages: BuiltPackage[] = [];
    for (const product of await this.#facts.products(artifact)) {
      const known = await findUnchanged(product, this.#destination(artifact), compression);
      if (known === undefined) return undefined;
      packages.push({
        package: product.name,
        outcome: 'unchanged',
        archive: known.archive,
        files: 0,
        size: known.size,
        milliseconds: clock() - start,
      });
    }
    for (const one of packages) onEvent({ type: 'written', ...one });
    return packages;
  }

  async #cutFrom(
    artifact: PlanArtifact,
    image: string,
    roots: readonly string[],
    outcome: BuiltPackage['outcome'] = 'cut',
  ): Promise<readonly BuiltPackage[]> {
    const products = await this.#facts.products(artifact);
    if (products.every((product) => product.cut.kind === 'empty'))
      return this.#writeAll(artifact, undefined, [], 'empty');
    const priority = artifact.node === undefined ? 0 : this.#remaining.cut(artifact.node);
    return this.#inSlot(artifact.package, { priority }, async () => {
      this.#options.onEvent({ type: 'started', package: artifact.package.key, work: 'cut', parent: image });
      this.#cutting.add(artifact);
      let reader: Reader | undefined;
      try {
        reader = await this.#options.engine.openForReading(image, this.#options.signal);
        const added = products.some((product) => product.cut.kind === 'delta')
          ? await filesBelow(reader, roots)
          : [];
        return await this.#writeAll(artifact, reader, added, outcome);
      } finally {
        this.#cutting.delete(artifact);
        await reader?.close().catch(() => {});
      }
    });
  }

  async #writeAll(
    artifact: PlanArtifact,
    from: Reader | undefined,
    added: readonly FileEntry[],
    outcome: BuiltPackage['outcome'] = 'built',
  ): Promise<readonly BuiltPackage[]> {
    if (from === undefined && !this.#options.rebuild) {
      const unchanged = await this.#unchanged(artifact);
      if (unchanged !== undefined) return unchanged;
    }
    const packages: BuiltPackage[] = [];
    for (const product of await this.#facts.products(artifact))
      packages.push(await this.#write(artifact, product, from, added, outcome));
    this.#written.set(artifact, packages);
    return packages;
  }

  async #write(
    artifact: PlanArtifact,
    product: Product,
    from: Reader | undefined,
    added: readonly FileEntry[],
    outcome: BuiltPackage['outcome'],
  ): Promise<BuiltPackage> {
    const { compression, runId, signal, onEvent, clock } = this.#options;
    const start = clock();
    const chosen = from === undefined ? { files: [], unmatched: [] } : await cut(from, product.cut, added);
    for (const expression of chosen.unmatched)
      onEvent({
        type: 'notice',
        package: product.name,
        message: `no path matches the expression ${expression}`,
      });
    if (product.cut.kind === 'delta' && chosen.files.some(({ path }) => path.startsWith('luetbuild/'))) {
      onEvent({
        type: 'notice',
        package: product.name,
        message: 'it holds what steps left in /luetbuild; exclude ^/luetbuild if that is not meant',
      });
    }
    const written = await writeArtifact({
      destination: this.#destination(artifact),
      fingerprint: product.fingerprint,
      compression,
      entries: from === undefined ? none() : entriesOf(from, chosen.files, product.latest),
      runtime: product.runtime,
      build: product.build,
      record: { key: product.key, artifact: product.hash },
      runId,
      signal,
    });
    const result: BuiltPackage = {
      package: product.name,
      outcome,
      archive: written.archive,
      files: written.files.length,
      size: written.size,
      milliseconds: clock() - start,
    };
    onEvent({ type: 'written', ...result });
    return result;
  }

  #run(node: PlanNode): Running {
    const known = this.#running.get(node);
    if (known !== undefined) return known;
    const image = Promise.withResolvers<string>();
    let made = '';
    const packages = this.#for(node.package, () => {
      const artifact = this.#byNode.get(node);
      const added = this.#added.get(node);
      // What failed behind the making of the image, the packing, goes on from that image.
      if (made !== '' && artifact !== undefined && added !== undefined)
        return this.#cutFrom(artifact, made, added, 'built');
      return this.#life(node, (reference) => {
        made = reference;
        image.resolve(reference);
      });
    });
    // Whoever waits for the image hears of a failure too; who waits for neither must not be surprised by it.
    packages.catch((error: unknown) => image.reject(error));
    image.promise.catch(() => {});
    const running = { image: image.promise, packages };
    this.#running.set(node, running);
    return running;
  }

  /** One package's whole life in the engine: run, make its image where someone needs it, cut its packages. */
  async #life(node: PlanNode, haveImage: (reference: string) => void): Promise<readonly BuiltPackage[]> {
    const { keepImages, onEvent, clock } = this.#options;
    const parent = await this.#parentImage(node);
    const copySources: string[] = [];
    for (const { entry, from } of node.copies) {
      copySources.push(
        from.kind === 'node'
          ? await this.#imageOf(from.node)
          : await this.#facts.held(from.reference, node.package, this.#options, entry.place),
      );
    }
    const reference = this.#reference(await this.#facts.key(node));
    const artifact = this.#byNode.get(node);
    const written = await this.#writtenOf(node, artifact);
    const open = new Ahead(() => openNode(node, parent, copySources, this.#facts, this.#options));
    const waiting = { priority: this.#remaining.run(node), prepare: () => open.begin() };
    let finished: Promise<readonly BuiltPackage[]> | undefined;
    const turns: Turn[] = [];
    try {
      await this.#inSlot(node.package, waiting, async () => {
        const start = clock();
        const turn = await takeTurn(node.package.key, reference, this.#options, !this.#mustRun(node));
        turns.push(turn);
        if (turn.made !== undefined) {
          this.#added.set(node, turn.made.added);
          onEvent({ type: 'reused', package: node.package.key, reference });
          haveImage(reference);
          return;
        }
        const ran = await runNode(node, parent, () => open.take(), this.#facts, this.#options);
        const committing =
          keepImages || node.dependants.size > 0
            ? ran.workspace.commit(reference, ran.labels, !keepImages).then(() => reference)
            : Promise.resolve('');
        const committed = committing.then((made) => {
          const milliseconds = clock() - start;
          const named = made === '' ? {} : { reference: made };
          this.#added.set(node, ran.added);
          onEvent({ type: 'ran', package: node.package.key, ...named, milliseconds });
          haveImage(made);
        });
        committed.catch(() => {});
        const finishing = this.#finish(ran, committed, written === undefined ? artifact : undefined);
        finished = finishing.written;
        // The slot is for others as soon as the image is there, unless too many that had one are not written yet.
        await Promise.race([finishing.begun, finished]);
        await committed;
        turn.end();
        // Those that waited for the image stand in the queue now, before the slot is given to anyone.
        await setImmediate();
      });
      const made = turns.at(-1)?.made;
      if (made !== undefined && artifact !== undefined && written === undefined)
        return await this.#cutFrom(artifact, reference, made.added);
      const fresh = (await finished) ?? [];
      return written ?? fresh;
    } finally {
      await finished?.catch(() => {});
      for (const turn of turns) turn.end();
      await open.discard();
    }
  }

  /** The packages of a node that is about to run, where they are not cut from it: none, or what is there already. */
  async #writtenOf(
    node: PlanNode,
    artifact: PlanArtifact | undefined,
  ): Promise<readonly BuiltPackage[] | undefined> {
    const isWanted = artifact !== undefined && (artifact.wanted || this.#packages.has(artifact));
    if (!isWanted || this.#ranBefore.has(node) || this.#cutting.has(artifact)) return [];
    // A run that was cut short may have come so far.
    return this.#written.get(artifact) ?? (this.#mustRun(node) ? undefined : await this.#unchanged(artifact));
  }

  /**
   * Writes the packages of a node that has run, where there are any to cut, once its image is there; then the workspace goes.
   * `begun` resolves when there is a place for that among the others that are being written.
   */
  #finish(
    ran: Ran,
    committed: Promise<void>,
    artifact: PlanArtifact | undefined,
  ): { readonly begun: Promise<void>; readonly written: Promise<readonly BuiltPackage[]> } {
    const begun = Promise.withResolvers<void>();
    const written = this.#finishing.run(async () => {
      begun.resolve();
      try {
        // The engine itself leaves traces in a container while it reads from one, which an image must not hold.
        if (ran.workspace.source !== 'upper') await committed;
        const writing =
          artifact === undefined
            ? Promise.resolve([])
            : this.#writeAll(artifact, ran.workspace, ran.changes.added);
        // An image that others may stand on is made whole, also where nothing can be cut from it.
        await Promise.allSettled([committed, writing]);
        await committed;
        return await writing;
      } finally {
        // Removed while others go on; the engine's own close waits for it.
        void ran.workspace.close().catch(() => {});
      }
    });
    written.catch(() => {});
    return { begun: begun.promise, written };
  }
}

async function* none(): AsyncGenerator<never, void, undefined> {}
