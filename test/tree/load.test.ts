import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { loadTrees, renderedSpec } from '../../src/tree/index.ts';
import { brief, definition, folder, treeOf } from './support.ts';

const keys = (tree: { packages: readonly { key: string }[] }): string[] =>
  tree.packages.map(({ key }) => key);

test('packages are found at any depth, also inside of each other', async (t) => {
  const tree = await treeOf(t, {
    'definition.yaml': definition('c/root-1'),
    'a/definition.yaml': definition('c/a-1.9'),
    'a/files/deep/definition.yaml': definition('c/a-1.10'),
    'a/files/other.yaml': '{{ not read',
    'b/collection.yaml': 'packages:\n- {name: x, category: c, version: 1}\n- {name: y, version: 2}\n',
    'b/definition.yaml': 'this: is [not read',
    '.git/definition.yaml': definition('c/git-1'),
  });
  assert.deepEqual(tree.diagnostics, []);
  assert.deepEqual(keys(tree), ['y-2', 'c/a-1.9', 'c/a-1.10', 'c/root-1', 'c/x-1']);
  assert.deepEqual(
    tree.byName('c/a').map(({ key }) => key),
    ['c/a-1.10', 'c/a-1.9'],
  );
  assert.equal(tree.byKey('c/x-1')?.definition.name, 'x');
  assert.equal(tree.byName('y').length, 1);
});

test('a later tree replaces packages of an earlier one', async (t) => {
  const cwd = folder(t, {
    'one/a/definition.yaml': definition('c/a-1', 'description: first\n'),
    'one/b/definition.yaml': definition('c/b-1', 'description: first\n'),
    'two/x/definition.yaml': definition('c/a-1', 'description: second\n'),
    'two/y/definition.yaml': definition('c/a-2', 'description: second\n'),
  });
  const tree = await loadTrees(['one', 'two'], { cwd });
  assert.deepEqual(
    tree.packages.map(({ key, tree: root, definition: { description } }) => [key, root, description]),
    [
      ['c/a-1', 'two', 'second'],
      ['c/a-2', 'two', 'second'],
      ['c/b-1', 'one', 'first'],
    ],
  );
  assert.equal(tree.packages[0]?.folder, join(cwd, 'two/x'));
  assert.deepEqual(tree.diagnostics, []);
  const again = await loadTrees(['one', './one/', join(cwd, 'one')], { cwd });
  assert.deepEqual([again.packages.length, again.diagnostics.length], [2, 0]);
});

test('what a later tree replaces may be broken', async (t) => {
  const cwd = folder(t, {
    'one/a/definition.yaml': definition('c/a-1'),
    'one/a/build.yaml': 'image: i\nsteps: {{ fail "no" }}\n',
    'one/b/definition.yaml': definition('c/b-1', 'hidden: maybe\n'),
    'two/a/definition.yaml': definition('c/a-1'),
    'two/a/build.yaml': 'image: i\n',
  });
  const tree = await loadTrees(['one', 'two'], { cwd });
  assert.deepEqual(brief(tree.diagnostics), ['wrong-type one/b/definition.yaml:4:9']);
  assert.equal(tree.byKey('c/a-1')?.errors.length, 0);
});

test('the same package twice in one tree is an error, and is not built', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1'),
    'b/definition.yaml': definition('c/a-1'),
    'c/definition.yaml': definition('c/c-1'),
  });
  assert.deepEqual(brief(tree.diagnostics), ['duplicate-package b/definition.yaml:1:1']);
  assert.deepEqual(
    tree.packages.map(({ key, errors }) => [key, errors.length > 0]),
    [
      ['c/a-1', true],
      ['c/c-1', false],
    ],
  );
  assert.equal(tree.diagnostics[0]?.notes?.[0]?.place?.file, 'a/definition.yaml');
});

test('a subpackage has a name of its own', async (t) => {
  const sub = '- {name: x, category: c, version: 1}\n';
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1'),
    'a/build.yaml': `image: i\nsubpackages:\n${sub}${sub}- {name: a, category: c, version: 1}\n`,
  });
  assert.deepEqual(brief(tree.diagnostics), [
    'duplicate-package a/build.yaml:4:3',
    'duplicate-package a/build.yaml:5:3',
  ]);
  assert.equal(tree.packages[0]?.errors.length, 2);
});

test('shared templates, values files and fields of definitions meet in a build spec', async (t) => {
  const cwd = folder(t, {
    'tree/deep/templates/shared.yaml': '{{- define "step" -}}\n- make {{ . }}\n{{- end -}}',
    'tree/deep/templates/notes.txt': '{{ broken',
    'tree/templates/definition.yaml': '{{ define "unused" }}{{ end }}',
    'tree/a/definition.yaml': definition('c/a-1', 'arch: amd64\nopts: {x: 1, y: [1]}\n'),
    'tree/a/build.yaml':
      'image: base\nsteps:\n{{ template "step" .Values.arch }}\n- echo {{ .Values.opts }} {{ .Values.missing }}\n{{ if .Values.more }}- more\n{{ end }}',
    'other/b/definition.yaml': definition('c/b-1'),
    'other/b/build.yaml': 'image: base\nsteps: [{{ template "step" "x" }}]\n',
    'one.yaml': 'arch: riscv64\nopts: {y: [2], z: 3}\n',
    'two.yaml': 'arch: arm64\nmore: true\nname: changed\n',
  });
  const plain = await loadTrees(['tree'], { cwd });
  assert.deepEqual(plain.diagnostics, []);
  assert.deepEqual(
    plain.packages[0]?.build?.steps.map(({ value, place }) => [value, place.file, place.line]),
    [
      ['make amd64', 'tree/deep/templates/shared.yaml', 2],
      ['echo map[x:1 y:[1]] <no value>', 'tree/a/build.yaml', 4],
    ],
  );
  assert.deepEqual(
    plain.packages[0]?.build?.steps[0]?.notes?.map(({ place }) => place),
    [{ file: 'tree/a/build.yaml', line: 3, column: 1 }],
  );
  const { packages, diagnostics } = await loadTrees(['tree', 'other'], {
    cwd,
    values: ['one.yaml', 'two.yaml'],
  });
  const [a] = packages;
  assert.deepEqual(
    a?.build?.steps.map(({ value }) => value),
    ['make arm64', 'echo map[x:1 y:[2] z:3] <no value>', 'more'],
  );
  assert.equal(a?.key, 'c/a-1');
  // Templates of one tree do not serve another.
  assert.deepEqual(brief(diagnostics), ['template-error other/b/build.yaml:2:9']);
  assert.equal(packages[1]?.errors.length, 1);
});

test('places stay right, in whatever order packages are asked for theirs', async (t) => {
  const build = 'image: i\nsteps:\n- {{ .Values.name }}\n{{ template "more" .Values }}\n';
  const cwd = folder(t, {
    'templates/shared.yaml': '{{ define "more" }}{{ range .list }}- {{ . }}\n{{ end }}{{ end }}',
    'a/definition.yaml': definition('c/a-1', 'list: [x]\n'),
    'a/build.yaml': build,
    'b/definition.yaml': definition('c/b-1', 'list: [x, y]\n'),
    'b/build.yaml': build,
    'c/collection.yaml': `packages:\n- {name: c, category: c, version: 1}\n- {name: d, category: c, version: 1, list: [z]}\n`,
    'c/build.yaml': build,
    'd/definition.yaml': definition('c/e-1'),
    'd/build.yaml': 'image: i\nsteps:\n- {{ now }}\n- plain\n',
  });
  const { packages } = await loadTrees(['.'], { cwd });
  const places = () =>
    packages
      .toReversed()
      .map(({ key, build: spec, definition: { place } }) => [
        key,
        `${place.file}:${place.line}`,
        ...(spec?.steps ?? []).map(
          ({ place: at, notes }) =>
            `${at.file}:${at.line}:${at.column} ${notes?.map((note) => note.place?.file) ?? ''}`,
        ),
      ]);
  const shared = (folderName: string) => `templates/shared.yaml:1:39 ${folderName}/build.yaml`;
  const expected = [
    ['c/e-1', 'd/definition.yaml:1', 'd/build.yaml:3:3 ', 'd/build.yaml:4:3 '],
    ['c/d-1', 'c/collection.yaml:3', 'c/build.yaml:3:3 ', shared('c')],
    ['c/c-1', 'c/collection.yaml:2', 'c/build.yaml:3:3 '],
    ['c/b-1', 'b/definition.yaml:1', 'b/build.yaml:3:3 ', shared('b'), shared('b')],
    ['c/a-1', 'a/definition.yaml:1', 'a/build.yaml:3:3 ', shared('a')],
  ];
  assert.deepEqual(places(), expected);
  assert.deepEqual(places(), expected);
});

test('a collection renders its build spec for each package, and what templates change stays with one', async (t) => {
  const tree = await treeOf(t, {
    'collection.yaml': 'packages:\n- &d {name: a, m: {k: v}}\n- {<<: *d, name: b}\n',
    'build.yaml':
      'image: i\nsteps:\n- {{ .Values.m.k }}{{ $_ := set .Values.m "k" "changed" }} {{ .Values.name }}\n',
  });
  assert.deepEqual(tree.diagnostics, []);
  assert.deepEqual(
    tree.packages.map(({ build }) => build?.steps.map(({ value }) => value)),
    [['v a'], ['v b']],
  );
});

test('errors name what the person wrote, and leave other packages alone', async (t) => {
  const tree = await treeOf(t, {
    'templates/bad.yaml': '{{ define "x" }}{{ nosuch }}{{ end }}',
    'templates/good.yaml': '{{ define "good" }}- ok{{ end }}',
    'a/definition.yaml': definition('c/a-1'),
    'a/build.yaml': 'image: i\nsteps:\n{{ template "good" }}\n',
    'b/definition.yaml': definition('c/b-1'),
    'b/build.yaml': 'image: i\nsteps:\n{{ fail "no" }}\n',
    'c/definition.yaml': definition('c/c-1'),
    'c/build.yaml': 'image: i\n{{ nosuch1 }}\n{{ nosuch2 }}\n',
    'd/definition.yaml': definition('c/d-1'),
    'd/build.yaml': 'image: i\n{{ "a: [" }}\n',
    'e/definition.yaml': 'name: [',
    'e/build.yaml': 'image: i\n',
  });
  assert.deepEqual(
    brief(tree.diagnostics).filter((one) => !one.startsWith('yaml-syntax')),
    [
      'template-error b/build.yaml:3:4',
      'template-syntax c/build.yaml:2:4',
      'template-syntax c/build.yaml:3:4',
      'template-syntax templates/bad.yaml:1:20',
    ],
  );
  const syntax = tree.diagnostics
    .filter(({ code }) => code === 'yaml-syntax')
    .map(({ place }) => place?.file);
  assert.deepEqual(new Set(syntax), new Set(['d/build.yaml', 'e/definition.yaml']));
  assert.deepEqual(
    tree.packages.map(({ key, errors, build }) => [key, errors.length > 0, build !== undefined]),
    [
      ['c/a-1', false, true],
      ['c/b-1', true, false],
      ['c/c-1', true, false],
      ['c/d-1', true, false],
    ],
  );
  assert.equal(tree.byKey('c/b-1')?.buildFile, 'b/build.yaml');
});

test('a finalizer is rendered with the standard fields alone', async (t) => {
  const tree = await treeOf(
    t,
    {
      'a/definition.yaml': definition('c/a-1', 'own: x\nlabels: {k: v}\n'),
      'a/finalize.yaml':
        'install:\n- echo {{ .Values.name }} {{ .Values.labels.k }} {{ .Values.own }} {{ .Values.extra }}\n',
      'b/definition.yaml': definition('c/b-1'),
      'values.yaml': 'name: y\nextra: z\n',
    },
    { values: ['values.yaml'] },
  );
  const [a, b] = tree.packages;
  assert.ok(a !== undefined && b !== undefined);
  const found = await tree.finalizer(a);
  assert.deepEqual(
    found?.finalizer?.install.map(({ value }) => value),
    ['echo a v <no value> <no value>'],
  );
  assert.equal(await tree.finalizer(b), undefined);
});

test('a Dockerfile makes a package where that is asked for', async (t) => {
  const files = {
    'tool/Dockerfile': 'FROM x\n',
    'both/Dockerfile': 'FROM y\n',
    'both/definition.yaml': definition('c/both-1'),
    'built/Dockerfile': 'FROM z\n',
    'built/definition.yaml': definition('c/built-1'),
    'built/build.yaml': 'image: x\n',
  };
  assert.deepEqual(keys(await treeOf(t, files)), ['c/both-1', 'c/built-1']);
  const tree = await treeOf(t, files, { dockerfiles: true });
  assert.deepEqual(
    tree.packages.map(({ key, dockerfile }) => [key, dockerfile?.split('/').slice(-2).join('/')]),
    [
      ['tool', 'tool/Dockerfile'],
      ['c/both-1', 'both/Dockerfile'],
      ['c/built-1', undefined],
    ],
  );
});

test('hostile trees end in findings', async (t) => {
  const cwd = folder(t, {
    'tree/ok/definition.yaml': definition('c/ok-1'),
    'tree/latin/definition.yaml': '',
    'outside/definition.yaml': definition('c/outside-1'),
    'secret.txt': 'secret: [\n',
  });
  const at = (path: string): string => join(cwd, 'tree', path);
  writeFileSync(at('latin/definition.yaml'), Buffer.from([0x6e, 0xe9, 0x0a]));
  for (const name of ['fifo', 'dir', 'loop', 'leak', 'device', 'inner', 'huge']) mkdirSync(at(name));
  execFileSync('mkfifo', [at('fifo/definition.yaml')]);
  mkdirSync(at('dir/definition.yaml'));
  symlinkSync('definition.yaml', at('loop/definition.yaml'));
  symlinkSync('.', at('loop/self'));
  symlinkSync('../..', at('loop/up'));
  symlinkSync('../../secret.txt', at('leak/definition.yaml'));
  symlinkSync('/dev/zero', at('device/definition.yaml'));
  symlinkSync('../ok/definition.yaml', at('inner/collection.yaml'));
  symlinkSync('../outside', at('linked'));
  mkdirSync(Buffer.concat([Buffer.from(`${at('ok')}/`), Buffer.from([0x66, 0xe9])]));
  const odd = Buffer.concat([Buffer.from(`${join(cwd, 'tree')}/`), Buffer.from([0x66, 0xe9])]);
  mkdirSync(odd);
  mkdirSync(Buffer.concat([Buffer.from(`${join(cwd, 'tree')}/`), Buffer.from([0x67, 0xe9])]));
  mkdirSync(Buffer.concat([odd, Buffer.from('/deep')]));
  writeFileSync(Buffer.concat([odd, Buffer.from('/deep/definition.yaml')]), definition('c/odd-1'));
  writeFileSync(at('huge/definition.yaml'), `name: a\n#${'x'.repeat(5 << 20)}\n`);
  const { packages, diagnostics } = await loadTrees(['tree'], { cwd });
  assert.deepEqual(
    packages.map(({ key }) => key),
    ['c/ok-1'],
  );
  assert.deepEqual(brief(diagnostics), [
    'outside-tree tree/device/definition.yaml',
    'not-a-file tree/dir/definition.yaml',
    'not-a-file tree/fifo/definition.yaml',
    'not-utf8 tree/f\ufffd',
    'file-too-large tree/huge/definition.yaml',
    'empty-collection tree/inner/collection.yaml:1:1',
    'not-utf8 tree/latin/definition.yaml',
    'outside-tree tree/leak/definition.yaml',
    'linked-folder tree/linked',
    'unreadable tree/loop/definition.yaml',
  ]);
  assert.ok(!JSON.stringify(diagnostics).includes('secret:'));
});

test('what cannot be read is named', async (t) => {
  const cwd = folder(t, {
    'tree/a/definition.yaml': definition('c/a-1'),
    'tree/shut/definition.yaml': '',
    file: '',
  });
  const problems = async (root: string) => brief((await loadTrees([root], { cwd })).diagnostics);
  assert.deepEqual(await problems('nowhere'), ['no-tree nowhere']);
  assert.deepEqual(await problems('file'), ['no-tree file']);
  mkdirSync(join(cwd, 'empty'));
  assert.deepEqual(await problems('empty'), ['empty-tree empty']);
  chmodSync(join(cwd, 'tree/shut'), 0);
  // The superuser can read everything.
  if (process.getuid?.() !== 0) assert.deepEqual(await problems('tree'), ['unreadable tree/shut']);
  chmodSync(join(cwd, 'tree/shut'), 0o755);
  const { diagnostics } = await loadTrees(['tree'], {
    cwd,
    values: ['nowhere.yaml', 'file', 'tree/list.yaml'],
  });
  assert.deepEqual(brief(diagnostics), [
    'unreadable nowhere.yaml',
    'unreadable tree/list.yaml',
    'missing-name tree/shut/definition.yaml',
  ]);
});

test('a definition under a wrong name is found out', async (t) => {
  const tree = await treeOf(t, {
    'a/build.yaml': 'image: x\n',
    'a/defintion.yaml': definition('c/a-1'),
    'b/build.yaml': 'on: push\n',
    'c/definition.yaml': definition('c/c-1'),
  });
  assert.deepEqual(brief(tree.diagnostics), ['misnamed-file a/defintion.yaml']);
});

test('shared templates are checked also where nothing uses them', async (t) => {
  const tree = await treeOf(t, { 'templates/a.yaml': '{{ if }}', 'a/definition.yaml': definition('c/a-1') });
  assert.ok(tree.diagnostics.length > 0);
  assert.ok(tree.diagnostics.every(({ code }) => code === 'template-syntax'));
  assert.equal(tree.packages[0]?.errors.length, 0);
});

test('reading stops when it is told to', async (t) => {
  const cwd = folder(t, { 'a/definition.yaml': definition('c/a-1') });
  await assert.rejects(loadTrees(['.'], { cwd, signal: AbortSignal.abort(new Error('stop')) }), /stop/);
});

test('a rendered spec has the key names of the files and the effective provides', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1', 'provides: [{name: v, category: c, version: "2"}]\n'),
    'a/build.yaml': 'image: i\npackage_dir: /out\nsteps: [x]\n',
    'b/definition.yaml': definition('c/b-1', 'provides: [{name: v}]\n'),
    'b/build.yaml': 'provides: []\n',
    'c/definition.yaml': definition('c/c-1'),
  });
  const specs = tree.packages.map(renderedSpec);
  assert.deepEqual(specs[0]?.provides, [{ name: 'v', category: 'c', version: '2' }]);
  assert.equal(specs[0]?.package_dir, '/out');
  assert.deepEqual(specs[1]?.provides, []);
  assert.equal(specs[2], undefined);
});

test('the text of a rendered build spec is kept', async (t) => {
  const tree = await treeOf(t, {
    'a/definition.yaml': definition('c/a-1'),
    'a/build.yaml': '# {{ .Values.name }}\nimage: i\n',
  });
  assert.equal(tree.packages[0]?.rendered, '# a\nimage: i\n');
  assert.match(readFileSync(join(tree.packages[0]?.folder ?? '', 'build.yaml'), 'utf8'), /Values/);
});

test('with dockerfiles, any file with that word in its name makes a package, as in Luet', async (t) => {
  const files = {
    'a/Dockerfile': 'FROM x\n',
    'a/Dockerfile.other': 'FROM y\n',
    'b/Dockerfiles': 'FROM x\n',
    'c/arm.Dockerfile': 'FROM x\n',
    'd/dockerfile': 'FROM x\n',
    'e/Dockerfile.dockerignore': 'x\n',
    'f/Dockerfile.one': 'FROM x\n',
    'f/Dockerfile.two': 'FROM x\n',
    'g/definition.yaml': definition('c/g-1'),
    'g/build.yaml': 'image: i\n',
    'g/Dockerfile.x': 'FROM x\n',
    'Dockerfile.d/definition.yaml': definition('c/h-1'),
  };
  const tree = await treeOf(t, files, { dockerfiles: true });
  assert.deepEqual(
    tree.packages.map(
      ({ key, dockerfile }) => `${key} ${dockerfile?.replace(/^.*\/(.*\/.*)$/, '$1') ?? '-'}`,
    ),
    [
      ...['a a/Dockerfile', 'b b/Dockerfiles', 'c c/arm.Dockerfile', 'f f/Dockerfile.one'],
      ...['c/g-1 -', 'c/h-1 -'],
    ],
  );
  assert.deepEqual(brief(tree.diagnostics), ['several-dockerfiles f/Dockerfile.one']);
  assert.deepEqual(keys(await treeOf(t, files)), ['c/g-1', 'c/h-1']);
});
