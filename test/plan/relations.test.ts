import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { cycles, needingCycles, plainSolution, preferred, solvedEdges } from '../../src/plan/relations.ts';
import { type Candidate, createUniverse, solve } from '../../src/solver/index.ts';
import { world } from '../solver/worlds.ts';

const ids = (candidates: readonly Candidate[]): string[] => candidates.map(({ id }) => id).sort();

test('what is called a plain solution is what solving gives, with the same edges', () => {
  let plain = 0;
  let larger = 0;
  fc.assert(
    fc.property(world, (candidates) => {
      const universe = createUniverse(candidates);
      const first = (at: Candidate) => preferred(universe, at);
      const circular = needingCycles(candidates, first);
      for (const candidate of candidates) {
        const expected = plainSolution(universe, candidate);
        if (expected === undefined) continue;
        plain++;
        if (expected.length > 1) larger++;
        const outcome = solve(universe, { requires: [], packages: [candidate.id] });
        assert.ok(outcome.ok);
        assert.deepEqual(ids(outcome.packages), ids(expected));
        const solved = solvedEdges(outcome);
        for (const one of expected) {
          const targets = (of: typeof first) => ids([...new Set(of(one).map(({ to }) => to))]);
          assert.deepEqual(targets(solved), targets(first));
        }
        assert.equal(circular.has(candidate), cycles(outcome.packages, solved).length > 0);
      }
    }),
    { numRuns: 2000 },
  );
  assert.ok(plain > 100 && larger > 50, `${plain} plain solutions, ${larger} of several packages`);
});
