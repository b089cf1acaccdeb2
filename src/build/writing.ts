import { join } from 'node:path';
import { readPackage, writeArtifact } from '../artifact/index.ts';
import type { FileEntry, Reader } from '../engine/index.ts';
import type { PlanArtifact } from '../plan/index.ts';
import { formatPackage, packageName } from '../spec/index.ts';
import type { Attempts } from './attempts.ts';
import { cut, entriesOf } from './cut.ts';
import type { Facts } from './facts.ts';
import { PackageFailure } from './failure.ts';
import { filesBelow } from './node-run.ts';
import type { Product } from './products.ts';
import type { Remaining } from './remaining.ts';
import type { BuildOptions, BuiltPackage } from './types.ts';
import { findUnchanged } from './unchanged.ts';

/** Writes the packages of a build. */
export class Writing {
  readonly #options: BuildOptions;
  readonly #facts: Facts;
  readonly #attempts: Attempts;
  readonly #remaining: Remaining;
  readonly #found = new Map<PlanArtifact, Promise<readonly BuiltPackage[] | undefined>>();
  /** What was written in this build. */
  readonly #written = new Map<PlanArtifact, readonly BuiltPackage[]>();
  /** Artifacts whose names in the destination were found free, or their own. */
  readonly #checked = new Set<PlanArtifact>();
  /** Numbers of packages that are no more than content of an image. */
  readonly #contents = new Map<PlanArtifact, number>();
  /** What is being cut from an image that was there. */
  readonly #cutting = new Set<PlanArtifact>();

  constructor(options: BuildOptions, facts: Facts, attempts: Attempts, remaining: Remaining) {
    this.#options = options;
    this.#facts = facts;
    this.#attempts = attempts;
    this.#remaining = remaining;
  }

  /** The packages of an artifact, where this build has written them. */
  written(artifact: PlanArtifact): readonly BuiltPackage[] | undefined {
    return this.#written.get(artifact);
  }

  /** Whether packages are being cut from an image that was there. */
  isCutting(artifact: PlanArtifact): boolean {
    return this.#cutting.has(artifact);
  }

  #destination(artifact: PlanArtifact): string {
    if (artifact.wanted) return this.#options.destination;
    // What is only content of an image may have the name of another file.
    const at = this.#contents.get(artifact) ?? this.#contents.size;
    this.#contents.set(artifact, at);
    return join(this.#options.temporary, `content-${at}`);
  }

  /** The packages as they lie in the destination, where they are what would be written; else undefined. */
  unchanged(artifact: PlanArtifact): Promise<readonly BuiltPackage[] | undefined> {
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
      if (known === undefined) {
        await this.#refuseOthers(artifact);
        return undefined;
      }
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

  /** Throws a PackageFailure where files in the destination that would be written belong to another package, once. */
  async #refuseOthers(artifact: PlanArtifact): Promise<void> {
    if (!artifact.wanted || this.#checked.has(artifact)) return;
    const { destination } = this.#options;
    for (const { fingerprint: file, runtime } of await this.#facts.products(artifact)) {
      const other = await readPackage(destination, file);
      if (other === undefined || packageName(other) === packageName(runtime)) continue;
      throw new PackageFailure(artifact.package, [
        {
          code: 'same-file',
          message: `${join(destination, file)} is a file of ${formatPackage(other)}, which this package would replace: clients could not tell them apart`,
          place: artifact.package.definition.place,
          hint: 'Write it to another --destination, or remove the files of the other one',
        },
      ]);
    }
    this.#checked.add(artifact);
  }

  /** Cuts packages from an image; `roots` are the topmost paths that steps added to it. */
  async cutFrom(
    artifact: PlanArtifact,
    image: string,
    roots: readonly string[],
    outcome: BuiltPackage['outcome'] = 'cut',
  ): Promise<readonly BuiltPackage[]> {
    const products = await this.#facts.products(artifact);
    if (products.every((product) => product.cut.kind === 'empty'))
      return this.writeAll(artifact, undefined, [], 'empty');
    const priority = artifact.node === undefined ? 0 : this.#remaining.cut(artifact.node);
    return this.#attempts.inSlot(artifact.package, { priority }, async () => {
      this.#options.onEvent({ type: 'started', package: artifact.package.key, work: 'cut', parent: image });
      this.#cutting.add(artifact);
      let reader: Reader | undefined;
      try {
        reader = await this.#options.engine.openForReading(image, this.#options.signal);
        const added = products.some((product) => product.cut.kind === 'delta')
          ? await filesBelow(reader, roots)
          : [];
        return await this.writeAll(artifact, reader, added, outcome);
      } finally {
        this.#cutting.delete(artifact);
        await reader?.close().catch(() => {});
      }
    });
  }

  /** Writes the packages of an artifact, out of what was added in a workspace; empty ones where that is undefined. */
  async writeAll(
    artifact: PlanArtifact,
    from: Reader | undefined,
    added: readonly FileEntry[],
    outcome: BuiltPackage['outcome'] = 'built',
  ): Promise<readonly BuiltPackage[]> {
    if (from === undefined && !this.#options.rebuild) {
      const unchanged = await this.unchanged(artifact);
      if (unchanged !== undefined) return unchanged;
    }
    await this.#refuseOthers(artifact);
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
}

async function* none(): AsyncGenerator<never, void, undefined> {}
