import assert from 'node:assert/strict';
import test from 'node:test';
import { type RelationOptions, validateRelations } from '../../src/plan/validate.ts';
import { validateTree } from '../../src/tree/index.ts';
import { brief, definition, forms, treeOf } from './support.ts';

type Files = Readonly<Record<string, string>>;

/** A package `category/name-version` with the forms of its build spec and of its definition. */
function pack(key: string, build: string | undefined, more = ''): Files {
  const folder = key.replace('/', '-');
  return {
    [`${folder}/definition.yaml`]: definition(key, more),
    ...(build !== undefined && { [`${folder}/build.yaml`]: build }),
  };
}

const base = pack('s/base-1', 'image: i\n');

async function relations(t: test.TestContext, files: readonly Files[], options: RelationOptions = {}) {
  const tree = await treeOf(t, Object.assign({}, ...files));
  return validateRelations(tree, options);
}

test('requirements that nothing satisfies say what there is', async (t) => {
  const found = await relations(t, [
    base,
    pack('s/other-1', undefined),
    pack('c/a-1', forms('requires', 's/base >=2', 'x/base', 's/bsae', 's/other', 'x/nothing-like-it')),
    pack('c/b-1', `image: i\ncopy:\n- {package: {name: no, category: such}, source: /a, destination: /b}\n`),
  ]);
  assert.deepEqual(brief(found), [
    'missing-requirement c-a-1/build.yaml:2:3',
    'missing-requirement c-a-1/build.yaml:3:3',
    'missing-requirement c-a-1/build.yaml:4:3',
    'missing-requirement c-a-1/build.yaml:5:3',
    'missing-requirement c-a-1/build.yaml:6:3',
    'missing-requirement c-b-1/build.yaml:3:13',
  ]);
  assert.deepEqual(
    found.map(({ hint }) => hint),
    [
      'Versions of s/base: 1',
      'Did you mean s/base?',
      'Did you mean s/base?',
      's/other has a definition, but no build.yaml',
      undefined,
      undefined,
    ],
  );
  assert.equal(found[0]?.message, 'no package satisfies s/base >=2, required at build time');
});

test('what is provided satisfies requirements', async (t) => {
  const found = await relations(t, [
    pack('s/new-2', 'image: i\n', forms('provides', 's/old 1.5')),
    pack('c/a-1', forms('requires', 's/old >=1')),
    pack('c/b-1', forms('requires', 's/old >=2')),
  ]);
  assert.deepEqual(brief(found), ['missing-requirement c-b-1/build.yaml:2:3']);
});

test('the two views are checked apart', async (t) => {
  const files = [
    pack('c/a-1', forms('requires', 'no/build'), forms('requires', 'no/run')),
    pack('c/b-1', undefined, forms('requires', 'c/a')),
  ];
  assert.equal((await relations(t, files)).length, 2);
  assert.deepEqual(brief(await relations(t, files, { views: ['runtime'] })), [
    'missing-requirement c-a-1/definition.yaml:5:3',
  ]);
  assert.deepEqual(brief(await relations(t, files, { views: ['buildtime'] })), [
    'missing-requirement c-a-1/build.yaml:2:3',
  ]);
  assert.deepEqual(await relations(t, files, { selects: (key) => key !== 'c/a-1' }), []);
});

test('subpackages satisfy what is required at run time', async (t) => {
  const found = await relations(t, [
    pack(
      'c/lib-1',
      'image: i\nsubpackages:\n- {name: lib-dev, category: c, version: "1", includes: [^/usr/include]}\n',
    ),
    pack('c/a-1', undefined, forms('requires', 'c/lib-dev >=1', 'c/lib-dev >=2')),
  ]);
  assert.deepEqual(brief(found), ['missing-requirement c-a-1/definition.yaml:6:3']);
});

test('each cycle is shown once, as a shortest path', async (t) => {
  const found = await relations(t, [
    base,
    pack('c/a-1', forms('requires', 's/base', 'c/b')),
    pack('c/b-1', forms('requires', 'c/c', 'c/d')),
    pack('c/c-1', forms('requires', 'c/d')),
    pack('c/d-1', forms('requires', 'c/a')),
    pack('c/e-1', forms('requires', 'c/a')),
    pack('c/self-1', forms('requires', 'c/self')),
  ]);
  assert.deepEqual(brief(found), ['cycle c-a-1/build.yaml:3:3', 'cycle c-self-1/build.yaml:2:3']);
  assert.match(found[0]?.message ?? '', /c\/a-1 → c\/b-1 → c\/d-1 → c\/a-1$/);
  assert.match(found[1]?.message ?? '', /c\/self-1 → c\/self-1$/);
  assert.deepEqual(
    found[0]?.notes?.map(({ place }) => `${place?.file}:${place?.line}`),
    ['c-b-1/build.yaml:3', 'c-d-1/build.yaml:2'],
  );
});

test('a cycle stops builds, not installs', async (t) => {
  const found = await relations(t, [
    pack('c/a-1', undefined, forms('requires', 'c/b')),
    pack('c/b-1', undefined, forms('requires', 'c/a')),
    pack('c/c-1', forms('requires', 'c/c')),
  ]);
  assert.deepEqual(
    found.map(({ severity, place }) => [severity, place?.file]),
    [
      ['warning', 'c-a-1/definition.yaml'],
      ['error', 'c-c-1/build.yaml'],
    ],
  );
});

test('an older version breaks what looks like a cycle', async (t) => {
  const found = await relations(t, [
    pack('c/gcc-1', 'image: i\n'),
    pack('c/gcc-2', forms('requires', 'c/gcc <2')),
    pack('c/wrap-1', forms('requires', 'c/gcc'), forms('provides', 'c/make')),
    pack('c/make-1', forms('requires', 'c/gcc')),
  ]);
  assert.deepEqual(found, []);
});

test('contradictions name both sides', async (t) => {
  const found = await relations(t, [
    base,
    pack('c/a-1', forms('requires', 's/base') + forms('conflicts', 'c/b')),
    pack('c/b-1', forms('requires', 's/base')),
    pack('c/lib-1', 'image: i\n'),
    pack('c/lib-2', 'image: i\n'),
    pack('c/both-1', forms('requires', 'c/a', 'c/b')),
    pack('c/own-1', forms('requires', 'c/b') + forms('conflicts', 'c/b')),
    pack('c/versions-1', forms('requires', 'c/lib <2', 'c/lib >=2')),
    pack('c/fine-1', forms('requires', 'c/lib <2', 'c/lib >=1')),
  ]);
  assert.deepEqual(brief(found), [
    'conflict c-both-1/build.yaml:3:3',
    'conflict c-own-1/build.yaml:2:3',
    'conflict c-versions-1/build.yaml:3:3',
  ]);
  assert.deepEqual(
    found[0]?.notes?.map(({ place }) => `${place?.file}:${place?.line}`),
    ['c-both-1/build.yaml:2', 'c-a-1/build.yaml:4'],
  );
});

test('what no pair shows is found by solving', async (t) => {
  const files = [
    base,
    pack('c/a-1', forms('requires', 's/base') + forms('conflicts', 'c/b')),
    pack('c/b-1', forms('requires', 's/base')),
    pack('c/left-1', forms('requires', 'c/a')),
    pack('c/right-1', forms('requires', 'c/b')),
    pack('c/top-1', forms('requires', 'c/left', 'c/right')),
  ];
  assert.deepEqual(await relations(t, files), []);
  const found = await relations(t, files, { solve: true, views: ['buildtime'] });
  assert.deepEqual(brief(found), ['unsolvable c-top-1/build.yaml:1:1']);
  assert.ok(found[0]?.notes?.some(({ message }) => message.includes('c-a-1/build.yaml:4')));
});

test('a package between two images is warned of, naming both', async (t) => {
  const found = await relations(t, [
    base,
    pack('s/other-1', 'image: j\n'),
    pack('c/a-1', forms('requires', 's/base')),
    pack('c/mixed-1', forms('requires', 'c/a', 's/other')),
    pack('c/final-1', `requires_final_images: true\n${forms('requires', 's/base', 's/other')}`),
    pack('c/above-1', forms('requires', 'c/final')),
  ]);
  assert.deepEqual(brief(found), ['image-in-chain c-mixed-1/build.yaml:2:3']);
  assert.equal(found[0]?.severity, 'warning');
  assert.match(found[0]?.message ?? '', /s\/base-1, s\/other-1/);
});

test('steps on nothing but virtual packages have no image', async (t) => {
  const found = await relations(t, [
    base,
    pack('v/group-1', ''),
    pack('v/image-1', forms('requires', 's/base')),
    pack('c/none-1', `${forms('requires', 'v/group')}steps: [x]\n`),
    pack('c/fine-1', `${forms('requires', 'v/group', 'v/image')}steps: [x]\n`),
    pack('c/empty-1', forms('requires', 'v/group')),
  ]);
  assert.deepEqual(brief(found), ['no-image c-none-1/build.yaml:3:9']);
});

test('findings in files follow the views and the selection', async (t) => {
  const tree = await treeOf(t, {
    ...pack('c/a-1', 'steps: [x]\n', 'hidden: maybe\n'),
    'c-a-1/finalize.yaml': 'install: x\n',
    ...pack('c/b-1', 'image: i\nsteps: {{ fail "no" }}\n'),
    'broken/definition.yaml': '{',
  });
  const all = brief(await validateTree(tree)).filter((one) => !one.includes('broken'));
  assert.deepEqual(all, [
    'no-image c-a-1/build.yaml:1:1',
    'wrong-type c-a-1/definition.yaml:4:9',
    'wrong-type c-a-1/finalize.yaml:1:10',
    'template-error c-b-1/build.yaml:2:11',
  ]);
  const runtime = await validateTree(tree, { views: ['runtime'] });
  assert.ok(runtime.every(({ place }) => !place?.file.endsWith('build.yaml')));
  const buildtime = await validateTree(tree, { views: ['buildtime'] });
  assert.ok(buildtime.every(({ place }) => !place?.file.endsWith('finalize.yaml')));
  const one = await validateTree(tree, { selects: (key) => key === 'c/b-1' });
  assert.deepEqual(
    new Set(one.map(({ place }) => place?.file)),
    new Set(['c-b-1/build.yaml', 'broken/definition.yaml']),
  );
});
