import { DiagnosticError } from '../diagnostic/index.ts';
import {
  type Candidate,
  createUniverse,
  type Edge,
  type Requirement,
  solve,
  type Universe,
} from '../solver/index.ts';
import { type PackageId, packageName } from '../spec/index.ts';
import {
  isBuildable,
  originText,
  requirement,
  runtimeCandidates,
  type Tree,
  type TreePackage,
  type View,
} from '../tree/index.ts';
import { Chains } from './chain.ts';
import { refuseErrors } from './errors.ts';
import { unsolvable } from './unsolvable.ts';

/** A package in a need graph: a package of the tree or, at run time, a subpackage. */
export interface Member extends PackageId {
  /** `category/name-version`. */
  readonly key: string;
}

/**
 * Why one package needs another: it requires it, copies files from it, contains its content in the parent
 * image, or is a subpackage of it.
 */
export type NeedKind = 'requires' | 'copies' | 'content' | 'cut';

/** One package needs another. */
export interface Need {
  /** Key of the package that needs the other. */
  readonly from: string;
  /** Key of the package that was selected. */
  readonly to: string;
  readonly kind: NeedKind;
  /** The required name. It differs from the name of `to` if that package only provides it. */
  readonly name: string;
  readonly selector: string;
  /** `file:line` of the requirement. */
  readonly origin?: string;
}

/** Everything that a package needs, as solved. */
export interface NeedGraph {
  /**
   * Sorted so that each package comes after the packages it needs, except in cycles, which are possible at
   * run time.
   */
  readonly members: readonly Member[];
  readonly needs: readonly Need[];
}

/** Computes what the packages of a tree need in one view, with a separate solution for each. */
export class Needs {
  readonly view: View;
  readonly #tree: Tree;
  readonly #chains: Chains;
  #runtime: Universe | undefined;

  constructor(tree: Tree, view: View) {
    this.view = view;
    this.#tree = tree;
    this.#chains = new Chains(tree);
  }

  /** Whether a package is part of this view: at build time it needs a `build.yaml`. */
  has(pack: TreePackage): boolean {
    return this.view === 'runtime' || isBuildable(pack);
  }

  /**
   * Everything that a package needs, itself last. Throws a `DiagnosticError` with the reason if there is no
   * solution.
   */
  of(pack: TreePackage): NeedGraph {
    const collected = new NeedCollector();
    if (this.view === 'runtime') this.#addRuntime(collected, [pack], pack.key);
    else this.#addBuild(collected, pack, new Set());
    return collected.graph(pack.key);
  }

  /** The universe of the runtime view, including subpackages. */
  get #installable(): Universe {
    this.#runtime ??= createUniverse(runtimeCandidates(this.#tree));
    return this.#runtime;
  }

  #addRuntime(
    collected: NeedCollector,
    packs: readonly TreePackage[],
    asker: string,
    kind: NeedKind = 'requires',
  ): void {
    const outcome = solve(this.#installable, { requires: [], packages: packs.map(({ key }) => key) });
    if (!outcome.ok) throw new DiagnosticError(unsolvable(outcome.explanation, asker));
    const chosen = outcome.packages.flatMap(({ id }) => this.#tree.runtime.byKey(id) ?? []);
    refuseErrors(chosen, 'runtime', asker);
    for (const candidate of outcome.packages) collected.addMember(candidate);
    for (const edge of outcome.edges) collected.addEdge(edge, kind);
  }

  #addBuild(collected: NeedCollector, pack: TreePackage, done: Set<TreePackage>): void {
    if (done.has(pack)) return;
    done.add(pack);
    const chain = this.#chains.of(pack);
    for (const { definition, key } of chain.packages) collected.add({ ...idOf(definition), key });
    for (const edge of chain.edges) collected.addEdge(edge, 'requires');
    for (const member of chain.packages) {
      for (const { package: ref } of member.build?.copy ?? []) {
        if (ref === undefined) continue;
        const source = this.#chains.satisfier(ref, pack.key);
        this.#addBuild(collected, source, done);
        collected.addNeed(member.key, source.key, 'copies', requirement(ref));
      }
      if (member.build?.requiresFinalImages !== true) continue;
      const direct = new Set(
        chain.edges.filter(({ from }) => from?.id === member.key).map(({ to }) => to.id),
      );
      const required = chain.packages.filter(({ key }) => direct.has(key));
      this.#addRuntime(collected, required, pack.key, 'content');
      for (const name of this.#chains.runtime(required, pack.key)) {
        const own = this.#tree.byKey(name);
        const part = own !== undefined && isBuildable(own) ? own : this.#tree.ownerOf(name);
        if (part === undefined) continue;
        this.#addBuild(collected, part, done);
        if (part !== own) collected.addNeed(name, part.key, 'cut', this.#cut(name, part));
      }
    }
  }

  /** The requirement of a subpackage on its main package. */
  #cut(subpackage: string, { definition }: TreePackage): Requirement {
    const { name, category, version } = definition;
    const place = this.#tree.runtime.byKey(subpackage)?.definition.place;
    const origin = place === undefined ? {} : { origin: originText(place), place };
    return { name: packageName({ name, category }), selector: version, ...origin };
  }
}

const idOf = ({ name, category, version }: PackageId): PackageId => ({ name, category, version });

/** Collects members and needs without duplicates. */
class NeedCollector {
  readonly #members = new Map<string, Member>();
  readonly #needs = new Map<string, Need>();

  add(member: Member): void {
    if (!this.#members.has(member.key)) this.#members.set(member.key, member);
  }

  addMember({ id, name: full, version }: Candidate): void {
    const slash = full.indexOf('/');
    this.add({ name: full.slice(slash + 1), category: full.slice(0, Math.max(slash, 0)), version, key: id });
  }

  addEdge({ from, to, requirement: wanted }: Edge, kind: NeedKind): void {
    if (from !== undefined && from !== to) this.addNeed(from.id, to.id, kind, wanted);
  }

  addNeed(from: string, to: string, kind: NeedKind, { name, selector, origin }: Requirement): void {
    const id = JSON.stringify([from, to, kind, name, selector]);
    if (this.#needs.has(id)) return;
    this.#needs.set(id, { from, to, kind, name, selector, ...(origin === undefined ? {} : { origin }) });
  }

  /** The part of the collected graph that `top` needs. */
  graph(top: string): NeedGraph {
    const needs = [...this.#needs.values()];
    const byOwner = Map.groupBy(needs, ({ from }) => from);
    const members: Member[] = [];
    const seen = new Set([top]);
    const stack = [{ key: top, next: 0 }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const need = byOwner.get(frame.key)?.[frame.next++];
      if (need === undefined) {
        const member = this.#members.get(frame.key);
        if (member !== undefined) members.push(member);
        stack.pop();
      } else if (!seen.has(need.to)) {
        seen.add(need.to);
        stack.push({ key: need.to, next: 0 });
      }
    }
    return { members, needs: needs.filter(({ from }) => seen.has(from)) };
  }
}

/** `category/name`, followed by the selector if there is one. */
export function wantedText({ name, selector }: Pick<Need, 'name' | 'selector'>): string {
  return selector === '' ? name : `${name} ${selector}`;
}
