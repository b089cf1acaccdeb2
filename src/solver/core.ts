import { type Catalog, type Family, mergeSpans, type Span } from './catalog.ts';
import { Encoding } from './encoding.ts';
import { negate, positive } from './literal.ts';
import { probe } from './probe.ts';
import { type Model, Rotation } from './rotation.ts';
import type { Candidate, Claim, Request, Requirement } from './types.ts';

/** One thing that was asked for: by the request where `from` is undefined, by a candidate otherwise. */
export type CoreItem =
  | (Claim & { readonly kind: 'requires' })
  | (Claim & { readonly kind: 'conflicts' })
  | { readonly kind: 'package'; readonly from: undefined; readonly candidate: Candidate };

/** Everything that a request and all that it can lead to demand, in a fixed order. */
function itemsOf(catalog: Catalog, request: Request): CoreItem[] {
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
    for (const group of catalog.options(requirement).groups) reach(group.family);
  };
  for (const id of request.packages ?? []) {
    const { family, index } = catalog.place(id);
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
        if (!catalog.satisfies(from, requirement)) require(from, requirement);
      }
      for (const requirement of from.conflicts) items.push({ kind: 'conflicts', from, requirement });
    }
  }
  return items;
}

/** Demands as clauses; several only where they say the same of several versions of one package. */
export function clausesOf(catalog: Catalog, encoding: Encoding, items: readonly CoreItem[]): number[][] {
  const [item] = items;
  if (item === undefined) return [];
  if (item.kind === 'package') {
    const { family, index } = catalog.place(item.candidate.id);
    return [[encoding.exactly(family, index)]];
  }
  const places = items.flatMap(({ from }) => (from === undefined ? [] : [catalog.place(from.id)]));
  const family = places[0]?.family;
  const spans = mergeSpans(places.map(({ index }): Span => [index, index]));
  const idle = family === undefined ? [[]] : spans.map((span) => encoding.outside(family, span));
  const options = catalog.options(item.requirement);
  const demanded =
    item.kind === 'requires'
      ? [[encoding.bareNeed(options).literal]]
      : options.groups
          .filter((group) => group.family !== family)
          .flatMap((group) => group.spans.map((span) => encoding.outside(group.family, span)));
  return idle.flatMap((off) => demanded.map((clause) => [...off, ...clause]));
}

/** That all demands hold together, in this assignment; or a part of them that cannot. */
type Verdict = { readonly model: Model } | { readonly contradiction: CoreItem[] };

/** Items as clauses, each with a guard that switches it on. */
class Guarded {
  readonly #encoding: Encoding;
  readonly #guards = new Map<CoreItem, number>();

  constructor(catalog: Catalog, items: readonly CoreItem[]) {
    this.#encoding = new Encoding(catalog);
    for (const item of items) {
      const guard = positive(this.#encoding.sat.addVariables());
      this.#guards.set(item, guard);
      for (const clause of clausesOf(catalog, this.#encoding, [item])) {
        this.#encoding.sat.addClause([negate(guard), ...clause]);
      }
    }
  }

  /** Whether these items can hold together; where they cannot, the part that cannot is in their order. */
  judge(items: readonly CoreItem[]): Verdict {
    const { sat } = this.#encoding;
    const guards = items.map((item) => this.#guards.get(item) ?? 0);
    const part = (blamed: readonly number[]): Verdict => {
      const found = new Set(blamed);
      return { contradiction: items.filter((_, i) => found.has(guards[i] ?? -1)) };
    };
    sat.backTo(0);
    for (;;) {
      const { found, conflict } = sat.level === 0 ? { found: false, conflict: sat.propagate() } : probe(sat);
      if (found) return { model: this.#encoding.model() };
      if (conflict >= 0) return part(sat.blame(conflict));
      if (sat.level > 0) continue;
      sat.forget();
      const refuted = sat.assume(guards);
      if (refuted >= 0) return part(sat.blameFor(refuted));
    }
  }
}

/**
 * A set of demands that cannot hold together although any part of it can, in the order in which they are
 * reached from the request. Throws where the request has a solution.
 */
export function irreducibleCore(catalog: Catalog, request: Request): CoreItem[] {
  const all = itemsOf(catalog, request);
  const verdict = new Guarded(catalog, all).judge(all);
  if ('model' in verdict) throw new Error('a request without a contradiction has no core');
  let core = verdict.contradiction;
  const guarded = new Guarded(catalog, core);
  const rotation = new Rotation(catalog, core);
  const needed = new Set<CoreItem>();
  for (;;) {
    // The farthest from the request first: what is left is then closest to what was asked.
    const tested = core.findLast((item) => !needed.has(item));
    if (tested === undefined) return core;
    const without = guarded.judge(core.filter((item) => item !== tested));
    if ('model' in without) rotation.spread(without.model, tested, needed);
    else core = without.contradiction;
  }
}
