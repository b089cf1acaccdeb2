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

/** A package as it takes part in needs: one of the tree or, at run time, a subpackage of one. */
export interface Member extends PackageId {
  /** `category/name-version`. */
  readonly key: string;
}

/**
 * Why one package is needed by another: it is required, its files are copied, its content is in the parent image, or the other is
 * cut from it.
 */
export type NeedKind = 'requires' | 'copies' | 'content' | 'cut';

/** One need of one package. */
export interface Need {
  /** Key of the package that needs. */
  readonly from: string;
  /** Key of the package that is chosen for it. */
  readonly to: string;
  readonly kind: NeedKind;
  /** What is asked for; another name than that of `to` where that provides it. */
  readonly name: string;
  readonly selector: string;
  /** `file:line` of where it is asked for. */
  readonly origin?: string;
}

/** What one package needs, as it was solved. */
export interface NeedGraph {
  /** Each after what it needs, but in cycles, which may be at run time. */
  readonly members: readonly Member[];
  readonly needs: readonly Need[];
}

/** What the packages of a tree need in one view, each by its own solution. */
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

  /** Whether a package takes part in this view: at build time it needs a `build.yaml`. */
  has(pack: TreePackage): boolean {
    return this.view === 'runtime' || isBuildable(pack);
  }

  /** Everything that a package needs, itself last. Throws a `DiagnosticError` that says why it cannot be had. */
  of(pack: TreePackage): NeedGraph {
    const collected = new Collected();
    if (this.view === 'runtime') this.#addRuntime(collected, [pack], pack.key);
    else this.#addBuild(collected, pack, new Set());
    return collected.graph(pack.key);
  }

  /** The universe of run time, subpackages included. */
  get #installable(): Universe {
    this.#runtime ??= createUniverse(runtimeCandidates(this.#tree));
    return this.#runtime;
  }

  #addRuntime(
    collected: Collected,
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

  #addBuild(collected: Collected, pack: TreePackage, done: Set<TreePackage>): void {
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

  /** The requirement of a subpackage on the package that it is cut from. */
  #cut(subpackage: string, { definition }: TreePackage): Requirement {
    const { name, category, version } = definition;
    const place = this.#tree.runtime.byKey(subpackage)?.definition.place;
    const origin = place === undefined ? {} : { origin: originText(place) };
    return { name: packageName({ name, category }), selector: version, ...origin };
  }
}

const idOf = ({ name, category, version }: PackageId): PackageId => ({ name, category, version });

/** Members and needs while they are gathered, each once. */
class Collected {
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

  /** What was gathered, as far as `top` needs it. */
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

/** `category/name`, with the selector behind it where there is one. */
export function wantedText({ name, selector }: Pick<Need, 'name' | 'selector'>): string {
  return selector === '' ? name : `${name} ${selector}`;
}
