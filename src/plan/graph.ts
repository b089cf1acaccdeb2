import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import type { Tree, TreePackage } from '../tree/index.ts';
import { type Chain, Chains } from './chain.ts';
import type { Parent, Plan, PlanArtifact, PlanCopy, PlanNode, PlanOptions } from './types.ts';

interface OpenNode extends PlanNode {
  readonly dependants: Set<PlanNode>;
}

/**
 * Plans the build of packages: one solution for each, all in one graph in which what they share occurs once.
 * Throws a `DiagnosticError` with everything that stands in the way of any of them.
 */
export function planBuild(tree: Tree, targets: readonly TreePackage[], options: PlanOptions = {}): Plan {
  const planner = new Planner(tree);
  const problems: Diagnostic[] = [];
  for (const target of targets) {
    try {
      planner.ask(target, options);
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      if (options.onProblem === undefined) problems.push(...error.diagnostics);
      else options.onProblem(error);
    }
  }
  if (problems.length > 0) throw new DiagnosticError(problems);
  if (options.leavesOnly) planner.askForLeaves();
  return planner.plan();
}

class Planner {
  readonly #chains: Chains;
  readonly #nodes = new Map<string, OpenNode>();
  readonly #artifacts = new Map<string, PlanArtifact>();
  /** Packages whose own chain is being laid out now, to find packages that are built on themselves. */
  readonly #open = new Set<string>();

  constructor(tree: Tree) {
    this.#chains = new Chains(tree);
  }

  ask(target: TreePackage, { onlyTargets = false, onlyDependencies = false }: PlanOptions): void {
    const own = this.#artifact(target);
    own.asked = true;
    if (!onlyDependencies) own.wanted = true;
    if (onlyTargets) return;
    for (const artifact of this.#below(own)) if (artifact !== own) artifact.wanted = true;
  }

  /** Takes back the asking for what another artifact needs; it stays wanted. */
  askForLeaves(): void {
    const needed = new Set(
      [...this.#artifacts.values()].flatMap(({ package: own, closure }) =>
        closure.filter((member) => member !== own),
      ),
    );
    for (const artifact of this.#artifacts.values()) if (needed.has(artifact.package)) artifact.asked = false;
  }

  plan(): Plan {
    const artifacts = [...this.#artifacts.values()];
    return { artifacts, nodes: [...this.#nodes.values()] };
  }

  /** The packages of a closure, and of the closures of what it copies from and stands on. */
  #below(artifact: PlanArtifact, seen = new Set<PlanArtifact>()): Set<PlanArtifact> {
    if (seen.has(artifact)) return seen;
    seen.add(artifact);
    for (const member of artifact.closure) this.#below(this.#artifact(member), seen);
    const { node } = artifact;
    if (node?.parent.kind === 'final') for (const part of node.parent.artifacts) this.#below(part, seen);
    for (const { from } of node?.copies ?? [])
      if (from.kind === 'node') this.#below(this.#artifact(from.node.package), seen);
    return seen;
  }

  #artifact(pack: TreePackage): PlanArtifact {
    const known = this.#artifacts.get(pack.key);
    if (known !== undefined) return known;
    if (this.#open.has(pack.key))
      throw problem(
        pack,
        'cycle',
        `${pack.key} is copied from, or squashed into, what it is built on: a cycle of ${[...this.#open].join(', ')}`,
      );
    this.#open.add(pack.key);
    try {
      const chain = this.#chains.of(pack);
      const node = this.#ownNode(pack, chain);
      const artifact: PlanArtifact = {
        package: pack,
        closure: chain.packages,
        asked: false,
        wanted: false,
        ...(node === undefined ? {} : { node }),
      };
      this.#artifacts.set(pack.key, artifact);
      return artifact;
    } finally {
      this.#open.delete(pack.key);
    }
  }

  /** The package at the end of its own chain; undefined where nothing in the chain has an image. */
  #ownNode(pack: TreePackage, chain: Chain): PlanNode | undefined {
    let below: PlanNode | undefined;
    for (const member of chain.packages) {
      const parent = this.#parent(member, below, chain);
      if (parent !== undefined) below = this.#node(member, parent, chain);
      else if (
        member.build !== undefined &&
        (member.build.steps.length > 0 || member.build.unpack || member.build.packageDir !== undefined)
      ) {
        throw problem(
          member,
          'no-image',
          `${member.key} has steps but no image to run them in: nothing that it requires has one`,
        );
      }
    }
    return below?.package === pack ? below : undefined;
  }

  #parent(pack: TreePackage, below: PlanNode | undefined, chain: Chain): Parent | undefined {
    const { build } = pack;
    if (build?.image !== undefined) return { kind: 'image', reference: build.image.value };
    if (build?.requiresFinalImages) return { kind: 'final', artifacts: this.#finalParts(pack, chain) };
    // A package that needs nothing has no part in a chain, whatever comes before it there.
    if (build === undefined || build.requires.length === 0 || below === undefined) return undefined;
    return { kind: 'node', node: below };
  }

  #finalParts(pack: TreePackage, chain: Chain): PlanArtifact[] {
    const direct = chain.edges
      .filter(({ from, to }) => from?.id === pack.key && to !== from)
      .map(({ to }) => to.id);
    const required = chain.packages.filter(({ key }) => direct.includes(key));
    const all = this.#chains.runtime(required, pack.key);
    return all.packages.map((part) => {
      if (part.build === undefined && part.buildFile === undefined) {
        throw problem(
          pack,
          'not-buildable',
          `${pack.key} stands on the content of ${part.key}, which has no build.yaml`,
        );
      }
      return this.#artifact(part);
    });
  }

  #node(pack: TreePackage, parent: Parent, chain: Chain): PlanNode {
    const copies = (pack.build?.copy ?? []).map((entry): PlanCopy => {
      if (entry.package === undefined)
        return { entry, from: { kind: 'image', reference: entry.image ?? '' } };
      const source = this.#chains.satisfier(entry.package, pack.key);
      const { node } = this.#artifact(source);
      if (node === undefined)
        throw problem(pack, 'no-image', `${source.key}, which ${pack.key} copies from, has no image`);
      return { entry, from: { kind: 'node', node } };
    });
    const id = `${pack.key} on ${parent.kind === 'node' ? parent.node.id : parent.kind === 'image' ? parent.reference : 'final'}`;
    const known = this.#nodes.get(id);
    if (known !== undefined) return known;
    const at = chain.packages.indexOf(pack);
    const before = (pack.build?.retrieve.length ?? 0) > 0 ? chain.packages.slice(0, at) : [];
    const node: OpenNode = {
      id: this.#nodes.size,
      package: pack,
      parent,
      copies,
      retrieveAfter: before.map((member) => this.#artifact(member)),
      dependants: new Set(),
    };
    this.#nodes.set(id, node);
    const needs = [
      ...(parent.kind === 'node' ? [parent.node] : []),
      ...copies.flatMap(({ from }) => (from.kind === 'node' ? [from.node] : [])),
    ];
    for (const needed of needs) (needed as OpenNode).dependants.add(node);
    return node;
  }
}

function problem(pack: TreePackage, code: string, message: string): DiagnosticError {
  const place = pack.build?.place ?? pack.definition.place;
  return new DiagnosticError([{ code, severity: 'error', message, place, package: pack.key }]);
}
