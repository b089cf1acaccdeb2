import type { Catalog, Family } from './catalog.ts';
import {
  type CoreItem,
  clausesOf,
  familyDemands,
  fromRequest,
  reachedBy,
  requestDemands,
} from './demands.ts';
import { ClauseEncoding } from './encoding.ts';
import { negate, positive } from './literal.ts';
import { probe } from './probe.ts';
import { type Model, Rotation } from './rotation.ts';
import type { Request } from './types.ts';

/** Either an assignment that satisfies all demands, or a subset of demands that contradict each other. */
type Judgement = { readonly model: Model } | { readonly contradiction: CoreItem[] };

/** Clauses of demands, each with a literal that enables it. */
class Guarded {
  readonly #catalog: Catalog;
  readonly #encoding: ClauseEncoding;
  readonly #guards = new Map<CoreItem, number>();

  constructor(catalog: Catalog, items: readonly CoreItem[]) {
    this.#catalog = catalog;
    this.#encoding = new ClauseEncoding(catalog);
    this.add(items);
  }

  /** Adds the clauses of further demands. */
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

  /** Whether these demands can all be satisfied. Otherwise the contradicting subset, in the same order. */
  judge(items: readonly CoreItem[]): Judgement {
    const { sat } = this.#encoding;
    const guards = items.map((item) => this.#guards.get(item) ?? 0);
    const part = (blamed: readonly number[]): Judgement => {
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
 * Contradicting demands of a request without solution. Starts with the families of an incomplete solution and
 * goes twice as deep in each round.
 */
function contradiction(catalog: Catalog, request: Request): CoreItem[] {
  const items = requestDemands(catalog, request);
  const guarded = new Guarded(catalog, items);
  const known = new Set<Family>();
  for (let depth = 1; ; depth *= 2) {
    const verdict = guarded.judge(items);
    if ('contradiction' in verdict) return verdict.contradiction;
    let open = [...verdict.model.keys()].filter((family) => !known.has(family));
    if (open.length === 0) throw new Error('internal error: the request has a solution, so it has no core');
    for (let level = 0; level < depth && open.length > 0; level++) {
      for (const family of open) known.add(family);
      const found = open.flatMap((family) => familyDemands(catalog, family));
      guarded.add(found);
      for (const item of found) items.push(item);
      const next = new Set(found.flatMap((item) => reachedBy(catalog, item)));
      open = [...next].filter((family) => !known.has(family));
    }
  }
}

/**
 * A minimal set of contradicting demands: every proper subset can be satisfied. Sorted by distance from the
 * request. Throws if the request has a solution.
 */
export function irreducibleCore(catalog: Catalog, request: Request): CoreItem[] {
  let core = fromRequest(catalog, contradiction(catalog, request));
  const guarded = new Guarded(catalog, core);
  const rotation = new Rotation(catalog, core);
  const needed = new Set<CoreItem>();
  for (;;) {
    // Tests the demands farthest from the request first, so that the remaining ones are close to the request.
    const tested = core.findLast((item) => !needed.has(item));
    if (tested === undefined) return core;
    const without = guarded.judge(core.filter((item) => item !== tested));
    if ('model' in without) rotation.spread(without.model, tested, needed);
    else core = without.contradiction;
  }
}
