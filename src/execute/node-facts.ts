import { PromiseCache } from '../async/index.ts';
import { EngineError } from '../engine/index.ts';
import {
  advanced,
  type KnownIdentity,
  type PlanIndex,
  type ResolvedNode,
  type ResolvedPackage,
  type Retrieved,
  retrieveFor,
} from '../resolve/index.ts';
import { PackageFailure } from './failure.ts';
import { nodesBelow } from './needs.ts';
import type { ExecuteOptions } from './types.ts';

/** A node whose key is known. */
export type KnownNode = ResolvedNode & { readonly identity: KnownIdentity };

/**
 * What is known of a plan's nodes. Some keys and environments depend on what earlier nodes write: whoever asks sees to it that
 * `prerequisites` are there before.
 */
export class NodeFacts {
  readonly #index: PlanIndex;
  readonly #options: Pick<ExecuteOptions, 'rebuild' | 'destination'>;
  // An engine that failed may answer the next time.
  readonly #retrieved = new PromiseCache<number, readonly Retrieved[]>(
    (error) => error instanceof EngineError,
  );

  constructor(index: PlanIndex, options: Pick<ExecuteOptions, 'rebuild' | 'destination'>) {
    this.#index = index;
    this.#options = options;
  }

  node(id: number): ResolvedNode {
    return this.#index.node(id);
  }

  /** The package of a node. */
  packageOf(id: number): ResolvedPackage {
    return this.#index.package(this.#index.node(id).package);
  }

  /** Whether the node's package was asked for by name. */
  isAsked(id: number): boolean {
    return this.#index.artifactOfNode(id)?.asked ?? false;
  }

  /** Whether a node runs although its image is there. */
  mustRun(id: number): boolean {
    return this.#options.rebuild && this.isAsked(id);
  }

  /** Nodes whose keys must be known before that of a node. Throws a `PackageFailure` where its key cannot be known. */
  keysBefore(id: number): readonly number[] {
    const node = this.#index.node(id);
    const { identity, parent } = node;
    if (identity.state === 'failed' && identity.diagnostics.length > 0)
      throw new PackageFailure(this.packageOf(id), identity.diagnostics, { fault: identity.fault });
    if (identity.state === 'known') return [];
    const parts = parent.kind === 'final' ? parent.parts : [];
    const nodes = parts.map(({ artifact }) => this.#index.artifact(artifact).node);
    return [...nodesBelow(node), ...nodes.filter((one) => one !== undefined)];
  }

  /** Whether a node's key depends on files that its `retrieve` finds. */
  isPending(id: number): boolean {
    return this.#index.node(id).identity.state !== 'known';
  }

  /** Packages, by name, that must be written before a node's `retrieve` looks for its files. */
  writtenBefore(id: number): readonly string[] {
    return this.packageOf(id).retrieve.length === 0 ? [] : this.#index.node(id).retrieveAfter;
  }

  /** The files that a node's `retrieve` names. Rejects with a `PackageFailure` where one is not there. */
  retrieved(id: number): Promise<readonly Retrieved[]> {
    return this.#retrieved.get(id, async () => {
      const pack = this.packageOf(id);
      if (pack.retrieve.length === 0) return [];
      const { files, problems } = await retrieveFor(
        this.#index,
        this.#index.node(id),
        this.#options.destination,
      );
      if (problems.length > 0) throw new PackageFailure(pack, problems);
      return files;
    });
  }

  /** A node with its key, when all that it depends on is there. */
  async known(id: number): Promise<KnownNode> {
    if (this.isPending(id)) {
      const retrieved = await this.retrieved(id);
      this.#index.replace(advanced(this.#index, this.#index.node(id), { retrieved }));
    }
    const node = this.#index.node(id);
    const { identity } = node;
    if (identity.state !== 'known') throw new Error(`the key of ${node.package} is not known`);
    return { ...node, identity };
  }

  /**
   * A node with the environments of its commands. `dockerfile` is the environment of the image that its Dockerfile made.
   * Throws a `PackageFailure` where the environment cannot be made.
   */
  withEnvironment(id: number, dockerfile: readonly string[] | undefined): ResolvedNode {
    const node = this.#index.node(id);
    if (node.environment.state === 'pending') {
      const found = dockerfile === undefined ? {} : { dockerfileEnvironment: dockerfile };
      this.#index.replace(advanced(this.#index, node, found));
    }
    const { environment } = this.#index.node(id);
    if (environment.state === 'failed') throw new PackageFailure(this.packageOf(id), environment.diagnostics);
    return this.#index.node(id);
  }
}
