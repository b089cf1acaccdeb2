import { setImmediate } from 'node:timers/promises';
import type { Plan, PlanArtifact, PlanNode } from '../plan/index.ts';
import { Ahead } from './ahead.ts';
import { Attempts } from './attempts.ts';
import { Facts } from './facts.ts';
import { PackageFailure } from './failure.ts';
import { finish } from './finish.ts';
import { HeldImages, referenceOf } from './held.ts';
import { checkLimits } from './limits.ts';
import { ImagesInUse } from './lost.ts';
import { needsOf } from './needs.ts';
import { openNode, runNode } from './node-run.ts';
import { ParentImages } from './parent-images.ts';
import { decodeRecord, labels } from './record.ts';
import { type Remaining, remainingPaths } from './remaining.ts';
import { resultOf } from './result.ts';
import { type Turn, takeTurn } from './shared.ts';
import { Slots } from './slots.ts';
import type { BuildOptions, BuildResult, BuiltPackage } from './types.ts';
import { Writing } from './writing.ts';

/**
 * Carries out a plan: runs what has to run, each package on each parent once, and writes the wanted packages. Resolves
 * also where packages fail; rejects when it is aborted, and for faults that are no package's. The engine stays open.
 */
export function build(plan: Plan, options: BuildOptions): Promise<BuildResult> {
  return new Builder(plan, options).build();
}

/** How many workspaces at most are opened before there is a slot for them. */
const MOST_AHEAD = 1;

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
  readonly #held: HeldImages;
  readonly #inUse: ImagesInUse;
  readonly #facts: Facts;
  readonly #remaining: Remaining;
  readonly #slots: Slots;
  readonly #attempts: Attempts;
  readonly #writing: Writing;
  readonly #parents: ParentImages;
  /** For packages whose commands have run: they are written while others run, but not any number of them. */
  readonly #finishing: Slots;
  readonly #byNode: ReadonlyMap<PlanNode, PlanArtifact>;
  readonly #images = new Map<PlanNode, Promise<string>>();
  readonly #running = new Map<PlanNode, Running>();
  readonly #packages = new Map<PlanArtifact, Promise<readonly BuiltPackage[]>>();
  /** Runs whose images were lost: what they still do is theirs to finish. */
  readonly #earlier: Running[] = [];
  readonly #ranBefore = new Set<PlanNode>();
  /** The topmost paths that steps added, of nodes that ran and whose images are there. */
  readonly #added = new Map<PlanNode, readonly string[]>();

  constructor(plan: Plan, options: BuildOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#held = new HeldImages(options.engine, options.imageRepository, plan.nodes.length);
    this.#inUse = new ImagesInUse(options.engine, (reference) => {
      this.#facts.forgetImage(reference);
      this.#held.forget(reference);
    });
    const count = Math.max(1, options.concurrency);
    this.#slots = new Slots(count, Math.min(count, MOST_AHEAD));
    this.#finishing = new Slots(count);
    this.#attempts = new Attempts(options, this.#slots, this.#inUse);
    this.#remaining = remainingPaths(plan, options.durations ?? new Map());
    this.#facts = new Facts(
      plan,
      options,
      async (artifacts) => {
        for (const artifact of artifacts) await this.#packagesOf(artifact);
      },
      (node) => this.#parents.dockerfile(node),
    );
    this.#writing = new Writing(options, this.#facts, this.#attempts, this.#remaining);
    this.#parents = new ParentImages({
      options,
      facts: this.#facts,
      held: this.#held,
      inUse: this.#inUse,
      attempts: this.#attempts,
      remaining: this.#remaining,
      mustRun: (node) => this.#mustRun(node),
      imageOf: (node) => this.#imageOf(node),
      packagesOf: (artifact) => this.#packagesOf(artifact),
    });
    this.#byNode = new Map(
      plan.artifacts.flatMap((artifact) => (artifact.node === undefined ? [] : [[artifact.node, artifact]])),
    );
  }

  async build(): Promise<BuildResult> {
    try {
      await checkLimits(this.#options);
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
        this.#packagesOf(artifact).catch((error: unknown) => Promise.reject(this.#attempts.note(error))),
      ),
    );
    // Nothing that was begun for others is left behind.
    const all = [...this.#running.values(), ...this.#earlier];
    await Promise.allSettled(all.flatMap(({ image, packages: cut }) => [image, cut]));
    signal.throwIfAborted();
    return resultOf(this.#plan, settled, this.#attempts.failed, onEvent);
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
    const image = this.#attempts.for(node.package, async () => {
      if (await this.#facts.passesThrough(node)) return this.#parents.of(node);
      const key = await this.#facts.key(node);
      if ((await this.#held.get(key)) !== undefined && !this.#mustRun(node)) {
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
    return this.#attempts.for(artifact.package, async () => {
      if (node === undefined) return this.#writing.writeAll(artifact, undefined, [], 'empty');
      if (!this.#mustRun(node)) {
        const unchanged = await this.#writing.unchanged(artifact);
        if (unchanged !== undefined) return unchanged;
      }
      if (await this.#facts.passesThrough(node))
        return this.#writing.cutFrom(artifact, await this.#imageOf(node), []);
      const image = await this.#held.get(await this.#facts.key(node));
      const record = decodeRecord(image?.labels[labels.record]);
      if (record !== undefined && !this.#mustRun(node))
        return this.#writing.cutFrom(artifact, await this.#imageOf(node), record.added);
      const packages = await this.#run(node).packages;
      if (packages.length > 0) return packages;
      // Its image was lost while it was cut, and made anew for others meanwhile.
      return this.#writing.cutFrom(artifact, await this.#imageOf(node), this.#added.get(node) ?? []);
    });
  }

  #run(node: PlanNode): Running {
    const known = this.#running.get(node);
    if (known !== undefined) return known;
    const image = Promise.withResolvers<string>();
    let made = '';
    const packages = this.#attempts.for(node.package, () => {
      const artifact = this.#byNode.get(node);
      const added = this.#added.get(node);
      // What failed behind the making of the image, the packing, goes on from that image.
      if (made !== '' && artifact !== undefined && added !== undefined)
        return this.#writing.cutFrom(artifact, made, added, 'built');
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
    const parent = await this.#parents.of(node);
    const copySources: string[] = [];
    for (const { entry, from } of node.copies) {
      copySources.push(
        from.kind === 'node'
          ? await this.#imageOf(from.node)
          : await this.#facts.held(from.reference, node.package, this.#options, entry.place),
      );
    }
    const reference = referenceOf(await this.#facts.key(node), this.#options);
    const artifact = this.#byNode.get(node);
    const written = await this.#writtenOf(node, artifact);
    const open = new Ahead(() => openNode(node, parent, copySources, this.#facts, this.#options));
    const waiting = { priority: this.#remaining.run(node), prepare: () => open.begin() };
    let finished: Promise<readonly BuiltPackage[]> | undefined;
    const turns: Turn[] = [];
    try {
      await this.#attempts.inSlot(node.package, waiting, async () => {
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
        const finishing = finish(
          ran,
          committed,
          this.#finishing,
          artifact === undefined || written !== undefined
            ? undefined
            : () => this.#writing.writeAll(artifact, ran.workspace, ran.changes.added),
        );
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
        return await this.#writing.cutFrom(artifact, reference, made.added);
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
    if (!isWanted || this.#ranBefore.has(node) || this.#writing.isCutting(artifact)) return [];
    // A run that was cut short may have come so far.
    return (
      this.#writing.written(artifact) ??
      (this.#mustRun(node) ? undefined : await this.#writing.unchanged(artifact))
    );
  }
}
