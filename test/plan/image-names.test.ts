import assert from 'node:assert/strict';
import test from 'node:test';
import { DiagnosticError } from '../../src/diagnostic/index.ts';
import { planBuild, validateRelations } from '../../src/plan/index.ts';
import { brief, definition, forms, treeOf } from '../tree/support.ts';

const impossible = [
  'Debian',
  'debian:12:13',
  'debian:',
  'debian:.x',
  `debian:${'x'.repeat(129)}`,
  'a//b',
  '/debian',
  'debian/',
  'docker.io/UPPER/case',
  'example.org:99999/a',
  'debian@sha256:123',
  'debian@sha512',
  'a_-b',
  'http://example.org/a',
  'docker://debian',
  `${'x'.repeat(256)}`,
];

for (const image of impossible)
  test(`no image can have the name ${image.slice(0, 40)}, which is found without an engine`, async (t) => {
    const tree = await treeOf(t, {
      'a/definition.yaml': definition('c/a-1'),
      'a/build.yaml': `image: ${JSON.stringify(image)}\n`,
      'b/definition.yaml': definition('c/b-1'),
      'b/build.yaml': `image: debian\ncopy:\n- {image: ${JSON.stringify(image)}, source: /a, destination: /a}\n`,
      'c/definition.yaml': definition('c/c-1'),
      'c/build.yaml': forms('requires', 'c/a'),
    });
    const found = ['invalid-image a/build.yaml:1:8', 'invalid-image b/build.yaml:3:3'];
    const problems = validateRelations(tree);
    assert.deepEqual(brief(problems), found);
    assert.ok(problems.every(({ severity, package: name }) => severity === 'error' && name !== undefined));
    // Nothing is built before it is told of.
    for (const [name, said] of [
      ['c/a-1', found.slice(0, 1)],
      ['c/b-1', found.slice(1)],
      ['c/c-1', found.slice(0, 1)],
    ] as const)
      assert.throws(
        () => planBuild(tree, [tree.byKey(name) ?? assert.fail(name)]),
        (error) => error instanceof DiagnosticError && brief(error.diagnostics).join() === said.join(),
      );
  });

test('names that images can have are no finding', async (t) => {
  const names = [
    'debian',
    'debian:12',
    'a/b__c',
    'Host/a:1',
    'localhost:5000/a',
    '[::1]:5000/a',
    'a'.repeat(64),
  ];
  const digest = `sha256:${'0'.repeat(64)}`;
  const files = [...names, `debian@${digest}`, `debian:12@${digest}`].flatMap((image, at) => [
    [`p${at}/definition.yaml`, definition(`c/p${at}-1`)],
    [`p${at}/build.yaml`, `image: ${JSON.stringify(image)}\n`],
  ]);
  const tree = await treeOf(t, Object.fromEntries(files));
  assert.deepEqual(validateRelations(tree), []);
  assert.equal(planBuild(tree, tree.packages).nodes.length, names.length + 2);
});
