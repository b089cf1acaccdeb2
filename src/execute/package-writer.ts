import { PromiseCache } from '../async/index.ts';
import type { StepPaths } from '../cache/index.ts';
import type { Reader } from '../engine/index.ts';
import type { PlanIndex, ResolvedArtifact } from '../resolve/index.ts';
import type { FileEntry } from '../tar/index.ts';
import type { NodeStates } from './node-states.ts';
import { type CutSource, findUnchanged, knownOutputs, refuseOthers, writePackages } from './packages.ts';
import type { RemainingPaths } from './remaining.ts';
import { filesBelow } from './run-node.ts';
import type { BuiltPackage, ExecuteOptions } from './types.ts';
import type { WorkQueue } from './work-queue.ts';

/** What was done to an image: the topmost paths that were added, or a function that finds the files that were. */
export type Added = StepPaths | ((image: Reader) => Promise<readonly FileEntry[]>);

/** What is done where nothing runs. */
export const NOTHING: StepPaths = { added: [], changed: [] };

/** What a `PackageWriter` works with. */
export interface PackageWriterOptions {
  readonly index: PlanIndex;
  readonly queue: WorkQueue;
  readonly states: NodeStates;
  readonly remaining: RemainingPaths;
}

/** Writes the packages of artifacts, from images or from the workspaces of runs. One for a build. */
export class PackageWriter {
  readonly #with: PackageWriterOptions;
  readonly #options: ExecuteOptions;
  readonly #unchanged = new PromiseCache<string, readonly BuiltPackage[] | undefined>(() => true);
  readonly #free = new PromiseCache<string, void>(() => true);
  readonly #written = new Map<string, readonly BuiltPackage[]>();
  /** Artifacts that are being cut from an image. */
  readonly #cutting = new Set<string>();

  constructor(given: PackageWriterOptions, options: ExecuteOptions) {
    this.#with = given;
    this.#options = options;
  }

  /** The packages of an artifact that this build has written. */
  writtenNow(artifact: ResolvedArtifact): readonly BuiltPackage[] | undefined {
    return this.#written.get(artifact.package);
  }

  /** Whether an artifact is being cut from an image that was there. */
  isCutting(artifact: ResolvedArtifact): boolean {
    return this.#cutting.has(artifact.package);
  }

  /**
   * The packages of an artifact where the destination has them as they would be written. Rejects where their names in the
   * destination are another package's.
   */
  findUnchanged(artifact: ResolvedArtifact): Promise<readonly BuiltPackage[] | undefined> {
    return this.#unchanged.get(artifact.package, async () => {
      const unchanged = await findUnchanged(this.#with.index, artifact, this.#options);
      if (unchanged === undefined) await this.#refuseOthers(artifact);
      return unchanged;
    });
  }

  #refuseOthers(artifact: ResolvedArtifact): Promise<void> {
    return this.#free.get(artifact.package, () => refuseOthers(this.#with.index, artifact, this.#options));
  }

  /** Writes packages that hold nothing, for which no image is needed. */
  async writeEmpty(artifact: ResolvedArtifact): Promise<readonly BuiltPackage[]> {
    const unchanged = this.#options.rebuild ? undefined : await this.findUnchanged(artifact);
    return unchanged ?? this.write(artifact, undefined, { added: [], changed: [] }, 'empty');
  }

  /** Cuts and writes the packages of an artifact. */
  async write(
    artifact: ResolvedArtifact,
    reader: Reader | undefined,
    { added, changed }: Pick<CutSource, 'added' | 'changed'>,
    outcome: BuiltPackage['outcome'],
  ): Promise<readonly BuiltPackage[]> {
    await this.#refuseOthers(artifact);
    const source = { reader, added, changed, outcome };
    const packages = await writePackages(this.#with.index, artifact, source, this.#options);
    this.#written.set(artifact.package, packages);
    return packages;
  }

  /** Cuts the packages of an artifact from an image, to which something was added, when a slot is free. */
  async cutFrom(
    artifact: ResolvedArtifact,
    image: string,
    added: Added,
    outcome: BuiltPackage['outcome'] = 'cut',
  ): Promise<readonly BuiltPackage[]> {
    const { index, queue, states, remaining } = this.#with;
    const outputs = knownOutputs(index, artifact);
    if (outputs.every(({ cut }) => cut.kind === 'empty')) return this.writeEmpty(artifact);
    const { engine, signal, onEvent } = this.#options;
    const priority = artifact.node === undefined ? 0 : remaining.cut(artifact.node);
    return queue.inSlot(index.package(artifact.package), { priority }, async () => {
      onEvent({ type: 'started', package: artifact.package, work: 'cut', parent: image });
      states.packs(artifact.node, true);
      this.#cutting.add(artifact.package);
      let reader: Reader | undefined;
      try {
        reader = await engine.openForReading(image, signal);
        const isDelta = outputs.some(({ cut }) => cut.kind === 'delta');
        const find = typeof added === 'function' ? added : (from: Reader) => filesBelow(from, added.added);
        const { changed } = typeof added === 'function' ? NOTHING : added;
        const files = isDelta ? await find(reader) : [];
        const packages = await this.write(artifact, reader, { added: files, changed }, outcome);
        states.packs(artifact.node, false);
        return packages;
      } finally {
        this.#cutting.delete(artifact.package);
        await reader?.close().catch(() => {});
      }
    });
  }
}
