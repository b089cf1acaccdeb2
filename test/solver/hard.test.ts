import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Candidate, createUniverse, type Requirement, solve } from '../../src/solver/index.ts';
import { search } from '../../src/solver/search.ts';
import { problem } from './worlds.ts';

test('the search for hard problems gives the answers of the simple one', () => {
  fc.assert(
    fc.property(problem, ({ candidates, request }) => {
      const ids = (easy: number): string[] | undefined => {
        const universe = createUniverse(candidates);
        return search(universe, universe.encoding, request, easy)?.chosen.map((c) => c.id);
      };
      assert.deepEqual(ids(0), ids(Number.POSITIVE_INFINITY));
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
  );
});

test('clauses grow with the versions, not with their square', () => {
  const size = (versions: number): number => {
    const world: Candidate[] = [];
    for (const family of [0, 1, 2]) {
      for (let k = 0; k < versions; k++) {
        const next = `a/f${family + 1}`;
        const near = [`>=${k - 2 < 0 ? 0 : k - 2}`, `<=${k + 2}`, `!=${k}`];
        world.push({
          id: `${family}-${k}`,
          name: `a/f${family}`,
          version: String(k),
          requires: family < 2 ? [...near, `!=${k + 1}`].map((selector) => ({ name: next, selector })) : [],
          conflicts:
            family < 2
              ? [
                  { name: next, selector: `<${k}` },
                  { name: 'v/v', selector: `<${k}` },
                ]
              : [],
          provides: family === 2 ? [{ name: 'v/v', selector: String(k) }] : [],
        });
      }
    }
    const universe = createUniverse(world);
    solve(universe, { requires: [{ name: 'a/f0', selector: '' }] });
    return universe.encoding.sat.size;
  };
  const [small, large] = [size(40), size(160)];
  assert.ok(large < 4.3 * small, `${small} for 40 versions, ${large} for 160`);
});

const any = (name: string): Requirement => ({ name, selector: '' });

/** Every bird needs a nest, and no two share one. */
function birds(count: number, nests: number): Candidate[] {
  const world: Candidate[] = [];
  for (let bird = 0; bird < count; bird++) {
    for (let nest = 0; nest < nests; nest++) {
      const rivals = Array.from({ length: count }, (_, other) => any(`in/b${other}-n${nest}`));
      world.push({
        id: `b${bird}n${nest}`,
        name: `in/b${bird}-n${nest}`,
        version: '1',
        requires: [],
        conflicts: rivals,
        provides: [any(`home/b${bird}`)],
      });
    }
  }
  return world;
}

test('counts, where counting is what it takes', () => {
  const homes = Array.from({ length: 6 }, (_, bird) => any(`home/b${bird}`));
  assert.equal(solve(createUniverse(birds(6, 6)), { requires: homes }).ok, true);
  const full = solve(createUniverse(birds(6, 5)), { requires: homes });
  assert.ok(!full.ok);
  assert.equal(full.explanation.core.filter((item) => item.from === undefined).length, 6);
});

/** Random clauses of three literals: a variable is a package of two versions, a clause what they provide. */
function clauses(variables: number, count: number, seed: number): { world: Candidate[]; sets: number[][] } {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const sets = Array.from({ length: count }, () => {
    const picked = new Set<number>();
    while (picked.size < 3) picked.add(next(variables));
    return [...picked].map((variable) => variable * 2 + next(2));
  });
  const world = Array.from({ length: variables * 2 }, (_, literal) => ({
    id: String(literal),
    name: `var/x${literal >> 1}`,
    version: String(literal & 1),
    requires: [],
    conflicts: [],
    provides: sets.flatMap((set, i) => (set.includes(literal) ? [any(`clause/c${i}`)] : [])),
  }));
  return { world, sets };
}

test('solves random clauses where they are hardest, and proves those that have no solution', () => {
  const answers = [1, 2, 3, 4, 5, 6].map((seed) => {
    const { world, sets } = clauses(50, 215, seed);
    const outcome = solve(createUniverse(world), { requires: sets.map((_, i) => any(`clause/c${i}`)) });
    if (outcome.ok) {
      const ids = new Set(outcome.packages.map((c) => Number(c.id)));
      for (const set of sets) assert.ok(set.some((literal) => ids.has(literal)));
      return true;
    }
    const kept = outcome.explanation.core.flatMap((item) =>
      item.kind === 'requires' ? [item.requirement] : [],
    );
    // Without any one of them the rest has a solution, which is the proof that a search found all there is.
    const again = solve(createUniverse(world), { requires: kept.slice(1) });
    assert.equal(again.ok, true);
    assert.equal(solve(createUniverse(world), { requires: kept }).ok, false);
    return false;
  });
  assert.ok(answers.includes(true) && answers.includes(false), `both answers occur: ${answers}`);
});
