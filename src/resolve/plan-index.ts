import type { ResolvedArtifact, ResolvedNode, ResolvedPackage, ResolvedPlan } from './types.ts';

/** A resolved plan with its packages and artifacts by key. Nodes may be replaced by ones that are known better. */
export class PlanIndex {
  readonly plan: ResolvedPlan;
  readonly #packages: ReadonlyMap<string, ResolvedPackage>;
  readonly #artifacts: ReadonlyMap<string, ResolvedArtifact>;
  readonly #artifactOfNode: ReadonlyMap<number, ResolvedArtifact>;
  readonly #nodes: ResolvedNode[];

  constructor(plan: ResolvedPlan) {
    this.plan = plan;
    this.#packages = new Map(plan.packages.map((pack) => [pack.key, pack]));
    this.#artifacts = new Map(plan.artifacts.map((artifact) => [artifact.package, artifact]));
    this.#artifactOfNode = new Map(
      plan.artifacts.flatMap((artifact) => (artifact.node === undefined ? [] : [[artifact.node, artifact]])),
    );
    this.#nodes = [...plan.nodes];
  }

  /** The package of a key that the plan names. */
  package(key: string): ResolvedPackage {
    return present(this.#packages.get(key), `package ${key}`);
  }

  /** The artifact of a package, by the package's key. */
  artifact(key: string): ResolvedArtifact {
    return present(this.#artifacts.get(key), `artifact ${key}`);
  }

  /** The artifact of a package, where the plan has one. */
  artifactOf(key: string): ResolvedArtifact | undefined {
    return this.#artifacts.get(key);
  }

  /** The artifact that is cut from a node; undefined where none is. */
  artifactOfNode(id: number): ResolvedArtifact | undefined {
    return this.#artifactOfNode.get(id);
  }

  /** A node, as it is known by now. */
  node(id: number): ResolvedNode {
    return present(this.#nodes[id], `node ${id}`);
  }

  /** Replaces a node by what is known of it now. */
  replace(node: ResolvedNode): void {
    this.#nodes[node.id] = node;
  }
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`the plan names ${what}, which it does not hold`);
  return value;
}
