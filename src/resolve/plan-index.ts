import type { ResolvedArtifact, ResolvedNode, ResolvedPackage, ResolvedPlan } from './types.ts';

/** A resolved plan with lookup by key. Nodes can be replaced when more is known about them. */
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

  /** The package with this key. */
  package(key: string): ResolvedPackage {
    return present(this.#packages.get(key), `package ${key}`);
  }

  /** The artifact of a package, by the package's key. */
  artifact(key: string): ResolvedArtifact {
    return present(this.#artifacts.get(key), `artifact ${key}`);
  }

  /** The artifact of a package, or undefined if the plan has none. */
  artifactOf(key: string): ResolvedArtifact | undefined {
    return this.#artifacts.get(key);
  }

  /** The artifact that is cut from a node, or undefined if there is none. */
  artifactOfNode(id: number): ResolvedArtifact | undefined {
    return this.#artifactOfNode.get(id);
  }

  /** A node with its current information. */
  node(id: number): ResolvedNode {
    return present(this.#nodes[id], `node ${id}`);
  }

  /** Replaces a node by an updated one. */
  replace(node: ResolvedNode): void {
    this.#nodes[node.id] = node;
  }
}

function present<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} not found in the plan`);
  return value;
}
