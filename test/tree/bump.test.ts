import assert from 'node:assert/strict';
import { chmodSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import fc from 'fast-check';
import { bumpVersions, loadTrees, type Tree, unifiedDiff, writeBumped } from '../../src/tree/index.ts';
import { type Bump, compareVersions, nextVersion } from '../../src/version/index.ts';
import { brief, definition, folder } from './support.ts';

test('a rebuild counts on from the version', async () => {
  for (const [from, to] of [
    ['1.10', '1.10+1'],
    ['1.10+1', '1.10+2'],
    ['1.10+9', '1.10+10'],
    ['1.19.4+k3s1', '1.19.4+k3s1+1'],
    ['0.5.3-r4+84', '0.5.3-r4+85'],
    ['20210808+3', '20210808+4'],
    ['9007199254740993+9007199254740993', '9007199254740993+9007199254740994'],
  ] as const)
    assert.equal(await nextVersion(from, 'rebuild'), to);
});

test('semantic versions go on by their parts', async () => {
  const cases: readonly (readonly [string, Bump, string])[] = [
    ['1.2.3', 'patch', '1.2.4'],
    ['1.2.3', 'minor', '1.3.0'],
    ['1.2.3', 'major', '2.0.0'],
    ['v1.2.3+7', 'patch', 'v1.2.4'],
    ['1.19.4+k3s1', 'patch', '1.19.5'],
    ['1.19.4+k3s1+1', 'minor', '1.20.0'],
    ['1.2.3-rc1+k3s1+4', 'patch', '1.2.3'],
    ['1.2.3-rc1', 'patch', '1.2.3'],
    ['1.3.0-rc1', 'minor', '1.3.0'],
    ['1.3.1-rc1', 'minor', '1.4.0'],
    ['2.0.0-rc.1', 'major', '2.0.0'],
    ['2.1.0-rc.1', 'major', '3.0.0'],
  ];
  for (const [from, bump, to] of cases) assert.equal(await nextVersion(from, bump), to, from);
  for (const odd of [
    '1.2',
    '1.2.3.4',
    '2025-02-15',
    '01.2.3',
    '',
    ' 1.2.3',
    '=1.2.3',
    '1.2.3+',
    '1.2.3+a_b',
    'V1.2.3',
  ])
    assert.ok(typeof (await nextVersion(odd, 'minor')) !== 'string', odd);
});

test('the next version is a newer one', async () => {
  const part = fc.stringMatching(/^[0-9a-z]{1,4}$/);
  const version = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
  const suffix = fc.constantFrom('', '+1', '+9', '-r1', '~rc1', '+k3s1', '_2');
  await fc.assert(
    fc.asyncProperty(version, suffix, async (text, more) => {
      const next = await nextVersion(text + more, 'rebuild');
      assert.ok(typeof next === 'string' && compareVersions(text + more, next) < 0);
    }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat(),
      fc.nat(),
      fc.constantFrom<Bump>('major', 'minor', 'patch'),
      async (a, b, c, bump) => {
        const next = await nextVersion(`${a}.${b}.${c}`, bump);
        assert.ok(typeof next === 'string' && compareVersions(`${a}.${b}.${c}`, next) < 0);
      },
    ),
  );
});

async function bumped(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, Bump>>,
) {
  const cwd = folder(t, files);
  const tree = await loadTrees(['.'], { cwd });
  return { cwd, ...(await bumpVersions(tree, plan(tree, wanted))) };
}

const plan = (tree: Tree, wanted: Readonly<Record<string, Bump>>) =>
  new Map(
    Object.entries(wanted).map(([key, bump]) => {
      const pack = tree.byKey(key);
      assert.ok(pack, key);
      return [pack, bump] as const;
    }),
  );

test('nothing but the text of the version changes', async (t) => {
  const texts = [
    '# head\nversion: "1.0"   # why\nname: a\nlabels: {v: "1.0"}\n',
    "name: a\nversion: '1.0'\n\n\n# end",
    'name: a\r\nversion:   1.0\r\n',
    '{name: a, version: 1.0}',
    '---\nversion: &v 1.0\nname: a\nlabels:\n  v: *v\n...\n',
    '\ufeffname: a\nversion: !!str 1.0\n',
  ];
  for (const text of texts) {
    const { files, problems } = await bumped(t, { 'a/definition.yaml': text }, { 'a-1.0': 'rebuild' });
    assert.deepEqual(problems, []);
    assert.equal(files[0]?.before, text);
    const at = text.search(/(?<=version:[^#\n]*)1\.0/) + 3;
    assert.equal(files[0]?.after, `${text.slice(0, at)}+1${text.slice(at)}`);
  }
});

test('packages of a collection change each for themselves', async (t) => {
  const text =
    'packages:\n- {name: a, version: "1"}\n- name: b\n  version: 2 # two\n- name: c\n  version: "1"\n';
  const wanted = { 'a-1': 'rebuild', 'b-2': 'rebuild' } as const;
  const { files, problems } = await bumped(t, { 'x/collection.yaml': text }, wanted);
  assert.deepEqual([problems, files.length], [[], 1]);
  assert.equal(files[0]?.after, text.replace('"1"', '"1+1"').replace('2 #', '2+1 #'));
});

test('a version that several packages share changes for all of them or not at all', async (t) => {
  const text = 'packages:\n- &a {name: a, version: "1"}\n- <<: *a\n  name: b\n';
  const some = await bumped(t, { 'x/collection.yaml': text }, { 'a-1': 'rebuild' });
  assert.deepEqual([brief(some.problems), some.files], [['shared-version x/collection.yaml:2:6'], []]);
  const all = await bumped(t, { 'x/collection.yaml': text }, { 'a-1': 'rebuild', 'b-1': 'rebuild' });
  assert.deepEqual(all.problems, []);
  assert.equal(all.files[0]?.after, text.replace('"1"', '"1+1"'));
});

test('versions that cannot be bumped are refused', async (t) => {
  const files = {
    'a/definition.yaml': 'name: a\nversion: |\n  1.0\n',
    'b/definition.yaml': 'name: b\nversion: "\\x31.0"\n',
    'c/definition.yaml': 'name: c\n',
    'd/definition.yaml': definition('c/d-1.0'),
    'd1/definition.yaml': definition('c/d-1.0+1'),
  };
  const of = async (wanted: Readonly<Record<string, Bump>>) =>
    brief((await bumped(t, files, wanted)).problems);
  assert.deepEqual(await of({ 'a-1.0': 'rebuild' }), ['version-not-plain a/definition.yaml:1:1']);
  assert.deepEqual(await of({ 'b-1.0': 'rebuild' }), ['version-not-plain b/definition.yaml:1:1']);
  assert.deepEqual(await of({ c: 'rebuild' }), ['no-next-version c/definition.yaml:1:1']);
  assert.deepEqual(await of({ 'c/d-1.0': 'rebuild' }), ['duplicate-package d/definition.yaml:1:1']);
  assert.deepEqual(await of({ 'c/d-1.0': 'minor' }), ['no-next-version d/definition.yaml:1:1']);
  assert.deepEqual(await of({ 'c/d-1.0': 'rebuild', 'c/d-1.0+1': 'rebuild' }), []);
});

test('a file is replaced whole, keeps its mode, and a link to it stays one', async (t) => {
  const cwd = folder(t, { 'shared/d.txt': 'name: a\nversion: 1\n', 'a/build.yaml': 'image: i\n' });
  chmodSync(join(cwd, 'shared/d.txt'), 0o640);
  symlinkSync('../shared/d.txt', join(cwd, 'a/definition.yaml'));
  const tree = await loadTrees(['.'], { cwd });
  const { files, problems } = await bumpVersions(tree, plan(tree, { 'a-1': 'rebuild' }));
  assert.deepEqual(problems, []);
  await writeBumped(files, 'run');
  assert.equal(readFileSync(join(cwd, 'shared/d.txt'), 'utf8'), 'name: a\nversion: 1+1\n');
  assert.equal(statSync(join(cwd, 'shared/d.txt')).mode & 0o777, 0o640);
  assert.ok(lstatSync(join(cwd, 'a/definition.yaml')).isSymbolicLink());
});

/** Applies a unified diff, strictly. */
function applied(before: string, diff: string): string {
  const old = before.split('\n');
  const fresh: string[] = [];
  let at = 0;
  for (const line of diff.split('\n').slice(2, -1)) {
    const range = /^@@ -(\d+)/.exec(line);
    if (range !== null) while (at < Number(range[1]) - 1) fresh.push(old[at++] ?? '');
    else if (line.startsWith('+')) fresh.push(line.slice(1));
    else if (!line.startsWith('\\')) {
      assert.equal(old[at], line.slice(1));
      if (line.startsWith(' ')) fresh.push(line.slice(1));
      at++;
    }
  }
  return [...fresh, ...old.slice(at)].join('\n');
}

test('a difference turns one text into the other', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', '', 'c'), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(lines, fc.array(fc.nat(29), { maxLength: 4 }), fc.boolean(), (old, changes, ended) => {
      const end = ended ? '\n' : '';
      const fresh = old.map((line, i) => (changes.includes(i) ? `${line}!` : line));
      const [before, after] = [old.join('\n') + end, fresh.join('\n') + end];
      fc.pre(before.endsWith('\n') === after.endsWith('\n') && before !== '');
      const diff = unifiedDiff('f', before, after);
      assert.equal(diff === '' ? before : applied(before, diff), after);
    }),
  );
  assert.equal(unifiedDiff('f', 'a\nb\n', 'a\nc\n'), '--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n');
});
