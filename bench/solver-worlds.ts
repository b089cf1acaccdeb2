import type { Candidate, Request, Requirement } from '../src/solver/index.ts';

/** A world and a request over it. */
export interface Problem {
  readonly candidates: readonly Candidate[];
  readonly request: Request;
}

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const family = (i: number): string => `fam/f${i}`;

function candidate(i: number, version: number, requires: readonly Requirement[]): Candidate {
  const id = `${family(i)}-1.${version}`;
  return { id, name: family(i), version: `1.${version}`, requires, conflicts: [], provides: [], origin: id };
}

/** A range of minor versions of a family, as the two requirements that it takes of the family `owner`. */
function range(owner: number, i: number, from: number, to: number): Requirement[] {
  return [
    { name: family(i), selector: `>=1.${Math.max(0, from)}`, origin: `${family(owner)}/definition.yaml:5` },
    { name: family(i), selector: `<=1.${Math.max(0, to)}`, origin: `${family(owner)}/definition.yaml:7` },
  ];
}

/** How the ranges of `upgrade` lie. */
export type Ranges = 'near' | 'falling' | 'random';

/**
 * Every version of a family requires the next family by a range; the oldest versions are installed, and all
 * families are requested. `near` ranges let all newest versions be together; `falling` ones force each family
 * below the one before it, against the wish for newest versions; `random` ones have no order at all.
 */
export function upgrade(families: number, versions: number, ranges: Ranges): Problem {
  const random = numbers(versions);
  const candidates: Candidate[] = [];
  for (let i = 0; i < families; i++) {
    for (let k = 0; k < versions; k++) {
      const start = Math.floor(random() * versions);
      const bounds: Record<Ranges, [number, number]> = {
        near: [k - 2, k + 2],
        falling: [k - 6, k - 1],
        random: [start, start + Math.floor((random() * versions) / 4)],
      };
      candidates.push(candidate(i, k, i + 1 < families ? range(i, i + 1, ...bounds[ranges]) : []));
    }
  }
  const all = Array.from({ length: families }, (_, i) => i);
  return {
    candidates,
    request: {
      requires: all.map((i) => ({ name: family(i), selector: '' })),
      installed: all.map((i) => `${family(i)}-1.0`),
    },
  };
}

/**
 * Families in blocks of a hundred, each version requiring three later families of its block: the first family
 * of a block has the whole block as its closure.
 */
export function closures(families: number, versions: number): Problem {
  const random = numbers(families);
  const candidates: Candidate[] = [];
  for (let i = 0; i < families; i++) {
    const end = i - (i % 100) + 100;
    const next = [i + 1, i + 2, i + 1 + Math.floor(random() * 20)].filter((j) => j < Math.min(end, families));
    for (let k = 0; k < versions; k++) {
      const low = Math.floor(random() * (k + 1));
      candidates.push(
        candidate(
          i,
          k,
          [...new Set(next)].map((j) => ({
            name: family(j),
            selector: random() < 0.6 ? '>=0' : `>=1.${low}`,
          })),
        ),
      );
    }
  }
  return { candidates, request: { requires: [] } };
}

/**
 * A world in which every family can be had but the first: far down, two families that it needs want two
 * versions of a third. Around that, every version of each family requires three later families.
 */
export function contradiction(families: number, versions: number): Problem {
  const random = numbers(families);
  const candidates: Candidate[] = [];
  const bottom = families - 1;
  for (let i = 0; i < families; i++) {
    const far = Array.from({ length: 2 }, () => i + 1 + Math.floor(random() * 50));
    for (let k = 0; k < versions; k++) {
      const requires =
        i === bottom
          ? []
          : i === bottom - 1
            ? range(i, bottom, versions - 1, versions)
            : i === bottom - 2
              ? [
                  {
                    name: family(bottom),
                    selector: `<1.${versions - 1}`,
                    origin: `${family(i)}/definition.yaml:5`,
                  },
                ]
              : [i + 1, ...far]
                  .filter((j) => j < bottom)
                  .map((j) => ({
                    name: family(j),
                    selector: '>=0',
                    origin: `${family(i)}/definition.yaml:9`,
                  }));
      if (i === bottom - 2) requires.push({ name: family(bottom - 1), selector: '' });
      candidates.push(candidate(i, k, requires));
    }
  }
  return { candidates, request: { requires: [{ name: family(0), selector: '>=0' }] } };
}

/**
 * A world without any order: each version of a family requires two later families by ranges drawn at random, and
 * some conflict with others. All families are requested, which takes a real search to refuse.
 */
export function tangle(families: number, versions: number): Problem {
  const random = numbers(families + 1);
  const candidates: Candidate[] = [];
  for (let i = 0; i < families; i++) {
    const next = [1, 2].map(() => i + 1 + Math.floor(random() * 100)).filter((j) => j < families);
    for (let k = 0; k < versions; k++) {
      const requires = next.map((j) => ({
        name: family(j),
        selector: `${['=', '>=', '<='][Math.floor(random() * 3)]}1.${Math.floor(random() * versions)}`,
        origin: `${family(i)}/definition.yaml:5`,
      }));
      const rival = family(Math.floor(random() * families));
      const conflicts =
        random() < 0.05 ? [{ name: rival, selector: `<1.${Math.floor(random() * versions)}` }] : [];
      candidates.push({ ...candidate(i, k, requires), conflicts });
    }
  }
  const requires = Array.from({ length: families }, (_, i) => ({ name: family(i), selector: '' }));
  return { candidates, request: { requires } };
}
