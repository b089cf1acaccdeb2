import type { StepPaths } from '../cache/index.ts';
import type { BuiltPackage } from './types.ts';

/** A run of a node, as those that wait for it see it. */
export interface NodeRun {
  /** The image's reference, as soon as it can be built on. */
  readonly image: Promise<string>;
  /** The packages that were cut from it. */
  readonly packages: Promise<readonly BuiltPackage[]>;
}

/** The runs of nodes: each node runs once, and again where its image is lost. */
export class NodeRuns {
  readonly #runs = new Map<number, NodeRun>();
  /** Runs whose images were lost: they finish the rest of their work. */
  readonly #earlier: NodeRun[] = [];
  readonly #ranBefore = new Set<number>();
  /** What steps did, of nodes that ran and whose images are there. */
  readonly #paths = new Map<number, StepPaths>();
  /** The nodes that count on an image, by its reference. */
  readonly #users = new Map<string, Set<number>>();

  get(id: number): NodeRun | undefined {
    return this.#runs.get(id);
  }

  add(id: number, run: NodeRun): NodeRun {
    this.#runs.set(id, run);
    return run;
  }

  /** Whether a node ran, and its image was lost. */
  ranBefore(id: number): boolean {
    return this.#ranBefore.has(id);
  }

  /** What the steps of a node did that ran and whose image is there. */
  pathsOf(id: number): StepPaths | undefined {
    return this.#paths.get(id);
  }

  /** Notes that a node's image is there, and what its steps did. */
  made(id: number, paths: StepPaths): void {
    this.#paths.set(id, paths);
  }

  /** Notes that a node counts on an image; answers the reference. */
  count(id: number, reference: string): string {
    const users = this.#users.get(reference) ?? new Set();
    this.#users.set(reference, users.add(id));
    return reference;
  }

  /** Forgets an image that is lost, and the runs that counted on it; the nodes of these. */
  lose(reference: string): readonly number[] {
    const users = [...(this.#users.get(reference) ?? [])];
    this.#users.delete(reference);
    for (const id of users) {
      this.#paths.delete(id);
      const run = this.#runs.get(id);
      if (run === undefined) continue;
      this.#runs.delete(id);
      this.#earlier.push(run);
      this.#ranBefore.add(id);
    }
    return users;
  }

  /** Resolves when all runs have ended, well or not. */
  async settle(): Promise<void> {
    const all = [...this.#runs.values(), ...this.#earlier];
    await Promise.allSettled(all.flatMap(({ image, packages }) => [image, packages]));
  }
}
