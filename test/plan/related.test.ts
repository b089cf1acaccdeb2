import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { DiagnosticError } from '../../src/diagnostic/index.ts';
import {
  dependantsOf,
  dependenciesOf,
  dotOf,
  explainRequest,
  mermaidOf,
  type Need,
  Needs,
  needGraph,
  planBuild,
  plannedPackages,
  shortestWays,
} from '../../src/plan/index.ts';
import { parsePackageArgument } from '../../src/spec/index.ts';
import { isBuildable, type Tree, type TreePackage } from '../../src/tree/index.ts';
import { definition, forms, treeOf } from '../tree/support.ts';

type Files = Record<string, string>;

const files: Files = {
  'base/definition.yaml': definition('seed/base-1'),
  'base/build.yaml': 'image: i\n',
  'lib1/definition.yaml': definition('libs/lib-1'),
  'lib1/build.yaml': `${forms('requires', 'seed/base')}steps: [x]\n`,
  'lib2/definition.yaml': definition('libs/lib-2', forms('provides', 'libs/former')),
  'lib2/build.yaml': `${forms('requires', 'seed/base')}steps: [x]\n`,
  'a/definition.yaml': definition('apps/a-1', `hidden: true\n${forms('requires', 'libs/lib >=2')}`),
  'a/build.yaml': `${forms('requires', 'libs/lib', 'seed/base')}steps: [x]\n`,
  'b/definition.yaml': definition('apps/b-1', forms('requires', 'apps/a')),
  'b/build.yaml': `${forms('requires', 'libs/former')}steps: [x]\n`,
  'old/definition.yaml': definition('apps/old-1'),
  'old/build.yaml': `${forms('requires', 'libs/lib <2')}steps: [x]\n`,
  'data/definition.yaml': definition('apps/data-1'),
  'copy/definition.yaml': definition('apps/copy-1'),
  'copy/build.yaml':
    'image: other\nsteps: [x]\ncopy: [{package: {category: apps, name: a}, source: /x, destination: /y}]\n',
  'final/definition.yaml': definition('apps/final-1'),
  'final/build.yaml': `requires_final_images: true\n${forms('requires', 'apps/b')}steps: [x]\n`,
};

function pack(tree: Tree, key: string): TreePackage {
  const found = tree.byKey(key);
  assert.ok(found, key);
  return found;
}

const keys = (packages: readonly { readonly key: string }[]): string[] => packages.map(({ key }) => key);

test('what depends on a package is found in its own solutions, copies and contents included', async (t) => {
  const tree = await treeOf(t, files);
  const of = (key: string, view: 'buildtime' | 'runtime' = 'buildtime') =>
    keys(dependantsOf(tree, [pack(tree, key)], view).packages);
  assert.deepEqual(of('libs/lib-1'), ['apps/old-1']);
  assert.deepEqual(of('libs/lib-2'), ['apps/a-1', 'apps/b-1', 'apps/copy-1', 'apps/final-1']);
  assert.deepEqual(of('apps/a-1'), ['apps/copy-1', 'apps/final-1']);
  assert.deepEqual(of('libs/lib-2', 'runtime'), ['apps/a-1', 'apps/b-1']);
  assert.deepEqual(of('apps/data-1'), []);
});

test('what is wrong elsewhere does not matter to dependants, and what could be one is named', async (t) => {
  const tree = await treeOf(t, {
    ...files,
    'far/definition.yaml': definition('apps/far-1'),
    'far/build.yaml': `${forms('requires', 'apps/nothing')}steps: [x]\n`,
    'near/definition.yaml': definition('apps/near-1'),
    'near/build.yaml': `${forms('requires', 'libs/lib >=2', 'libs/lib <2')}steps: [x]\n`,
  });
  const { packages, unsolved, problems } = dependantsOf(tree, [pack(tree, 'libs/lib-1')], 'buildtime');
  assert.deepEqual([keys(packages), keys(unsolved)], [['apps/old-1'], ['apps/near-1']]);
  assert.equal(problems[0]?.package, 'apps/near-1');
});

test('dependencies come each after what it needs, without what was asked about', async (t) => {
  const tree = await treeOf(t, files);
  const of = (key: string, view: 'buildtime' | 'runtime') =>
    keys(dependenciesOf(tree, [pack(tree, key)], view).packages);
  assert.deepEqual(of('apps/b-1', 'buildtime'), ['seed/base-1', 'libs/lib-2']);
  assert.deepEqual(of('apps/b-1', 'runtime'), ['libs/lib-2', 'apps/a-1']);
  assert.deepEqual(of('apps/copy-1', 'buildtime'), ['seed/base-1', 'libs/lib-2', 'apps/a-1']);
  const both = dependenciesOf(tree, [pack(tree, 'apps/a-1'), pack(tree, 'libs/lib-2')], 'buildtime');
  assert.deepEqual(keys(both.packages), ['seed/base-1', 'libs/lib-2']);
});

test('a cycle at run time is no obstacle, and a package that cannot be had says why', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1', forms('requires', 'c/b')),
    'b/definition.yaml': definition('c/b-1', forms('requires', 'c/a')),
    'd/definition.yaml': definition('c/d-1', forms('requires', 'c/b >1')),
  });
  assert.deepEqual(keys(dependenciesOf(tree, [pack(tree, 'c/a-1')], 'runtime').packages), ['c/b-1']);
  assert.throws(() => new Needs(tree, 'runtime').of(pack(tree, 'c/d-1')), DiagnosticError);
  const graph = needGraph(tree, 'runtime');
  assert.deepEqual(keys(graph.members), ['c/a-1', 'c/b-1', 'c/d-1']);
  assert.equal(graph.problems.length, 1);
});

test('subpackages can be needed at run time', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1'),
    'a/build.yaml': 'image: i\nsteps: [x]\nsubpackages: [{name: sub, category: c, version: "1"}]\n',
    'b/definition.yaml': definition('c/b-1', forms('requires', 'c/sub')),
  });
  assert.deepEqual(keys(new Needs(tree, 'runtime').of(pack(tree, 'c/b-1')).members), ['c/sub-1', 'c/b-1']);
});

test('every shortest way is found', async (t) => {
  const tree = await treeOf(t, files);
  const ways = (from: string, to: string) => {
    const found = shortestWays(new Needs(tree, 'buildtime').of(pack(tree, from)), from, new Set([to]));
    const shown = [...found.ways].map((way) => way.map((need) => `${need.kind} ${need.to}`));
    assert.equal(shown.length, found.count);
    return shown;
  };
  assert.deepEqual(ways('apps/a-1', 'seed/base-1'), [['requires seed/base-1']]);
  assert.deepEqual(ways('apps/b-1', 'seed/base-1'), [['requires libs/lib-2', 'requires seed/base-1']]);
  assert.deepEqual(ways('apps/copy-1', 'seed/base-1'), [['copies apps/a-1', 'requires seed/base-1']]);
  assert.deepEqual(ways('seed/base-1', 'apps/a-1'), []);
});

test('shortest ways are those that trying all ways finds', () => {
  const edge = fc.tuple(fc.nat(5), fc.nat(5)).filter(([a, b]) => a !== b);
  fc.assert(
    fc.property(fc.uniqueArray(edge, { selector: String, maxLength: 18 }), fc.nat(5), (edges, target) => {
      fc.pre(target !== 0);
      const needs = edges.map(
        ([from, to]): Need => ({ from: `${from}`, to: `${to}`, kind: 'requires', name: 'x', selector: '' }),
      );
      const all: string[][] = [];
      const walk = (at: string, way: readonly string[]): void => {
        if (at === `${target}`) all.push([...way]);
        else for (const { from, to } of needs) if (from === at && !way.includes(to)) walk(to, [...way, to]);
      };
      walk('0', ['0']);
      const least = Math.min(...all.map(({ length }) => length));
      const expected = all.filter(({ length }) => length === least).map((way) => way.slice(1).join());
      const found = shortestWays({ members: [], needs }, '0', new Set([`${target}`]));
      assert.deepEqual([...found.ways].map((way) => way.map(({ to }) => to).join()).sort(), expected.sort());
      assert.equal(found.count, expected.length);
    }),
  );
});

test('pictures name every package and every need once, and quote what has a meaning in them', async (t) => {
  const tree = await treeOf(t, files);
  const graph = needGraph(tree, 'buildtime', [pack(tree, 'apps/copy-1'), pack(tree, 'apps/b-1')]);
  const dot = dotOf(graph);
  assert.match(dot, /^digraph tree \{\n/);
  for (const row of [
    '  "apps/copy-1" -> "apps/a-1" [style=dashed];',
    '  "apps/b-1" -> "libs/lib-2" [label="libs/former >=0"];',
    '  "libs/lib-2" -> "seed/base-1";',
  ])
    assert.equal(dot.split('\n').filter((line) => line === row).length, 1, row);
  const odd = { members: [{ key: 'c/"\\-1', name: '"\\', category: 'c', version: '1' }], needs: [] };
  assert.ok(dotOf(odd).includes('  "c/\\"\\\\-1";'));
  assert.ok(mermaidOf(odd).includes('p0["c/#34;#92;-1"]'));
  assert.match(mermaidOf(graph), /^flowchart LR\n {2}p0\["apps\/a-1"\]\n/);
});

test('the whole tree is drawn with what each package needs itself', async (t) => {
  const tree = await treeOf(t, files);
  const { members, needs } = needGraph(tree, 'buildtime');
  assert.deepEqual(keys(members), keys(tree.packages.filter(isBuildable)));
  const of = (key: string) => needs.filter(({ from }) => from === key).map(({ to }) => to);
  assert.deepEqual(of('apps/a-1'), ['libs/lib-2', 'seed/base-1']);
  assert.deepEqual(of('apps/old-1'), ['libs/lib-1']);
});

const wanted = (...texts: string[]) =>
  texts.map((text) => {
    const parsed = parsePackageArgument(text);
    assert.ok(!('error' in parsed));
    return parsed;
  });

test('a yes names who asks for each package, and why it is not a newer one', async (t) => {
  const tree = await treeOf(t, files);
  const answer = explainRequest(tree, wanted('apps/old'), 'buildtime');
  assert.ok(answer.ok);
  assert.deepEqual(
    answer.packages.map(({ package: key }) => key),
    ['apps/old-1', 'libs/lib-1', 'seed/base-1'],
  );
  const lib = answer.packages[1];
  assert.deepEqual(lib?.reasons, [
    { from: 'apps/old-1', name: 'libs/lib', selector: '<2', origin: 'old/build.yaml:2' },
  ]);
  assert.deepEqual(lib?.versions, ['1', '2']);
  assert.match(lib?.notNewest?.join('\n') ?? '', /apps\/old-1 requires libs\/lib <2/);
  assert.equal(answer.packages[0]?.notNewest, undefined);
});

test('what is provided can be asked for, also without its category', async (t) => {
  const tree = await treeOf(t, files);
  const answer = explainRequest(tree, wanted('former@1', 'libs/former'), 'buildtime');
  assert.ok(answer.ok);
  assert.ok(answer.packages.some(({ package: key }) => key === 'libs/lib-2'));
});

test('a name that several categories have is not decided by an explanation', async (t) => {
  const tree = await treeOf(t, {
    ...files,
    'alt/definition.yaml': definition('alt/lib-7', forms('provides', 'alt/former')),
    'alt/build.yaml': `${forms('requires', 'seed/base')}steps: [x]\n`,
  });
  const messages = (...names: string[]): readonly string[] => {
    try {
      explainRequest(tree, wanted(...names), 'buildtime');
    } catch (error) {
      if (error instanceof DiagnosticError)
        return error.diagnostics.map(({ code, message }) => `${code}: ${message}`);
      throw error;
    }
    return [];
  };
  assert.deepEqual(messages('lib', 'apps/a', 'former', 'lib@>9'), [
    'ambiguous-package: package name "lib" is ambiguous: alt/lib or libs/lib',
    'ambiguous-package: package name "former" is ambiguous: alt/former or libs/former',
    'ambiguous-package: package name "lib@>9" is ambiguous: alt/lib or libs/lib',
  ]);
  // A version that only one of them has tells which is meant.
  assert.deepEqual(messages('lib@7', 'libs/lib'), []);
});

test('a no tells the story, and what cannot hold together', async (t) => {
  const tree = await treeOf(t, files);
  const answer = explainRequest(tree, wanted('apps/old', 'libs/lib@2'), 'buildtime');
  assert.ok(!answer.ok);
  assert.deepEqual(
    answer.core.map(({ from, name, selector }) => [from, name, selector]),
    [
      [undefined, 'apps/old', ''],
      [undefined, 'libs/lib', '2'],
      ['apps/old-1', 'libs/lib', '<2'],
    ],
  );
  assert.ok(answer.steps.length > 0);
  assert.equal(explainRequest(tree, wanted('nothing/of-it'), 'runtime').ok, false);
});

test('what a build would write is told for each target, in the order of building', async (t) => {
  const tree = await treeOf(t, files);
  const rows = (names: string[], options = {}) =>
    plannedPackages(
      planBuild(
        tree,
        names.map((name) => pack(tree, name)),
        options,
      ),
    );
  const [first, ...others] = rows(['apps/a-1']);
  assert.deepEqual(first, {
    category: 'seed',
    files: null,
    hidden: false,
    installed: false,
    name: 'base',
    repository: '',
    target: 'apps/a-1',
    version: '1',
  });
  assert.deepEqual(
    others.map(({ name, target, hidden }) => [name, target, hidden]),
    [
      ['lib', 'apps/a-1', false],
      ['a', 'apps/a-1', true],
    ],
  );
  const names = (keys: string[], options = {}) => rows(keys, options).map(({ name }) => name);
  assert.deepEqual(names(['apps/a-1'], { onlyTargets: true }), ['a']);
  assert.deepEqual(names(['apps/a-1'], { onlyDependencies: true }), ['base', 'lib']);
  assert.deepEqual(names(['apps/copy-1']), ['base', 'lib', 'a', 'copy']);
  assert.deepEqual(names(['apps/final-1']).toSorted(), ['a', 'b', 'base', 'final', 'lib']);
});

test('a plan has each package after what it needs, whatever was asked for first', async (t) => {
  const tree = await treeOf(t, files);
  const plan = planBuild(tree, tree.packages.filter(isBuildable));
  const order = plan.artifacts.map(({ package: { key } }) => key);
  for (const { package: own, closure, node } of plan.artifacts) {
    const needed = [
      ...closure.map(({ key }) => key),
      ...(node?.parent.kind === 'final' ? node.parent.parts.map(({ artifact }) => artifact.package.key) : []),
      ...(node?.copies ?? []).flatMap(({ from }) => (from.kind === 'node' ? [from.node.package.key] : [])),
    ];
    for (const key of needed)
      assert.ok(key === own.key || order.indexOf(key) < order.indexOf(own.key), `${key} before ${own.key}`);
  }
  assert.equal(new Set(order).size, tree.packages.filter(isBuildable).length);
});

test('with --full those count that no other needs', async (t) => {
  const tree = await treeOf(t, files);
  const plan = planBuild(tree, tree.packages.filter(isBuildable), { leavesOnly: true });
  const asked = plan.artifacts.filter((one) => one.asked).map((one) => one.package.key);
  assert.deepEqual(asked.toSorted(), ['apps/copy-1', 'apps/final-1', 'apps/old-1']);
  assert.ok(plan.artifacts.every(({ wanted }) => wanted));
});

test('a target that cannot be planned does not hide that others need the same broken package', async (t) => {
  const tree = await treeOf(t, {
    ...files,
    'broken/definition.yaml': definition('apps/broken-1'),
    'broken/build.yaml': `${forms('requires', 'seed/base')}steps: [x]\ncopy: [{package: {category: no, name: no}, source: /x, destination: /y}]\n`,
    'x/definition.yaml': definition('apps/x-1'),
    'x/build.yaml': `${forms('requires', 'apps/broken')}steps: [x]\n`,
    'y/definition.yaml': definition('apps/y-1'),
    'y/build.yaml': `${forms('requires', 'apps/broken')}steps: [x]\n`,
  });
  let told = 0;
  const targets = ['apps/x-1', 'apps/y-1', 'apps/a-1'].map((key) => pack(tree, key));
  const plan = planBuild(tree, targets, { onProblem: () => told++ });
  assert.equal(told, 2);
  assert.ok(plan.artifacts.some(({ package: { key }, wanted }) => key === 'libs/lib-2' && wanted));
});
