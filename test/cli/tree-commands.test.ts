import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { load } from 'js-yaml';
import { cli } from '../support/cli.ts';
import { definition, folder, forms } from '../tree/support.ts';

const files = {
  't/base/definition.yaml': definition('seed/base-1.0'),
  't/base/build.yaml': 'image: nowhere/none:1\n',
  't/lib/definition.yaml': definition('libs/lib-1.2.3'),
  't/lib/build.yaml': `${forms('requires', 'seed/base')}steps: [make]\n`,
  't/app/definition.yaml': definition('apps/app-2', forms('requires', 'libs/lib')),
  't/app/build.yaml': `${forms('requires', 'libs/lib')}steps: [make]\n`,
  't/data/definition.yaml': definition('apps/data-1'),
};

async function run(t: TestContext, words: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const cwd = folder(t, { ...files, ...more });
  return { cwd, ...(await cli(words, { cwd })) };
}

const names = (json: string): string[] =>
  (JSON.parse(json) as { packages: { name: string }[] }).packages.map(({ name }) => name);

test('pkglist lists packages in the shape that Luet gives them', async (t) => {
  const { code, stdout, stderr } = await run(t, ['tree', 'pkglist', '-t', 't', '-o', 'json']);
  assert.deepEqual([code, stderr], [0, '']);
  assert.deepEqual(JSON.parse(stdout).packages[0], {
    category: 'apps',
    image: '',
    name: 'app',
    path: 't/app',
    version: '2',
  });
  const yaml = await run(t, ['tree', 'pkglist', '-t', 't', '-o', 'yaml']);
  assert.deepEqual(load(yaml.stdout), JSON.parse(stdout));
  const here = await run(t, ['tree', 'pkglist', '-o', 'json', '-m', 'apps/app']);
  assert.equal(JSON.parse(here.stdout).packages[0].path, 't/app');
  const text = await run(t, ['tree', 'pkglist', '-t', 't']);
  assert.equal(text.stdout, 'apps/app\napps/data\nlibs/lib\nseed/base\n');
  const verbose = await run(t, ['tree', 'pkglist', '-t', 't', '-v', '-b']);
  assert.equal(verbose.stdout, 'apps/app-2\nlibs/lib-1.2.3\nseed/base-1.0\n');
  const about = 'description: |\n  Two\n  lines\nlicense: MIT\nuri: [https://a.example, https://b.example]\n';
  const full = await run(t, ['tree', 'pkglist', '-t', 't', '-f', '-m', 'apps/'], {
    't/data/definition.yaml': definition('apps/data-1', about),
  });
  assert.equal(
    full.stdout,
    'apps/app-2\napps/data-1\n  description: Two lines\n  license: MIT\n  uri: https://a.example\n  uri: https://b.example\n',
  );
});

test('pkglist chooses packages, and lists what they need and what needs them', async (t) => {
  const list = async (...words: string[]) =>
    names((await run(t, ['tree', 'pkglist', '-t', 't', '-o', 'json', ...words])).stdout);
  assert.deepEqual(await list('-m', '^apps/', '-e', 'data'), ['app']);
  assert.deepEqual(await list('-m', 'nothing'), []);
  assert.deepEqual(await list('-m', 'apps/app$'), ['app']);
  assert.deepEqual(await list('--deps', '-m', 'apps/app'), ['lib']);
  assert.deepEqual(await list('--deps', '-b', '-m', 'apps/app'), ['base', 'lib']);
  assert.deepEqual(await list('--revdeps', '-m', 'libs/lib'), ['app']);
  assert.deepEqual(await list('--revdeps', '--buildtime', '-m', 'seed/base'), ['app', 'lib']);
  for (const words of [
    ['--deps', '--revdeps'],
    ['-b', '--runtime'],
    ['-m', '('],
    ['-o', 'xml'],
  ])
    assert.equal((await run(t, ['tree', 'pkglist', ...words])).code, 2, words.join(' '));
});

test('pkglist fails where a definition cannot be read, and lists the rest', async (t) => {
  const more = { 't/bad/definition.yaml': 'name: [\n' };
  const { code, stdout, stderr } = await run(t, ['tree', 'pkglist', '-t', 't'], more);
  assert.deepEqual([code, stdout.split('\n').length], [1, 5]);
  assert.match(stderr, /^t\/bad\/definition\.yaml/);
  const broken = { 't/app/build.yaml': '{{ if }}' };
  assert.equal((await run(t, ['tree', 'pkglist', '-t', 't'], broken)).code, 0);
});

test('build --revdeps takes dependants along, and --pretend says so', async (t) => {
  const build = (...words: string[]) => run(t, ['build', '-t', 't', '--pretend', ...words]);
  assert.equal((await build('libs/lib')).stdout, 'seed/base-1.0\nlibs/lib-1.2.3\n');
  assert.equal((await build('libs/lib', '--revdeps')).stdout, 'seed/base-1.0\nlibs/lib-1.2.3\napps/app-2\n');
  const { stdout } = await build('libs/lib', '--revdeps', '-o', 'json');
  const rows: Record<string, unknown>[] = JSON.parse(stdout).packages;
  assert.deepEqual(
    rows.map(({ name, target }) => [name, target]),
    [
      ['base', 'libs/lib-1.2.3'],
      ['lib', 'libs/lib-1.2.3'],
      ['base', 'apps/app-2'],
      ['lib', 'apps/app-2'],
      ['app', 'apps/app-2'],
    ],
  );
  const full = await build('--full', '-o', 'json');
  assert.deepEqual(
    new Set(JSON.parse(full.stdout).packages.map((one: { target: string }) => one.target)),
    new Set(['apps/app-2']),
  );
});

test('images are null where nothing knows their base, and a finding says so', async (t) => {
  const words = ['tree', 'images', '-t', 't', '--engine', 'unix:///nowhere.sock'];
  const { code, stdout, stderr } = await run(t, [...words, 'apps/app', '-o', 'json']);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout).packages[0], {
    category: 'seed',
    image: null,
    name: 'base',
    path: '',
    version: '1.0',
  });
  assert.deepEqual(names(stdout), ['base', 'lib', 'app']);
  assert.match(stderr, /warning\[no-engine\]/);
  assert.match(stderr, /warning\[no-such-image\].*nowhere\/none:1/);
  assert.equal((await run(t, [...words, 'apps/data'])).code, 1);
});

test('bump writes the next version, or shows what it would change', async (t) => {
  const read = (cwd: string, name: string) => readFileSync(join(cwd, `t/${name}/definition.yaml`), 'utf8');
  const dry = await run(t, ['tree', 'bump', '-t', 't', 'libs/lib', '--dry-run']);
  assert.equal(dry.code, 0);
  assert.match(
    dry.stdout,
    /^--- a\/t\/lib\/definition\.yaml\n.*\n-version: "1\.2\.3"\n\+version: "1\.2\.3\+1"\n/s,
  );
  assert.equal(read(dry.cwd, 'lib'), files['t/lib/definition.yaml']);
  const real = await run(t, ['tree', 'bump', '-t', 't', 'libs/lib', '--minor', '--revdeps']);
  assert.deepEqual([real.code, real.stderr], [0, '']);
  assert.equal(read(real.cwd, 'lib'), files['t/lib/definition.yaml'].replace('1.2.3', '1.3.0'));
  assert.equal(read(real.cwd, 'app'), files['t/app/definition.yaml'].replace('"2"', '"2+1"'));
  assert.equal(read(real.cwd, 'base'), files['t/base/definition.yaml']);
  const given = await run(t, ['tree', 'bump', '-f', 't/lib/definition.yaml', '-p', '9', '-o']);
  assert.equal(given.stdout, files['t/lib/definition.yaml'].replace('1.2.3', '9'));
  assert.equal(read(given.cwd, 'lib'), files['t/lib/definition.yaml']);
});

test('bump refuses what it cannot do, and then writes nothing', async (t) => {
  const { code, cwd, stderr } = await run(t, ['tree', 'bump', '-t', 't', 'libs/lib', 'apps/app', '--patch']);
  assert.equal(code, 1);
  assert.match(stderr, /no-next-version.*apps\/app-2/);
  assert.equal(readFileSync(join(cwd, 't/lib/definition.yaml'), 'utf8'), files['t/lib/definition.yaml']);
  assert.equal((await run(t, ['tree', 'bump', '-t', 't', 'libs/none'])).code, 1);
  assert.equal((await run(t, ['tree', 'bump', '-f', 't/app/build.yaml'])).code, 1);
  for (const words of [[], ['a', '-f', 'x'], ['a', '--major', '--minor'], ['a', '--dry-run', '-o']])
    assert.equal((await run(t, ['tree', 'bump', ...words])).code, 2, words.join(' '));
});

test('graph draws in every format', async (t) => {
  const draw = (...words: string[]) => run(t, ['tree', 'graph', '-t', 't', ...words]);
  assert.match((await draw()).stdout, /^digraph tree \{.*"apps\/app-2" -> "libs\/lib-1\.2\.3";/s);
  assert.match((await draw('--format', 'mermaid', 'libs/lib')).stdout, /^flowchart LR\n/);
  const svg = (await draw('--format', 'svg', 'apps/app')).stdout;
  assert.match(svg, /<svg .*<\/svg>\s*$/s);
  assert.equal(svg.match(/class="node"/g)?.length, 3);
  const data = JSON.parse((await draw('--format', 'json', '--runtime', 'apps/app')).stdout);
  assert.deepEqual(
    [data.view, data.packages.length, data.needs[0].origin],
    ['runtime', 2, 't/app/definition.yaml:5'],
  );
  assert.equal((await draw('apps/data')).code, 1);
  assert.equal((await draw('--runtime', 'apps/data')).code, 0);
});

test('why shows ways, and fails where there is none', async (t) => {
  const why = (...words: string[]) => run(t, ['tree', 'why', '-t', 't', ...words]);
  const { code, stdout } = await why('apps/app', 'seed/base');
  assert.equal(code, 0);
  assert.equal(
    stdout,
    [
      'apps/app-2 needs seed/base at build time:',
      '  apps/app-2',
      '    requires libs/lib >=0 (t/app/build.yaml:2) → libs/lib-1.2.3',
      '    requires seed/base >=0 (t/lib/build.yaml:2) → seed/base-1.0',
      'apps/app-2 does not need seed/base at run time',
      '',
    ].join('\n'),
  );
  assert.equal((await why('--runtime', 'apps/app', 'seed/base')).code, 1);
  const data = JSON.parse((await why('-o', 'json', 'apps/app', 'libs/lib')).stdout);
  assert.deepEqual(
    data.map(({ view, count }: { view: string; count: number }) => [view, count]),
    [
      ['buildtime', 1],
      ['runtime', 1],
    ],
  );
  assert.equal((await why('apps/app', 'libs/lob')).code, 1);
});

test('explain gives reasons for a yes and for a no', async (t) => {
  const explain = (...words: string[]) => run(t, ['tree', 'explain', '-t', 't', ...words]);
  const yes = await explain('apps/app');
  assert.equal(yes.code, 0);
  assert.match(yes.stdout, /^solution for apps\/app at build time, 3 packages:\n/);
  assert.match(yes.stdout, / {4}apps\/app-2 requires libs\/lib >=0 \(t\/app\/build\.yaml:2\)\n/);
  const no = await explain('apps/app', 'libs/lib@<1');
  assert.equal(no.code, 1);
  assert.match(no.stdout, /no solution for .* at build time:\n {2}the request requires libs\/lib <1, but/);
  assert.match((await explain('apps/data')).stdout, /at run time/);
  const data = JSON.parse((await explain('-o', 'json', 'libs/lib@<1')).stdout);
  assert.deepEqual([data.ok, data.view, data.core[0].selector], [false, 'buildtime', '<1']);
  assert.equal((await explain('a/b/c')).code, 2);
});

test('util template prints what a template gives', async (t) => {
  const more = { 'b.yaml': 'v: {{ .Values.version }}\n' };
  const good = await run(t, ['util', 'template', 'b.yaml', '--values', 't/lib/definition.yaml'], more);
  assert.deepEqual([good.code, good.stdout, good.stderr], [0, 'v: 1.2.3\n', '']);
  const bad = await run(t, ['util', 'template', 'b.yaml'], { 'b.yaml': 'a\n{{ fail "no" }}\n' });
  assert.deepEqual([bad.code, bad.stdout], [1, '']);
  assert.match(bad.stderr, /^b\.yaml:2:4: error\[template-error\]/);
  assert.deepEqual((await run(t, ['util', 'template', '-'])).stdout, '');
});

test('every command has a description and examples in its help', async (t) => {
  const commands = ['pkglist', 'images', 'bump', 'graph', 'why', 'explain', 'validate', 'render'].map((c) => [
    'tree',
    c,
  ]);
  for (const words of [...commands, ['util', 'template'], ['build'], ['engine']]) {
    const { code, stdout } = await run(t, [...words, '--help']);
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`\nEXAMPLES\n.*luet-ts ${words.join(' ')}`), words.join(' '));
  }
});
