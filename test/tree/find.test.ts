import assert from 'node:assert/strict';
import test from 'node:test';
import { buildtimeCandidates, findPackages, runtimeCandidates } from '../../src/tree/index.ts';
import { definition, forms, treeOf } from './support.ts';

const files = {
  'a/definition.yaml': definition('utils/foo-1.9'),
  'b/definition.yaml': definition('utils/foo-1.10'),
  'c/definition.yaml': definition('libs/foo-2'),
  'd/definition.yaml': definition('libs/gtk-3'),
  'e/definition.yaml': 'name: gtk-doc\ncategory: libs\nversion: 1.2-r1\n',
  'f/definition.yaml': 'name: bare\nversion: 1\n',
};

test('an argument finds the newest version that fits', async (t) => {
  const tree = await treeOf(t, files);
  const found = (text: string) => findPackages(tree, text, 'runtime').packages.map(({ key }) => key);
  assert.deepEqual(found('utils/foo'), ['utils/foo-1.10', 'utils/foo-1.9']);
  assert.deepEqual(found('utils/foo@1.9'), ['utils/foo-1.9']);
  assert.deepEqual(found('utils/foo@<1.10'), ['utils/foo-1.9']);
  assert.deepEqual(found('=utils/foo-1.10'), ['utils/foo-1.10']);
  assert.deepEqual(found('=libs/gtk-doc-1.2-r1'), ['libs/gtk-doc-1.2-r1']);
  assert.deepEqual(found('=libs/gtk-3'), ['libs/gtk-3']);
  assert.deepEqual(found('gtk'), ['libs/gtk-3']);
  assert.deepEqual(found('bare'), ['bare-1']);
  // Only one of the categories has such a version.
  assert.deepEqual(found('foo@>=2'), ['libs/foo-2']);
});

test('an argument that finds nothing says what there is', async (t) => {
  const tree = await treeOf(t, files);
  const why = (text: string): string => {
    const { packages, diagnostics } = findPackages(tree, text, 'runtime');
    assert.deepEqual(packages, []);
    const [one] = diagnostics;
    return `${one?.code}: ${one?.message}; ${one?.hint ?? ''}`;
  };
  assert.equal(
    why('foo'),
    'ambiguous-package: package name "foo" is ambiguous: libs/foo or utils/foo; Add the category',
  );
  assert.equal(
    why('utils/foo@>2'),
    'unknown-package: no version matches "utils/foo@>2"; Versions of utils/foo: 1.10, 1.9',
  );
  assert.equal(why('utils/gtk'), 'unknown-package: package "utils/gtk" not found; Did you mean libs/gtk?');
  assert.equal(why('utils/fooo'), 'unknown-package: package "utils/fooo" not found; Did you mean utils/foo?');
  assert.equal(why('gtkk'), 'unknown-package: package "gtkk" not found; Did you mean libs/gtk?');
  assert.equal(why('entirely-else'), 'unknown-package: package "entirely-else" not found; ');
  assert.match(why('utils/foo-1.9'), /Did you mean utils\/foo@1\.9\?$/);
  assert.match(why('a/b/c'), /^invalid-package: /);
});

test('a tree looks different at run time and at build time', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition(
      'c/a-1',
      forms('requires', 'c/run >=2') + forms('provides', 'c/virtual 1'),
    ),
    'a/build.yaml': `${forms('requires', 'c/build')}steps: [x]\n`,
    'b/definition.yaml': definition('c/b-1', forms('provides', 'c/virtual')),
    'b/build.yaml': 'provides: []\n',
    'c/definition.yaml': definition('c/c-1'),
    'd/definition.yaml': definition('c/d-1', forms('requires', 'c/run')),
    'd/build.yaml': '{{ fail "x" }}',
  });
  const brief = (candidates: ReturnType<typeof runtimeCandidates>) =>
    candidates.map(({ id, requires, provides }) => [
      id,
      requires.map(({ name, selector, origin }) => `${name} ${selector} ${origin}`),
      provides.map(({ name, selector }) => `${name} ${selector}`),
    ]);
  assert.deepEqual(brief(runtimeCandidates(tree)), [
    ['c/a-1', ['c/run >=2 a/definition.yaml:5'], ['c/virtual 1']],
    ['c/b-1', [], ['c/virtual >=0']],
    ['c/c-1', [], []],
    ['c/d-1', ['c/run >=0 d/definition.yaml:5'], []],
  ]);
  assert.deepEqual(brief(buildtimeCandidates(tree)), [
    ['c/a-1', ['c/build >=0 a/build.yaml:2'], ['c/virtual 1']],
    ['c/b-1', [], []],
    ['c/d-1', [], []],
  ]);
});
