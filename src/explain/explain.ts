import {
  type KeyInputs,
  nodeKey,
  PlanIndex,
  type ResolvedNode,
  type ResolvedPlan,
} from '../resolve/index.ts';
import { compareInputs, type KeyChange } from './changes.ts';
import type { EarlierBuild, EarlierBuilds } from './earlier.ts';
import { keyOf, nodesToRun, type Surroundings } from './runs.ts';

/** Why a package must be built. */
export type Reason =
  /** The user requested to build it again. */
  | { readonly kind: 'asked' }
  /** No earlier build was found. */
  | { readonly kind: 'new' }
  /** Nothing changed, but its image is neither in the engine nor in a registry. */
  | { readonly kind: 'lost' }
  /** The package itself changed since the most similar earlier build. */
  | { readonly kind: 'changed'; readonly changes: readonly KeyChange[]; readonly where: string }
  /** The base image, or the source image of a copy, changed. */
  | { readonly kind: 'base'; readonly references: readonly string[]; readonly where: string }
  /** Only packages below it changed. `roots` are those that changed themselves. */
  | { readonly kind: 'follows'; readonly packages: readonly string[]; readonly roots: readonly string[] }
  /** Its key depends on a file that another package writes first. */
  | { readonly kind: 'waits'; readonly packages: readonly string[] };

/** A package, and what a build would do with it. */
export interface ExplainedPackage {
  /** `category/name-version`. */
  readonly package: string;
  readonly state: /** It lies in the destination as it would be written. */
    | 'unchanged'
    /** Its image exists: nothing runs, and the package is cut from the image. */
    | 'cached'
    /** Its commands run. */
    | 'build';
  /**
   * Why its commands run. For a cached package: what changed in it, if other packages are built because of
   * that.
   */
  readonly reason?: Reason;
  /** Number of other packages that are built only because of this one. */
  readonly followers: number;
}

/** Options of `explainPlan`. */
export interface ExplainOptions extends Surroundings {
  readonly earlier: EarlierBuilds;
}

/** The result for one node. */
interface Finding {
  readonly reason: Reason;
  /** The packages whose own changes are the cause. */
  readonly roots: readonly string[];
  /** The key of the most similar earlier build. */
  readonly earlierKey?: string | undefined;
}

/** For each package of a plan, what a build would do with it, and why, in the order of the plan. */
export async function explainPlan(plan: ResolvedPlan, options: ExplainOptions): Promise<ExplainedPackage[]> {
  return await new Explainer(plan, options).run();
}

class Explainer {
  readonly #index: PlanIndex;
  readonly #options: ExplainOptions;
  readonly #findings = new Map<number, Promise<Finding>>();
  readonly #runs: ReadonlySet<number>;
  /** Changes in packages that are already built, and that cause other packages to be built. */
  readonly #builtChanges = new Map<string, Reason>();

  constructor(plan: ResolvedPlan, options: ExplainOptions) {
    this.#index = new PlanIndex(plan);
    this.#options = options;
    this.#runs = nodesToRun(this.#index, options);
  }

  async run(): Promise<ExplainedPackage[]> {
    const nodes = [...this.#runs].sort((a, b) => a - b);
    const findings = new Map<string, Finding>();
    // All at once: what a registry is asked for one node does not wait for the others.
    const all = await Promise.all(nodes.map((id) => this.#finding(id)));
    for (const [at, id] of nodes.entries()) {
      const { package: name } = this.#index.node(id);
      // A package can be built on several parents; the result of the first one is shown.
      const finding = all[at] as Finding;
      if (!findings.has(name)) findings.set(name, finding);
    }
    const followers = new Map<string, number>();
    for (const [name, { roots }] of findings)
      for (const root of roots) if (root !== name) followers.set(root, (followers.get(root) ?? 0) + 1);
    const wanted = this.#index.plan.artifacts.filter((artifact) => artifact.wanted);
    const names = new Set([
      ...findings.keys(),
      ...this.#builtChanges.keys(),
      ...wanted.map((artifact) => artifact.package),
    ]);
    return [...names].map((name) => {
      const isBuilt = findings.has(name);
      const reason = findings.get(name)?.reason ?? this.#builtChanges.get(name);
      const state = isBuilt ? 'build' : this.#options.isUnchanged(name) ? 'unchanged' : 'cached';
      return {
        package: name,
        state,
        ...(reason === undefined ? {} : { reason }),
        followers: followers.get(name) ?? 0,
      };
    });
  }

  #finding(id: number): Promise<Finding> {
    let finding = this.#findings.get(id);
    if (finding === undefined) {
      finding = this.#find(id);
      this.#findings.set(id, finding);
    }
    return finding;
  }

  async #find(id: number): Promise<Finding> {
    const node = this.#index.node(id);
    const { identity, package: name } = node;
    if (this.#isForced(id)) return { reason: { kind: 'asked' }, roots: [name] };
    if (identity.state !== 'known' || identity.inputs === undefined) return this.#waiting(node);
    const { inputs, key } = identity;
    const below = await this.#below(node);
    const hypothesis = nodeKey(withEarlier(inputs, below));
    if (hypothesis !== key && (await this.#options.earlier.has(hypothesis)))
      return this.#following(
        below.filter(({ earlierKey }) => earlierKey !== undefined),
        hypothesis,
      );
    const candidates = await this.#options.earlier.of(inputs);
    if (candidates.length === 0) return { reason: { kind: 'new' }, roots: [name] };
    return this.#compared(node, inputs, below, nearest(candidates, inputs, this.#index, node));
  }

  #isForced(id: number): boolean {
    return this.#options.rebuild && (this.#index.artifactOfNode(id)?.asked ?? false);
  }

  /** The result for a node whose key is not known before other nodes are built. */
  #waiting({ retrieveAfter, parent, package: name }: ResolvedNode): Finding {
    const on = [...retrieveAfter];
    if (parent.kind === 'final') on.push(...parent.parts.map(({ artifact }) => artifact));
    if (parent.kind === 'node') on.push(this.#index.node(parent.node).package);
    return { reason: { kind: 'waits', packages: [...new Set(on)] }, roots: [name] };
  }

  /** The results of the nodes below a node (its parent and the sources of copies), if they are built too. */
  async #below({ parent, copies }: ResolvedNode): Promise<readonly Below[]> {
    const ids: { id: number; at: Below['at'] }[] = [];
    if (parent.kind === 'node') ids.push({ id: parent.node, at: 'parent' });
    for (const [at, { from }] of copies.entries()) if (from.kind === 'node') ids.push({ id: from.node, at });
    return await Promise.all(
      ids.map(async ({ id, at }): Promise<Below> => {
        const { package: name, passesThrough, parent: lower } = this.#index.node(id);
        // A package that does nothing has its parent's image.
        if (passesThrough && lower.kind === 'node')
          return { ...(await this.#one(lower.node)), at, package: name };
        return { ...(await this.#one(id)), at };
      }),
    );
  }

  async #one(id: number): Promise<Omit<Below, 'at'>> {
    const { package: name } = this.#index.node(id);
    if (!this.#runs.has(id)) return { package: name, roots: [], node: id };
    const { earlierKey, roots } = await this.#finding(id);
    return { package: name, earlierKey, roots, node: id };
  }

  #following(below: readonly Below[], earlierKey: string): Finding {
    const roots = [...new Set(below.flatMap((one) => one.roots))];
    const packages = [...new Set(below.map((one) => one.package))];
    return { reason: { kind: 'follows', packages, roots }, roots, earlierKey };
  }

  /** Compares a node with an earlier build of its package. */
  async #compared(
    node: ResolvedNode,
    inputs: KeyInputs,
    below: readonly Below[],
    { inputs: was, key: earlierKey, where }: EarlierBuild,
  ): Promise<Finding> {
    const { package: name } = node;
    const { changes, isOtherParent, otherCopies } = compareInputs(
      was,
      inputs,
      this.#index.package(name),
      node,
    );
    if (changes.length > 0) return { reason: { kind: 'changed', changes, where }, roots: [name], earlierKey };
    const references: string[] = [];
    const others: Below[] = [];
    const note = (at: Below['at'], from: ResolvedNode['parent'] | ResolvedNode['copies'][number]['from']) => {
      if (from.kind === 'image') references.push(from.reference);
      others.push(...below.filter((one) => one.at === at));
    };
    if (isOtherParent) note('parent', node.parent);
    for (const at of otherCopies) note(at, (node.copies[at] as ResolvedNode['copies'][number]).from);
    if (references.length > 0)
      return { reason: { kind: 'base', references, where }, roots: [name], earlierKey };
    if (others.length > 0) return await this.#rooted(others, was, earlierKey);
    if (was.context === null && earlierKey !== keyOf(node))
      return {
        reason: { kind: 'changed', changes: [{ kind: 'some-file' }], where },
        roots: [name],
        earlierKey,
      };
    return { reason: { kind: 'lost' }, roots: [name], earlierKey };
  }

  /**
   * Like `#following`, for changes below in packages that are already built, and were therefore not examined.
   */
  async #rooted(others: readonly Below[], was: EarlierBuild['inputs'], earlierKey: string): Promise<Finding> {
    const known: Below[] = [];
    for (const one of others) {
      if (one.roots.length > 0) {
        known.push(one);
        continue;
      }
      const key = one.at === 'parent' ? was.parent : was.copies[one.at]?.from;
      known.push({ ...one, roots: await this.#rootsOfBuilt(one.node, key, new Set()) });
    }
    return this.#following(known, earlierKey);
  }

  /** The packages whose own changes gave an already built node another key than the earlier one. */
  async #rootsOfBuilt(
    id: number,
    earlierKey: string | undefined,
    seen: Set<number>,
  ): Promise<readonly string[]> {
    const node = this.#index.node(id);
    const { package: name, identity, parent } = node;
    const was = earlierKey === undefined ? undefined : await this.#options.earlier.withKey(earlierKey);
    if (was === undefined || identity.state !== 'known' || identity.inputs === undefined || seen.has(id))
      return [name];
    seen.add(id);
    const compared = compareInputs(was.inputs, identity.inputs, this.#index.package(name), node);
    const isOnlyParent =
      compared.changes.length === 0 && compared.isOtherParent && compared.otherCopies.length === 0;
    const { changes } = compared;
    if (changes.length > 0) this.#builtChanges.set(name, { kind: 'changed', changes, where: was.where });
    else if (compared.isOtherParent && parent.kind === 'image')
      this.#builtChanges.set(name, { kind: 'base', references: [parent.reference], where: was.where });
    if (!isOnlyParent || parent.kind !== 'node') return [name];
    return await this.#rootsOfBuilt(parent.node, was.inputs.parent, seen);
  }
}

/** A node below another one. */
interface Below {
  /** The parent, or the index of the `copy` item. */
  readonly at: 'parent' | number;
  readonly node: number;
  readonly package: string;
  /** The key of its most similar earlier build, if it is built again. */
  readonly earlierKey?: string | undefined;
  readonly roots: readonly string[];
}

/**
 * The inputs that a key would have if only the package itself had changed: with the earlier keys of
 * everything below it.
 */
function withEarlier(inputs: KeyInputs, below: readonly Below[]): KeyInputs {
  const keyAt = (at: Below['at']): string | undefined => below.find((one) => one.at === at)?.earlierKey;
  return {
    ...inputs,
    parent: keyAt('parent') ?? inputs.parent,
    copies: inputs.copies.map((copy, at) => ({ ...copy, from: keyAt(at) ?? copy.from })),
  };
}

/** The earlier build with the fewest differences in the package itself; of equal ones, the first. */
function nearest(
  candidates: readonly EarlierBuild[],
  inputs: KeyInputs,
  index: PlanIndex,
  node: ResolvedNode,
): EarlierBuild {
  const pack = index.package(node.package);
  const distance = ({ inputs: was }: EarlierBuild): number => {
    const { changes, isOtherParent, otherCopies } = compareInputs(was, inputs, pack, node);
    return changes.length * 1000 + otherCopies.length + (isOtherParent ? 1 : 0);
  };
  return candidates.reduce((best, one) => (distance(one) < distance(best) ? one : best));
}
