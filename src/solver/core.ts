import type { Catalog, Family } from './catalog.ts';
import { asked, type CoreItem, clausesOf, demanded, fromRequest, reachedBy } from './demands.ts';
import { Encoding } from './encoding.ts';
import { negate, positive } from './literal.ts';
import { probe } from './probe.ts';
import { type Model, Rotation } from './rotation.ts';
import type { Request } from './types.ts';

/** That all demands hold together, in this assignment; or a part of them that cannot. */
type Verdict = { readonly model: Model } | { readonly contradiction: CoreItem[] };

/** Items as clauses, each with a guard that switches it on. */
class Guarded {
  readonly #catalog: Catalog;
  readonly #encoding: Encoding;
  readonly #guards = new Map<CoreItem, number>();

  constructor(catalog: Catalog, items: readonly CoreItem[]) {
    this.#catalog = catalog;
    this.#encoding = new Encoding(catalog);
    this.add(items);
  }

  /** Makes clauses for further items. */
  add(items: readonly CoreItem[]): void {
    const { sat } = this.#encoding;
    sat.backTo(0);
    for (const item of items) {
      const guard = positive(sat.addVariables());
      this.#guards.set(item, guard);
      for (const clause of clausesOf(this.#catalog, this.#encoding, [item])) {
        sat.addClause([negate(guard), ...clause]);
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
 * Demands of a request without a solution that cannot hold together. Only families that take part in a first,
 * incomplete solution are looked into, and then what these lead to, each time twice as deep as before.
 */
function contradiction(catalog: Catalog, request: Request): CoreItem[] {
  const items = asked(catalog, request);
  const guarded = new Guarded(catalog, items);
  const known = new Set<Family>();
  for (let depth = 1; ; depth *= 2) {
    const verdict = guarded.judge(items);
    if ('contradiction' in verdict) return verdict.contradiction;
    let open = [...verdict.model.keys()].filter((family) => !known.has(family));
    if (open.length === 0) throw new Error('a request without a contradiction has no core');
    for (let level = 0; level < depth && open.length > 0; level++) {
      for (const family of open) known.add(family);
      const found = open.flatMap((family) => demanded(catalog, family));
      guarded.add(found);
      for (const item of found) items.push(item);
      const next = new Set(found.flatMap((item) => reachedBy(catalog, item)));
      open = [...next].filter((family) => !known.has(family));
    }
  }
}

/**
 * A set of demands that cannot hold together although any part of it can, in the order in which they are
 * reached from the request. Throws where the request has a solution.
 */
export function irreducibleCore(catalog: Catalog, request: Request): CoreItem[] {
  let core = fromRequest(catalog, contradiction(catalog, request));
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
