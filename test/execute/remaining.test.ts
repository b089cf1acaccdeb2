import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { remainingPaths } from '../../src/execute/remaining.ts';
import { planBuild } from '../../src/plan/index.ts';
import {
  outlinePlan,
  type ResolvedArtifact,
  type ResolvedNode,
  type ResolvedPlan,
} from '../../src/resolve/index.ts';
import { definition, forms, treeOf } from '../tree/support.ts';

const planned = async (t: TestContext): Promise<ResolvedPlan> => {
  const tree = await treeOf(t, {
    'seed/definition.yaml': definition('t/seed-1'),
    'seed/build.yaml': 'image: i\nsteps: [x]\n',
    'leaf/definition.yaml': definition('t/leaf-1'),
    'leaf/build.yaml': `${forms('requires', 't/seed')}steps: [x]\n`,
    'one/definition.yaml': definition('t/one-1'),
    'one/build.yaml': `${forms('requires', 't/seed')}steps: [x]\n`,
    'two/definition.yaml': definition('t/two-1'),
    'two/build.yaml': `${forms('requires', 't/one')}steps: [x]\n`,
    'final/definition.yaml': definition('t/final-1'),
    'final/build.yaml': `requires_final_images: true\n${forms('requires', 't/leaf')}steps: [x]\n`,
    'copy/definition.yaml': definition('t/copy-1'),
    'copy/build.yaml':
      'image: other\nsteps: [x]\ncopy: [{package: {category: t, name: two}, source: /x, destination: /y}]\n',
  });
  return outlinePlan(planBuild(tree, tree.packages), { find: (key) => tree.byKey(key) });
};

const paths = (
  plan: ResolvedPlan,
  durations: Readonly<Record<string, number>>,
  of: 'run' | 'cut',
): object => {
  const remaining = remainingPaths(plan, new Map(Object.entries(durations)));
  return Object.fromEntries(
    plan.nodes.map((node) => [/\/(\w+)-/.exec(node.package)?.[1], remaining[of](node.id)]),
  );
};

test('where nothing is known, packages are counted', async (t) => {
  assert.deepEqual(paths(await planned(t), {}, 'run'), {
    seed: 4,
    leaf: 2,
    one: 3,
    two: 2,
    final: 1,
    copy: 1,
  });
});

test('durations weigh, and packages of which none is known weigh what the others do on average', async (t) => {
  const durations = { 't/leaf-1': 500, 't/two-1': 100, 't/other-1': 9000 };
  const all = { seed: 1100, leaf: 800, one: 700, two: 400, final: 300, copy: 300 };
  assert.deepEqual(paths(await planned(t), durations, 'run'), all);
});

test('behind a cut is only what waits for the archive', async (t) => {
  assert.deepEqual(paths(await planned(t), {}, 'cut'), {
    seed: 0,
    leaf: 1,
    one: 0,
    two: 0,
    final: 0,
    copy: 0,
  });
});

test('each path is the longest of all', () => {
  // Each node waits for some of those before it, in one of the ways in which one can.
  const waits = fc.record({
    parent: fc.nat(),
    how: fc.constantFrom('image', 'node', 'final'),
    copies: fc.array(fc.nat(), { maxLength: 2 }),
    retrieves: fc.array(fc.nat(), { maxLength: 2 }),
    took: fc.option(fc.integer({ min: 1, max: 1000 }), { nil: undefined }),
  });
  fc.assert(
    fc.property(fc.array(waits, { minLength: 1, maxLength: 9 }), (all) => {
      const nodes: ResolvedNode[] = [];
      const needs: number[][] = [];
      const name = (at: number): string => `t/p-${at}`;
      for (const [id, { parent, how, copies, retrieves }] of all.entries()) {
        const before = (at: number): number => at % id;
        const from = id === 0 ? [] : copies.map(before);
        const after = id === 0 ? [] : retrieves.map(before);
        const below = id === 0 || how === 'image' ? undefined : before(parent);
        needs.push([...from, ...after, ...(below === undefined ? [] : [below])]);
        nodes.push({
          id,
          package: name(id),
          parent:
            below === undefined
              ? { kind: 'image', reference: 'i' }
              : how === 'node'
                ? { kind: 'node', node: below }
                : { kind: 'final', parts: [{ name: '', artifact: name(below) }] },
          copies: from.map((node) => ({ from: { kind: 'node', node } })),
          retrieveAfter: after.map(name),
        } as unknown as ResolvedNode);
      }
      const artifacts: ResolvedArtifact[] = all.map((_, node) => ({
        package: name(node),
        node,
        asked: true,
        wanted: true,
      }));
      const known = all.flatMap(({ took }) => took ?? []);
      const usual = known.length === 0 ? 1 : known.reduce((a, b) => a + b, 0) / known.length;
      const longest = (at: number): number =>
        (all[at]?.took ?? usual) +
        Math.max(0, ...needs.flatMap((of, waiting) => (of.includes(at) ? [longest(waiting)] : [])));
      const durations = new Map(
        all.flatMap(({ took }, at) => (took === undefined ? [] : [[`t/p-${at}`, took] as const])),
      );
      const remaining = remainingPaths({ artifacts, nodes }, durations);
      for (const at of nodes.keys())
        assert.ok(Math.abs(remaining.run(at) - longest(at)) < 1e-6, `node ${at}`);
    }),
  );
});
