import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { load } from 'js-yaml';
import { cli } from '../support/cli.ts';
import { definition, folder, forms } from './support.ts';

type Files = Readonly<Record<string, string>>;

async function run(t: TestContext, files: Files, ...words: readonly string[]) {
  const answer = await cli(['tree', ...words], {
    cwd: folder(t, files),
    env: { SOURCE_DATE_EPOCH: '86400' },
  });
  return { code: answer.code, out: answer.stdout, err: answer.stderr };
}

const good: Files = {
  'base/definition.yaml': definition('s/base-1'),
  'base/build.yaml': 'image: i\n',
  'a/definition.yaml': definition('c/a-1.10', 'own: x\n'),
  'a/build.yaml': `${forms('requires', 's/base')}steps:\n- echo {{ .Values.own }} {{ .Values.version }}\n`,
};
const bad: Files = {
  ...good,
  'b/definition.yaml': definition('c/b-1', forms('requires', 's/none')),
  'b/build.yaml': 'image: i\nwhat: [x]\n',
};

test('a tree without mistakes validates', async (t) => {
  assert.deepEqual(await run(t, good, 'validate'), {
    code: 0,
    out: '2 packages: nothing is wrong\n',
    err: '',
  });
});

test('findings are shown with their lines, and errors fail the command', async (t) => {
  const { code, out, err } = await run(t, bad, 'validate', '.');
  assert.deepEqual([code, err], [1, '']);
  assert.match(out, /^b\/build\.yaml:2:1: warning\[unknown-key\]: c\/b-1: .*\n {2}2 \| what: \[x\]\n/);
  assert.match(out, /b\/definition\.yaml:5:3: error\[missing-requirement\]/);
  assert.match(out, /\n3 packages: 1 error, 1 warning\n$/);
});

test('keys that are given twice are warnings in every kind of file, and build what Luet builds', async (t) => {
  const files: Files = {
    'def/definition.yaml':
      'name: first\nname: def\ncategory: c\nversion: "1"\nversion: "2"\nextra: e1\nextra: e2\nmap:\n  k: m1\n  k: m2\n',
    'def/build.yaml':
      'image: one\nimage: two\nsteps:\n- a\nsteps:\n- b {{ .Values.extra }} {{ .Values.map.k }} {{ .Values.over }} {{ .Values.deep }}\nenv: [A=1]\nenv: [A=2]\n',
    'def/finalize.yaml': 'install: [a]\ninstall: [b]\n',
    'coll/collection.yaml':
      'packages:\n- {name: lost, category: c, version: "1"}\npackages:\n- &d {name: c1, name: c2, category: c, version: "3"}\n- version: "9"\n  <<: *d\n  name: c3\n',
    'coll/build.yaml':
      'copy:\n- image: one\n  source: /a\n  source: /b\n  destination: /x\n  destination: /y\n',
    'v.yaml': 'over: v1\nover: v2\ndeep: {x: d1}\ndeep: {y: d2}\n',
  };
  const rendered = await run(t, files, 'render', '--values', 'v.yaml', '-o', 'json');
  assert.deepEqual([rendered.code, rendered.err], [0, '']);
  const specs = (JSON.parse(rendered.out) as Record<string, unknown>[]).map(
    ({ name, version, image, steps, env, copy }) => ({ name, version, image, steps, env, copy }),
  );
  const copy = [{ image: 'one', source: '/b', destination: '/y' }];
  const none = { image: undefined, steps: [], env: [] };
  assert.deepEqual(specs, [
    { name: 'c2', version: '3', ...none, copy },
    { name: 'c3', version: '3', ...none, copy },
    { name: 'def', version: '2', image: 'two', steps: ['b e2 m2 v2 map[y:d2]'], env: ['A=2'], copy: [] },
  ]);
  const { code, out } = await run(t, files, 'validate', '--values', 'v.yaml', '-o', 'json');
  const found: { code: string; severity: string; place: { file: string; line: number } }[] = JSON.parse(out);
  assert.equal(code, 0);
  assert.ok(
    found.every((one) => one.code === 'yaml-duplicate-key' && one.severity === 'warning'),
    out,
  );
  assert.deepEqual(
    found.map(({ place: { file, line } }) => `${file}:${line}`),
    [
      ...[4, 6].map((line) => `coll/build.yaml:${line}`),
      ...[3, 4, 6].map((line) => `coll/collection.yaml:${line}`),
      ...[2, 5, 8].map((line) => `def/build.yaml:${line}`),
      ...[2, 5, 7, 10].map((line) => `def/definition.yaml:${line}`),
      'def/finalize.yaml:2',
      ...[2, 4].map((line) => `v.yaml:${line}`),
    ],
  );
  const strict = await run(t, files, 'validate', '--values', 'v.yaml', '--strict');
  assert.equal(strict.code, 1);
  assert.match(strict.out, /0 errors, 15 warnings/);
});

test('what is looked at can be chosen', async (t) => {
  assert.equal((await run(t, bad, 'validate', '--only-buildtime')).code, 0);
  assert.equal((await run(t, bad, 'validate', '--only-buildtime', '--strict')).code, 1);
  assert.equal((await run(t, bad, 'validate', '--only-runtime')).code, 1);
  assert.equal((await run(t, bad, 'validate', '-e', '^c/b{1,2}')).code, 0);
  assert.equal((await run(t, bad, 'validate', '-m', 'c/a', '-m', 'base')).code, 0);
  assert.equal((await run(t, bad, 'validate', '-m', 'c/', '-s')).code, 1);
  assert.equal((await run(t, bad, 'validate', '--only-runtime', '--only-buildtime')).code, 2);
  assert.equal((await run(t, bad, 'validate', '-e', '(')).code, 2);
  assert.equal((await run(t, bad, 'validate', '-o', 'xml')).code, 2);
  assert.equal((await run(t, bad, 'validate', 'nowhere')).code, 1);
});

test('findings are data where that is asked for', async (t) => {
  const { code, out } = await run(t, bad, 'validate', '-o', 'json');
  assert.equal(code, 1);
  const findings: { code: string; severity: string; place: object; package: string }[] = JSON.parse(out);
  assert.deepEqual(
    findings.map(({ code: of, severity, place, package: about }) => [of, severity, place, about]),
    [
      ['unknown-key', 'warning', { file: 'b/build.yaml', line: 2, column: 1, endColumn: 5 }, 'c/b-1'],
      ['missing-requirement', 'error', { file: 'b/definition.yaml', line: 5, column: 3 }, 'c/b-1'],
    ],
  );
  assert.equal((await run(t, good, 'validate', '-o', 'json')).out, '[]\n');
});

test('build specs are rendered as JSON and as YAML, which say the same', async (t) => {
  const json = await run(t, good, 'render', '-o', 'json');
  const specs: { name: string; version: string; steps: string[] }[] = JSON.parse(json.out);
  assert.deepEqual([json.code, json.err], [0, '']);
  assert.deepEqual(
    specs.map(({ name, version, steps }) => [name, version, steps]),
    [
      ['a', '1.10', ['echo x 1.10']],
      ['base', '1', []],
    ],
  );
  const yaml = await run(t, good, 'render');
  assert.deepEqual(
    yaml.out.split('---\n').map((text) => load(text)),
    specs,
  );
});

test('packages that fail to render are findings, and the others are printed', async (t) => {
  const files = {
    ...good,
    'b/definition.yaml': definition('c/b-1'),
    'b/build.yaml': 'image: i\nsteps: [{{ fail "not today" }}]\n',
    'c/definition.yaml': definition('c/c-1'),
  };
  const { code, out, err } = await run(t, files, 'render', '-o', 'json');
  assert.equal(code, 1);
  assert.deepEqual(
    (JSON.parse(out) as { name: string }[]).map(({ name }) => name),
    ['a', 'base'],
  );
  assert.match(err, /^b\/build\.yaml:2:12: error\[template-error\]: c\/b-1: .*not today/);
  const one = await run(t, files, 'render', '-o', 'json', 'c/a', 'base', 'c/a@1.10');
  assert.deepEqual([one.code, one.err, JSON.parse(one.out).length], [0, '', 2]);
  const none = await run(t, files, 'render', 'c/aa', 'nothing');
  assert.equal(none.code, 1);
  assert.match(none.err, /c\/aa.*nothing/s);
});

test('values files and the time of the environment reach templates', async (t) => {
  const files = {
    ...good,
    'v.yaml': 'own: y\n',
    'list.yaml': '- y\n',
    'd/definition.yaml': definition('c/d-1'),
    'd/build.yaml': 'image: i\nenv: ["D={{ now | date "2006-01-02" }}"]\n',
  };
  const { out } = await run(t, files, 'render', '--values', 'v.yaml', '-o', 'json');
  const specs: { steps: string[]; env: string[] }[] = JSON.parse(out);
  assert.deepEqual([specs[0]?.steps, specs[1]?.env], [['echo true 1.10'], ['D=1970-01-02']]);
  const wrong = await run(t, files, 'render', '--values', 'list.yaml');
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /^list\.yaml: error\[values-file\]/);
  assert.equal((await run(t, files, 'render', '--values', 'nowhere.yaml')).code, 1);
});
