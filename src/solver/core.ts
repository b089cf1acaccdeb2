import { Encoding } from './encoding.ts';
import { negate, positive } from './sat.ts';
import type { Candidate, Request, Requirement } from './types.ts';
import type { Family, Universe } from './universe.ts';

/** One thing that was asked for: by the request where `from` is undefined, by a candidate otherwise. */
export type CoreItem =
  | {
      readonly kind: 'requires' | 'conflicts';
      readonly from: Candidate | undefined;
      readonly requirement: Requirement;
    }
  | { readonly kind: 'package'; readonly from: undefined; readonly candidate: Candidate };

/** Everything that a request and all that it can lead to demand, in a fixed order. */
function itemsOf(universe: Universe, request: Request): CoreItem[] {
  const items: CoreItem[] = [];
  const open: Family[] = [];
  const reached = new Set<Family>();
  const reach = (family: Family): void => {
    if (!reached.has(family)) {
      reached.add(family);
      open.push(family);
    }
  };
  const require = (from: Candidate | undefined, requirement: Requirement): void => {
    items.push({ kind: 'requires', from, requirement });
    for (const group of universe.options(requirement).groups) reach(group.family);
  };
  for (const id of request.packages ?? []) {
    const { family, index } = universe.place(id);
    const candidate = family.members[index];
    if (candidate !== undefined) items.push({ kind: 'package', from: undefined, candidate });
    reach(family);
  }
  for (const requirement of request.requires) require(undefined, requirement);
  for (const requirement of request.conflicts ?? [])
    items.push({ kind: 'conflicts', from: undefined, requirement });
  for (let i = 0; i < open.length; i++) {
    for (const from of open[i]?.members ?? []) {
      for (const requirement of from.requires) {
        if (!universe.satisfies(from, requirement)) require(from, requirement);
      }
      for (const requirement of from.conflicts) items.push({ kind: 'conflicts', from, requirement });
    }
  }
  return items;
}

/** Items as clauses, each with a guard that switches it on. */
class Guarded {
  readonly #universe: Universe;
  readonly #encoding: Encoding;
  readonly #guards = new Map<CoreItem, number>();
  readonly #items = new Map<number, CoreItem>();

  constructor(universe: Universe, items: readonly CoreItem[]) {
    this.#universe = universe;
    this.#encoding = new Encoding(universe);
    for (const item of items) {
      const guard = positive(this.#encoding.sat.addVariables());
      this.#guards.set(item, guard);
      this.#items.set(guard, item);
      this.#encode(item, negate(guard));
    }
  }

  #encode(item: CoreItem, off: number): void {
    const encoding = this.#encoding;
    const { sat } = encoding;
    if (item.kind === 'package') {
      const { family, index } = this.#universe.place(item.candidate.id);
      sat.addClause([off, encoding.exactly(family, index)]);
      return;
    }
    const place = item.from === undefined ? undefined : this.#universe.place(item.from.id);
    const idle = place === undefined ? [] : encoding.outside(place.family, [place.index, place.index]);
    const options = this.#universe.options(item.requirement);
    if (item.kind === 'requires') {
      sat.addClause([off, ...idle, encoding.bareNeed(options)]);
      return;
    }
    for (const { family, spans } of options.groups) {
      if (family === place?.family) continue;
      for (const span of spans) sat.addClause([off, ...idle, ...encoding.outside(family, span)]);
    }
  }

  /** A part of these items that cannot hold together, in their order; undefined where all of them can. */
  contradiction(items: readonly CoreItem[]): CoreItem[] | undefined {
    const { sat } = this.#encoding;
    const guards = items.map((item) => this.#guards.get(item) ?? 0);
    const part = (blamed: readonly number[]): CoreItem[] => {
      const found = new Set(blamed);
      return items.filter((_, i) => found.has(guards[i] ?? -1));
    };
    sat.backTo(0);
    for (;;) {
      const conflict = sat.propagate();
      if (conflict >= 0 && sat.level <= 1) return part(sat.blame(conflict));
      if (conflict >= 0) {
        sat.learn(conflict);
      } else if (sat.level === 0) {
        const refuted = guards.find((guard) => sat.value(guard) < 0);
        if (refuted !== undefined) return part([refuted]);
        sat.assume(guards);
      } else if (!sat.decide()) {
        return undefined;
      }
    }
  }
}

/**
 * A set of demands that cannot hold together although any part of it can, in the order in which they are
 * reached from the request. Throws where the request has a solution.
 */
export function irreducibleCore(universe: Universe, request: Request): CoreItem[] {
  const all = itemsOf(universe, request);
  let core = new Guarded(universe, all).contradiction(all);
  if (core === undefined) throw new Error('a request without a contradiction has no core');
  const guarded = new Guarded(universe, core);
  // What is behind the untested items cannot be spared.
  for (let untested = core.length; untested > 0; ) {
    const needed = core.length - untested;
    const smaller = guarded.contradiction(core.toSpliced(untested - 1, 1));
    if (smaller === undefined) untested--;
    else {
      core = smaller;
      untested = core.length - needed;
    }
  }
  return core;
}
