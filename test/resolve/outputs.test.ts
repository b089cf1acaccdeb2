import assert from 'node:assert/strict';
import test from 'node:test';
import { planBuild } from '../../src/plan/index.ts';
import { buildMetadata, outlinePlan, PlanIndex } from '../../src/resolve/index.ts';
import { definition, treeOf } from '../tree/support.ts';

test('a subpackage is a package of its own in its metadata, as create-repo of Luet wants it', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1', 'description: main\nlabels: {l: m}\n'),
    'a/build.yaml': `image: i
steps: [x]
subpackages:
- name: sub
  category: d
  version: "2"
  description: small
  license: MIT
  uri: [https://example.org]
  hidden: true
  labels: {x: y}
  annotations: {n: o}
  use_flags: [u]
  requires: [{name: r, category: c, version: ">=1"}]
  conflicts: [{name: f, category: c}]
  provides: [{name: p, category: c, version: "3"}]
  includes: [^/m]
- {name: own, category: c, version: "1", description: here}
`,
    'own/definition.yaml': definition('c/own-1', 'description: there\n'),
  });
  const [main] = tree.packages.filter(({ key }) => key === 'c/a-1');
  assert.ok(main !== undefined);
  const index = new PlanIndex(outlinePlan(planBuild(tree, [main]), { find: (key) => tree.byKey(key) }));
  const artifact = index.artifact('c/a-1');
  const [package_, sub, own] = index
    .package('c/a-1')
    .outputs.map((output) => ({ ...output, build: buildMetadata(index, artifact, output) }));
  assert.equal(package_?.build.package.name, 'a');
  const expected = {
    name: 'sub',
    category: 'd',
    version: '2',
    description: 'small',
    license: 'MIT',
    uri: ['https://example.org'],
    hidden: true,
    labels: new Map([['x', 'y']]),
    annotations: new Map([['n', 'o']]),
    useFlags: ['u'],
    requires: [{ name: 'r', category: 'c', selector: '>=1' }],
    conflicts: [{ name: 'f', category: 'c', selector: '' }],
    provides: [{ name: 'p', category: 'c', selector: '3' }],
  };
  assert.deepEqual(sub?.runtime, expected);
  assert.deepEqual(sub?.build.package, expected);
  // How the main package was built is also how this one was.
  assert.deepEqual(sub?.build.steps, ['x']);
  // One that the tree defines as well is what its definition says.
  assert.deepEqual([own?.runtime.description, own?.build.package.description], ['there', 'there']);
});
