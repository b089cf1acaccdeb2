import type { Need, NeedGraph } from './needs.ts';

/** The paths by which one package needs another. */
export interface Ways {
  /** Number of shortest paths. */
  readonly count: number;
  /**
   * Paths from the first package to the last, in a fixed order. Generated on demand, because there can be
   * very many.
   */
  readonly ways: Iterable<readonly Need[]>;
}

/** All shortest paths along needs from one package to any of some others. Empty if there are none. */
export function shortestWays({ needs }: NeedGraph, from: string, targets: ReadonlySet<string>): Ways {
  const byOwner = Map.groupBy(needs, (need) => need.from);
  const distance = new Map([[from, 0]]);
  /** The needs through which a package is reached with the shortest distance. */
  const into = new Map<string, Need[]>();
  let ends: string[] = [];
  for (let layer = [from]; layer.length > 0 && ends.length === 0; ) {
    const next: string[] = [];
    for (const key of layer) {
      const steps = (distance.get(key) ?? 0) + 1;
      for (const need of byOwner.get(key) ?? []) {
        const known = distance.get(need.to);
        if (known === undefined) {
          distance.set(need.to, steps);
          next.push(need.to);
        }
        if ((known ?? steps) !== steps) continue;
        const ways = into.get(need.to);
        if (ways === undefined) into.set(need.to, [need]);
        else ways.push(need);
      }
    }
    ends = next.filter((key) => targets.has(key)).sort();
    layer = next;
  }
  const counts = new Map<string, number>([[from, 1]]);
  const count = (key: string): number => {
    const known = counts.get(key);
    if (known !== undefined) return known;
    const sum = (into.get(key) ?? []).reduce((total, need) => total + count(need.from), 0);
    counts.set(key, sum);
    return sum;
  };
  function* back(key: string, rest: readonly Need[]): Generator<readonly Need[]> {
    if (key === from) yield rest;
    else for (const need of into.get(key) ?? []) yield* back(need.from, [need, ...rest]);
  }
  return {
    count: ends.reduce((total, key) => total + count(key), 0),
    ways: {
      *[Symbol.iterator]() {
        for (const end of ends) yield* back(end, []);
      },
    },
  };
}
