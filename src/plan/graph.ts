import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import type { CopyEntry } from '../spec/index.ts';
import { isBuildable, type Tree, type TreePackage } from '../tree/index.ts';
import { type Chain, Chains } from './chain.ts';
import { chainWarnings } from './image-chain.ts';
import { imageNameProblems } from './local-image.ts';
import { sameFiles } from './same-files.ts';
import type { Parent, Plan, PlanArtifact, PlanCopy, PlanNode, PlanOptions, PlanPart } from './types.ts';

interface OpenNode extends PlanNode {
  readonly dependants: Set<PlanNode>;
}

/**
 * Plans the build of packages: each package gets its own solution, and equal nodes are shared in one graph.
 * Throws a `DiagnosticError` with all problems of all packages.
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
  leaveOutSameFiles(planner.written(), options);
  return planner.plan();
}

/** Leaves out packages with the same file names, because one would overwrite the other. */
function leaveOutSameFiles(written: readonly PlanArtifact[], { onProblem }: PlanOptions): void {
  const found = sameFiles(written.map((artifact) => artifact.package));
  if (found.length === 0) return;
  const error = new DiagnosticError(found.map(({ problem }) => problem));
  if (onProblem === undefined) throw error;
  onProblem(error);
  const taking = new Set(found.flatMap(({ packages }) => packages));
  for (const artifact of written)
    if (taking.has(artifact.package)) Object.assign(artifact, { wanted: false, asked: false });
}

class Planner {
  readonly #tree: Tree;
  readonly #chains: Chains;
  readonly #nodes: OpenNode[] = [];
  /** Nodes by parent: another node, the reference of an image, or undefined for the contents of packages. */
  readonly #byParent = new Map<PlanNode | string, Map<TreePackage, OpenNode>>();
  readonly #artifacts = new Map<string, PlanArtifact>();
  /** Artifacts whose requirements are already marked as wanted. */
  readonly #expanded = new Set<PlanArtifact>();
  /** Packages whose chain is being planned, to detect packages that are built on themselves. */
  readonly #open = new Set<string>();

  constructor(tree: Tree) {
    this.#tree = tree;
    this.#chains = new Chains(tree);
  }

  ask(target: TreePackage, { onlyTargets = false, onlyDependencies = false }: PlanOptions): void {
    const own = this.#artifact(target);
    own.asked = true;
    if (!onlyDependencies) own.wanted = true;
    if (!onlyTargets) this.#wantBelow(own);
  }

  /** Clears the asked mark of artifacts that other artifacts need; they stay wanted. */
  askForLeaves(): void {
    const needed = new Set([...this.#artifacts.values()].flatMap((one) => [...this.#directlyBelow(one)]));
    for (const artifact of this.#artifacts.values()) if (needed.has(artifact)) artifact.asked = false;
  }

  /** The artifacts that are written, so far. */
  written(): readonly PlanArtifact[] {
    return [...this.#artifacts.values()].filter(({ wanted }) => wanted);
  }

  plan(): Plan {
    const ordered = new Set<PlanArtifact>();
    const seen = new Set<PlanArtifact>();
    const add = (artifact: PlanArtifact | undefined): void => {
      if (artifact === undefined || seen.has(artifact)) return;
      seen.add(artifact);
      const { closure, node } = artifact;
      for (const { key } of closure) add(this.#artifacts.get(key));
      if (node?.parent.kind === 'final') for (const { artifact } of node.parent.parts) add(artifact);
      for (const { from } of node?.copies ?? [])
        if (from.kind === 'node') add(this.#artifacts.get(from.node.package.key));
      ordered.add(artifact);
    };
    for (const artifact of this.#artifacts.values()) add(artifact);
    const warnings = [...ordered].flatMap(({ package: pack }) =>
      chainWarnings(this.#tree, pack, this.#chains.of(pack)),
    );
    return { artifacts: [...ordered], nodes: this.#neededNodes(), warnings };
  }

  /**
   * The nodes needed to write the wanted artifacts. The node of an artifact that is only asked for may not be
   * among them.
   */
  #neededNodes(): readonly PlanNode[] {
    const artifacts = new Set(this.written());
    const needed = new Set<PlanNode>();
    for (const { node: own } of artifacts) {
      const nodes = new Set(own === undefined ? [] : [own]);
      for (const node of nodes) {
        if (needed.has(node)) continue;
        needed.add(node);
        const { parent, copies, retrieveAfter } = node;
        if (parent.kind === 'node') nodes.add(parent.node);
        if (parent.kind === 'final') for (const { artifact } of parent.parts) artifacts.add(artifact);
        for (const { from } of copies) if (from.kind === 'node') nodes.add(from.node);
        for (const artifact of retrieveAfter) artifacts.add(artifact);
      }
    }
    for (const node of this.#nodes)
      for (const dependant of node.dependants) if (!needed.has(dependant)) node.dependants.delete(dependant);
    return this.#nodes.filter((node) => needed.has(node));
  }

  /**
   * Marks everything that an artifact needs as wanted: its closure, the closures of packages that it copies
   * from or whose contents it is built on, and so on.
   */
  #wantBelow(top: PlanArtifact): void {
    const seen = new Set([top]);
    for (const artifact of seen) {
      for (const below of this.#directlyBelow(artifact)) {
        if (below !== top) below.wanted = true;
        if (!this.#expanded.has(below)) seen.add(below);
      }
    }
    // Only after success: an artifact that cannot be planned must be reported for every target that needs it.
    for (const artifact of seen) this.#expanded.add(artifact);
  }

  *#directlyBelow({ package: own, closure, node }: PlanArtifact): Generator<PlanArtifact> {
    for (const member of closure) if (member !== own) yield this.#artifact(member);
    if (node?.parent.kind === 'final') yield* node.parent.parts.map(({ artifact }) => artifact);
    for (const { from } of node?.copies ?? [])
      if (from.kind === 'node') yield this.#artifact(from.node.package);
  }

  #artifact(pack: TreePackage): PlanArtifact {
    const known = this.#artifacts.get(pack.key);
    if (known !== undefined) return known;
    if (this.#open.has(pack.key))
      throw problem(
        pack,
        'cycle',
        `${pack.key} is part of a cycle through copy or requires_final_images: ${[...this.#open].join(', ')}`,
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

  /** The node of a package at the end of its chain. Undefined if no package of the chain has an image. */
  #ownNode(pack: TreePackage, chain: Chain): PlanNode | undefined {
    let below: PlanNode | undefined;
    // Packages before one with its own image or contents do not need to run for this chain.
    const start = chain.packages.findLastIndex(hasOwnParent);
    for (const member of chain.packages.slice(Math.max(0, start))) {
      const parent = this.#parent(member, below, chain);
      if (parent !== undefined) below = this.#node(member, parent, chain);
      else if (
        member.build !== undefined &&
        (member.build.steps.length > 0 || member.build.unpack || member.build.packageDir !== undefined)
      ) {
        throw problem(
          member,
          'no-image',
          `${member.key} has steps but no image to run them in, because no required package has an image`,
        );
      }
    }
    return below?.package === pack ? below : undefined;
  }

  #parent(pack: TreePackage, below: PlanNode | undefined, chain: Chain): Parent | undefined {
    const { build } = pack;
    if (build?.image !== undefined) return { kind: 'image', reference: build.image.value };
    if (pack.dockerfile !== undefined) return { kind: 'dockerfile', path: pack.dockerfile };
    if (build?.requiresFinalImages) return { kind: 'final', parts: this.#finalParts(pack, chain) };
    // A package without requirements is not built on the packages before it in the chain.
    if (build === undefined || build.requires.length === 0 || below === undefined) return undefined;
    return { kind: 'node', node: below };
  }

  #finalParts(pack: TreePackage, chain: Chain): PlanPart[] {
    const direct = chain.edges
      .filter(({ from, to }) => from?.id === pack.key && to !== from)
      .map(({ to }) => to.id);
    const required = chain.packages.filter(({ key }) => direct.includes(key));
    return this.#chains.runtime(required, pack.key).map((name) => {
      const own = this.#tree.byKey(name);
      const part = own !== undefined && isBuildable(own) ? own : this.#tree.ownerOf(name);
      if (part === undefined) {
        throw problem(
          pack,
          'not-buildable',
          `${pack.key} is built on the content of ${name}, which has no build.yaml`,
        );
      }
      return { name, artifact: this.#artifact(part) };
    });
  }

  #node(pack: TreePackage, parent: Parent, chain: Chain): PlanNode {
    const on = parent.kind === 'node' ? parent.node : parent.kind === 'image' ? parent.reference : '';
    const siblings = this.#byParent.get(on) ?? new Map<TreePackage, OpenNode>();
    this.#byParent.set(on, siblings);
    const known = siblings.get(pack);
    if (known !== undefined) return known;
    const wrong = imageNameProblems(pack);
    if (wrong.length > 0) throw new DiagnosticError(wrong);
    const copies = (pack.build?.copy ?? []).map((entry) => this.#copy(pack, entry));
    const at = chain.packages.indexOf(pack);
    const before = (pack.build?.retrieve.length ?? 0) > 0 ? chain.packages.slice(0, at) : [];
    const node: OpenNode = {
      id: this.#nodes.length,
      package: pack,
      parent,
      copies,
      retrieveAfter: before.map((member) => this.#artifact(member)),
      dependants: new Set(),
    };
    this.#nodes.push(node);
    siblings.set(pack, node);
    const needs = [
      ...(parent.kind === 'node' ? [parent.node] : []),
      ...copies.flatMap(({ from }) => (from.kind === 'node' ? [from.node] : [])),
    ];
    for (const needed of needs) (needed as OpenNode).dependants.add(node);
    return node;
  }

  #copy(pack: TreePackage, entry: CopyEntry): PlanCopy {
    if (entry.package === undefined) return { entry, from: { kind: 'image', reference: entry.image ?? '' } };
    const source = this.#chains.satisfier(entry.package, pack.key);
    const { node } = this.#artifact(source);
    if (node === undefined)
      throw problem(pack, 'no-image', `${source.key}, which ${pack.key} copies from, has no image`);
    return { entry, from: { kind: 'node', node } };
  }
}

/** Whether a package is built on something else than the package before it in its chain. */
function hasOwnParent({ build, dockerfile }: TreePackage): boolean {
  return build?.image !== undefined || dockerfile !== undefined || build?.requiresFinalImages === true;
}

function problem(pack: TreePackage, code: string, message: string): DiagnosticError {
  const place = pack.build?.place ?? pack.definition.place;
  return new DiagnosticError([{ code, severity: 'error', message, place, package: pack.key }]);
}
