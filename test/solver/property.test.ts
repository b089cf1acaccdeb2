import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Candidate,
  type CoreItem,
  createUniverse,
  type Request,
  satisfiers,
  solve,
} from '../../src/solver/index.ts';
import { best, isModel, models, problem, satisfies } from './worlds.ts';

const RUNS = { numRuns: Number(process.env.FUZZ_RUNS ?? 600) };

test('finds the best solution exactly where there is one', () => {
  fc.assert(
    fc.property(problem, ({ candidates, request }) => {
      const outcome = solve(createUniverse(candidates), request);
      const expected = best(candidates, request);
      assert.deepEqual(outcome.ok ? outcome.packages.map((c) => c.id).sort() : undefined, expected);
    }),
    RUNS,
  );
});

test('a solution holds, and says for every requirement who satisfies it', () => {
  fc.assert(
    fc.property(problem, ({ candidates, request }) => {
      const outcome = solve(createUniverse(candidates), request);
      if (!outcome.ok) return;
      assert.ok(isModel(outcome.packages, request));
      for (const from of [undefined, ...outcome.packages]) {
        for (const requirement of from === undefined ? request.requires : from.requires) {
          const by = satisfiers(outcome, from, requirement);
          assert.ok(by.length > 0);
          for (const c of by) assert.ok(outcome.packages.includes(c) && satisfies(c, requirement));
        }
      }
      const needed = new Set([
        ...(request.packages ?? []),
        ...outcome.edges.filter((e) => e.from !== e.to).map((e) => e.to.id),
      ]);
      const installed = new Set(
        (request.installed ?? []).map((id) => candidates.find((c) => c.id === id)?.name),
      );
      for (const c of outcome.packages)
        assert.ok(needed.has(c.id) || installed.has(c.name), `${c.id} is not needed`);
    }),
    RUNS,
  );
});

test('neither the order of candidates nor earlier requests change an answer', () => {
  fc.assert(
    fc.property(problem, fc.infiniteStream(fc.integer()), ({ candidates, request }, random) => {
      const shuffled = candidates
        .map((c) => ({ c, at: random.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at)
        .map(({ c }) => c);
      const used = createUniverse(shuffled);
      for (const c of candidates) solve(used, { requires: [], packages: [c.id] });
      assert.deepEqual(solve(used, request), solve(createUniverse(candidates), request));
    }),
    RUNS,
  );
});

/** The world in which only the given demands are made. */
function only(
  candidates: readonly Candidate[],
  core: readonly CoreItem[],
): { world: Candidate[]; request: Request } {
  const of = (kind: 'requires' | 'conflicts', from: Candidate | undefined) =>
    core.flatMap((item) => (item.kind === kind && item.from?.id === from?.id ? [item.requirement] : []));
  return {
    world: candidates.map((c) => ({ ...c, requires: of('requires', c), conflicts: of('conflicts', c) })),
    request: {
      requires: of('requires', undefined),
      conflicts: of('conflicts', undefined),
      packages: core.flatMap((item) => (item.kind === 'package' ? [item.candidate.id] : [])),
    },
  };
}

test('an explanation rests on demands that contradict each other, and on none too many', () => {
  fc.assert(
    fc.property(problem, ({ candidates, request }) => {
      const outcome = solve(createUniverse(candidates), request);
      if (outcome.ok) return;
      const { core, problems, steps } = outcome.explanation;
      assert.ok(problems.length > 0);
      for (const item of core) {
        const name = item.kind === 'package' ? item.candidate.name : item.requirement.name;
        assert.ok(
          steps.some((step) => step.includes(name)),
          name,
        );
      }
      const holds = (items: readonly CoreItem[]): boolean => {
        const { world, request: asked } = only(candidates, items);
        return models(world, asked).length > 0;
      };
      assert.equal(holds(core), false);
      for (const i of core.keys()) assert.equal(holds(core.toSpliced(i, 1)), true, `item ${i} is not needed`);
    }),
    RUNS,
  );
});
