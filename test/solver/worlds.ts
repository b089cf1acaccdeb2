import fc from 'fast-check';
import type { Candidate, Request, Requirement } from '../../src/solver/index.ts';
import {
  admits,
  compareVersions,
  intersects,
  parseSelector,
  type Selector,
} from '../../src/version/index.ts';

const NAMES = ['a/a', 'a/b', 'b/c', 'b/d', 'c/e'];
const VERSIONS = ['1', '1+1', '2', '3'];

const selector: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '>=0') },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom('>=', '>', '<=', '<', '!=', '=', ''), fc.constantFrom(...VERSIONS, '2.5'))
      .map(([operator, version]) => operator + version),
  },
);

const requirement = (names: readonly string[]): fc.Arbitrary<Requirement> =>
  fc.record({ name: fc.constantFrom(...names), selector });

/** Small worlds that are dense in contradictions, providers and cycles. */
export const world: fc.Arbitrary<Candidate[]> = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...VERSIONS)), {
    minLength: 1,
    maxLength: 9,
    selector: (pair) => pair.join('-'),
  })
  .chain((pairs) =>
    fc.tuple(
      ...pairs.map(([name, version]) =>
        fc.record({
          id: fc.constant(`${name}-${version}`),
          name: fc.constant(name),
          version: fc.constant(version),
          requires: fc.array(requirement([...NAMES, 'v/v']), { maxLength: 3 }),
          conflicts: fc.oneof(
            { weight: 2, arbitrary: fc.constant([]) },
            { weight: 1, arbitrary: fc.array(requirement([...NAMES, 'v/v']), { maxLength: 2 }) },
          ),
          provides: fc.oneof(
            { weight: 2, arbitrary: fc.constant([]) },
            { weight: 1, arbitrary: fc.array(requirement(['v/v', 'v/v', ...NAMES]), { maxLength: 2 }) },
          ),
        }),
      ),
    ),
  );

/** A world and a request over it. */
export const problem: fc.Arbitrary<{ candidates: Candidate[]; request: Request }> = world.chain(
  (candidates) => {
    const ids = fc.subarray(
      candidates.map((c) => c.id),
      { maxLength: Math.min(2, candidates.length) },
    );
    return fc.record({
      candidates: fc.constant(candidates),
      request: fc.record({
        requires: fc.array(requirement([...NAMES, 'v/v']), { maxLength: 3 }),
        packages: fc.oneof(fc.constant([]), ids),
        installed: fc.oneof(fc.constant([]), ids),
        conflicts: fc.oneof(
          { weight: 3, arbitrary: fc.constant([]) },
          { weight: 1, arbitrary: fc.array(requirement(NAMES), { maxLength: 1 }) },
        ),
      }),
    });
  },
);

const read = (text: string): Selector => {
  const parsed = parseSelector(text);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed;
};

/** Whether a candidate bears a required name in an admitted version. */
const bears = (c: Candidate, r: Requirement): boolean =>
  c.name === r.name && admits(read(r.selector), c.version);

/** Whether a candidate provides what is required. */
const provides = (c: Candidate, r: Requirement): boolean =>
  c.provides.some((p) => p.name === r.name && intersects(read(p.selector), read(r.selector)));

export const satisfies = (c: Candidate, r: Requirement): boolean => bears(c, r) || provides(c, r);

/** Every set of candidates, needed or not, in which the request and all requirements and conflicts hold. */
export function models(candidates: readonly Candidate[], request: Request): Candidate[][] {
  const names = [...new Set(candidates.map((c) => c.name))];
  let sets: Candidate[][] = [[]];
  for (const name of names) {
    const versions = candidates.filter((c) => c.name === name);
    sets = sets.flatMap((set) => [set, ...versions.map((c) => [...set, c])]);
  }
  return sets.filter((set) => isModel(set, request));
}

/** Whether a set of candidates meets the request, and everything in it is satisfied and at peace. */
export function isModel(set: readonly Candidate[], request: Request): boolean {
  const met = (r: Requirement): boolean => set.some((c) => satisfies(c, r));
  return (
    new Set(set.map((c) => c.name)).size === set.length &&
    request.requires.every(met) &&
    (request.packages ?? []).every((id) => set.some((c) => c.id === id)) &&
    (request.conflicts ?? []).every((r) => !met(r)) &&
    set.every(
      (c) => c.requires.every(met) && c.conflicts.every((r) => !set.some((o) => o !== c && satisfies(o, r))),
    )
  );
}

const newestFirst = (a: Candidate, b: Candidate): number => compareVersions(b.version, a.version);
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** The options for a requirement, most preferred first, each family's together. */
function preferred(
  candidates: readonly Candidate[],
  r: Requirement,
): { providers: Candidate[][]; own: Candidate[] } {
  const own = candidates.filter((c) => c.name === r.name && satisfies(c, r)).sort(newestFirst);
  const standIns = candidates.filter((c) => c.name !== r.name && provides(c, r));
  const best = (family: Candidate[]): string | undefined =>
    family
      .flatMap((c) => c.provides)
      .filter((p) => p.name === r.name && intersects(read(p.selector), read(r.selector)))
      .flatMap((p) => {
        const s = read(p.selector);
        return s.relation === '=' ? [s.version] : [];
      })
      .sort(compareVersions)
      .at(-1);
  const families = [...new Set(standIns.map((c) => c.name))].map((name) =>
    standIns.filter((c) => c.name === name).sort(newestFirst),
  );
  families.sort((a, b) => {
    const [x, y] = [best(a), best(b)];
    const order =
      x === undefined || y === undefined
        ? Number(x === undefined) - Number(y === undefined)
        : compareVersions(y, x);
    return order || byName(a[0]?.name ?? '', b[0]?.name ?? '');
  });
  return { providers: families, own };
}

/** The documented preference order, applied to the list of all models: what `solve` has to choose. */
export function best(candidates: readonly Candidate[], request: Request): string[] | undefined {
  let left = models(candidates, request);
  if (left.length === 0) return undefined;
  const chosen: Candidate[] = [];
  const plain: Requirement[] = [];
  const choices: Requirement[] = [];
  const enqueue = (r: Requirement): void => {
    (preferred(candidates, r).providers.length > 1 ? choices : plain).push(r);
  };
  const narrow = (c: Candidate): boolean => {
    const fewer = left.filter((m) => m.includes(c));
    if (fewer.length === 0) return false;
    left = fewer;
    if (!chosen.includes(c)) {
      chosen.push(c);
      for (const r of c.requires) if (!satisfies(c, r)) enqueue(r);
    }
    return true;
  };
  const meet = (r: Requirement): void => {
    const { providers, own } = preferred(candidates, r);
    if (providers.flat().some((c) => chosen.includes(c))) return;
    if (![...providers.flat(), ...own].some(narrow)) throw new Error('no option');
  };
  const byId = (id: string): Candidate[] => candidates.filter((c) => c.id === id);
  for (const id of request.packages ?? []) byId(id).some(narrow);
  const asked = request.requires.map((r) => ({ r, choice: preferred(candidates, r).providers.length > 1 }));
  for (const { r } of asked.filter((a) => !a.choice)) meet(r);
  for (const { r } of asked.filter((a) => a.choice)) meet(r);
  for (const id of request.installed ?? []) {
    for (const c of byId(id)) {
      const others = candidates.filter((o) => o.name === c.name).sort(newestFirst);
      [c, ...others].some(narrow);
    }
  }
  for (;;) {
    const r = plain.shift() ?? choices.shift();
    if (r === undefined) break;
    meet(r);
  }
  return chosen.map((c) => c.id).sort();
}
