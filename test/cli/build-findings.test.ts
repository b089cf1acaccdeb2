import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { cli } from '../support/cli.ts';
import { definition, folder, forms } from '../tree/support.ts';

type Files = Readonly<Record<string, string>>;

const good: Files = {
  't/base/definition.yaml': definition('seed/base-1'),
  't/base/build.yaml': 'image: nowhere/none:1\n',
  't/app/definition.yaml': definition('c/app-1'),
  't/app/build.yaml': `${forms('requires', 'seed/base')}steps: [x]\n`,
};

/** A package `c/NAME` on `seed/base`, whose files can be given otherwise. */
const pack = (name: string, build = 'steps: [x]\n', more = ''): Files => ({
  [`t/${name}/definition.yaml`]: definition(`c/${name}-1`, more),
  [`t/${name}/build.yaml`]: `${forms('requires', 'seed/base')}${build}`,
});

/** What builds of `c/odd` and of everything warn of, and builds of others do not. */
const warnings: Readonly<Record<string, readonly [Files, string]>> = {
  'an unknown key': [pack('odd', 'meaning: x\nsteps: [x]\n'), 't/odd/build.yaml:3:1: warning[unknown-key]'],
  'a key given twice': [
    pack('odd', 'steps: [x]\nsteps: [y]\n'),
    't/odd/build.yaml:4:1: warning[yaml-duplicate-key]',
  ],
  'a lost exclamation mark': [pack('odd', 'steps: [! x]\n'), 't/odd/build.yaml:3:9: warning[yaml-tag]'],
  'a template that differs each time': [
    pack('odd', 'steps: ["{{ now }}"]\n'),
    't/odd/build.yaml:3:13: warning[template-unstable]',
  ],
  'a value that is missing': [
    pack('odd', 'env: ["A={{ .Values.b }}"]\n'),
    't/odd/build.yaml:3:7: warning[invalid-env]',
  ],
  'a key of a form in its definition': [
    pack('odd', '', 'requires:\n- {name: base, category: seed, vesion: 1}\n'),
    't/odd/definition.yaml:5:32: warning[unknown-key]',
  ],
  'a second document': [
    pack('odd', 'steps: [x]\n---\nsteps: [y]\n'),
    't/odd/build.yaml:5:1: warning[yaml-documents]',
  ],
  'an image beside requirements': [
    pack('odd', 'image: nowhere/none:1\nsteps: [x]\n'),
    't/odd/build.yaml:1:1: warning[image-with-requires]',
  ],
  'images in the middle of a chain': [
    {
      't/one/definition.yaml': definition('c/one-1'),
      't/one/build.yaml': 'image: nowhere/one:1\nsteps: [x]\n',
      't/odd/definition.yaml': definition('c/odd-1'),
      't/odd/build.yaml': `${forms('requires', 'seed/base', 'c/one')}steps: [x]\n`,
    },
    't/odd/build.yaml:2:3: warning[image-in-chain]',
  ],
  'a cycle at run time': [
    {
      ...pack('odd', 'steps: [x]\n', forms('requires', 'c/round')),
      ...pack('round', 'steps: [x]\n', forms('requires', 'c/odd')),
    },
    't/odd/definition.yaml:5:3: warning[cycle]',
  ],
  'an unknown key of its finalizer': [
    { ...pack('odd'), 't/odd/finalize.yaml': 'install: [x]\nwhatever: 1\n' },
    't/odd/finalize.yaml:2:1: warning[unknown-key]',
  ],
  'a finding in a collection': [
    {
      't/many/collection.yaml':
        'packages:\n- {name: other, category: c, version: 1}\n- {name: odd, category: c, version: 1, uri: [a], uri: [b]}\n',
      't/many/build.yaml': forms('requires', 'seed/base'),
    },
    't/many/collection.yaml:3:50: warning[yaml-duplicate-key]',
  ],
};

const run = async (t: TestContext, files: Files, ...words: string[]) =>
  cli(['build', '-t', 't', '--pretend', ...words], { cwd: folder(t, { ...good, ...files }) });

for (const [what, [files, said]] of Object.entries(warnings))
  test(`a build warns of what is odd in the packages that it builds: ${what}`, async (t) => {
    for (const words of [['c/odd'], ['--all']]) {
      const { code, stdout, stderr } = await run(t, files, ...words);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^c\/odd-1$/m);
      assert.ok(stderr.startsWith(`${said}: c/odd-1: `), stderr);
      assert.equal(stderr.match(/warning\[/g)?.length, 1, stderr);
    }
    for (const words of [['c/app'], ...(files['t/many/build.yaml'] === undefined ? [] : [['c/other']])]) {
      const beside = await run(t, files, ...words);
      assert.deepEqual([beside.code, beside.stderr], [0, ''], words.join(' '));
    }
  });

test('warnings are left out by --quiet, fail with --fatal, and are data where events are', async (t) => {
  const files = pack('odd', 'meaning: x\nsteps: [x]\n');
  const quiet = await run(t, files, 'c/odd', '--quiet');
  assert.deepEqual([quiet.code, quiet.stderr], [0, '']);
  assert.equal((await run(t, files, 'c/odd', '--quiet', '--fatal')).code, 1);
  const json = await run(t, files, 'c/odd', '--log-format', 'json');
  assert.deepEqual(
    json.stderr
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string; package: string }).package),
    ['c/odd-1'],
  );
});

test('what is needed is built, too, so its warnings are shown', async (t) => {
  const files = {
    ...pack('odd', 'meaning: x\nsteps: [x]\n'),
    't/top/definition.yaml': definition('c/top-1'),
    't/top/build.yaml': `${forms('requires', 'c/odd')}steps: [x]\n`,
  };
  const { code, stderr } = await run(t, files, 'c/top');
  assert.equal(code, 0);
  assert.match(stderr, /^t\/odd\/build\.yaml:3:1: warning\[unknown-key\]/);
});

test('a finalizer that cannot be read stops its package', async (t) => {
  const files = { ...pack('odd'), 't/odd/finalize.yaml': 'install: x\n' };
  for (const words of [['c/odd'], ['--all']]) {
    const { code, stdout, stderr } = await run(t, files, ...words);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^t\/odd\/finalize\.yaml:1:10: error\[wrong-type\]: c\/odd-1: /);
  }
  assert.equal((await run(t, files, 'c/app')).code, 0);
  assert.match(
    (await run(t, { ...pack('odd'), 't/odd/finalize.yaml': 'instal: [x]\n' }, 'c/odd')).stderr,
    /error\[unknown-key\]/,
  );
});

test('who builds everything is warned of what belongs to no package', async (t) => {
  const files = { 't/none/collection.yaml': 'packages: []\n', 'v.yaml': 'a: 1\na: 2\n' };
  const all = await run(t, files, '--all');
  assert.deepEqual([all.code, all.stdout], [0, 'seed/base-1\nc/app-1\n']);
  assert.match(all.stderr, /^t\/none\/collection\.yaml:1:1: warning\[empty-collection\]/);
  const values = await run(t, files, 'c/app', '--values', 'v.yaml');
  assert.equal(values.code, 0);
  assert.match(values.stderr, /^v\.yaml:2:1: warning\[yaml-duplicate-key\]/);
  const empty = await cli(['build', '--all', '--pretend'], { cwd: folder(t, { 'a/b': '' }) });
  assert.deepEqual([empty.code, empty.stdout], [0, '']);
  assert.match(empty.stderr, /warning\[empty-tree\]/);
});

test('with --keep-going a name that is not there does not keep others from being built', async (t) => {
  const { code, stdout, stderr } = await run(t, {}, 'c/app', 'c/nothing', '--keep-going');
  assert.deepEqual([code, stdout], [1, 'seed/base-1\nc/app-1\n']);
  assert.match(stderr, /error\[unknown-package\]/);
  assert.deepEqual((await run(t, {}, 'c/app', 'c/nothing')).stdout, '');
});
