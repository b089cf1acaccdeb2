import assert from 'node:assert/strict';
import test from 'node:test';
import { checkCircles, checkFile } from '../../scripts/check-rooms.ts';
import { readModule } from '../../scripts/module-facts.ts';

const says = (file: string, source: string): string[] =>
  checkFile(file, readModule(file, source)).map(({ line, message }) => `${line}: ${message}`);

test('a room imports from the rooms above it, by their index', () => {
  assert.deepEqual(
    says('tree/a.ts', "import { x } from '../spec/index.ts';\nimport { y } from './b.ts';\n"),
    [],
  );
  assert.deepEqual(says('spec/a.ts', "\nimport { x } from '../tree/index.ts';\n"), [
    '2: spec/ is above tree/ and may not import from it',
  ]);
  assert.deepEqual(says('tree/deep/a.ts', "export * from '../../spec/types.ts';\n"), [
    '1: of spec/ other rooms import only its index.ts, not spec/types.ts',
  ]);
  assert.deepEqual(says('plan/a.ts', "const { x } = await import('../execute/index.ts');\n"), [
    '1: plan/ is above execute/ and may not import from it',
  ]);
  assert.deepEqual(says('spec/a.ts', "import type { E } from '../engine/index.ts';\n"), [
    '1: spec/ knows nothing of engine/',
  ]);
});

test('the library names every room by its index', () => {
  assert.deepEqual(says('index.ts', "export * from './execute/index.ts';\n"), []);
  assert.equal(says('index.ts', "export * from './execute/run.ts';\n").length, 1);
});

test('a room that the house does not know is found', () => {
  assert.match(says('cellar/a.ts', '').join(), /cellar\/ is no room/);
  assert.match(says('cli/a.ts', "import '../cellar/index.ts';").join(), /cellar\/ is no room/);
});

test('some packages belong to one folder', () => {
  assert.deepEqual(says('execute/a.ts', "import Docker from 'dockerode';"), [
    '1: only src/engine/docker/ imports dockerode',
  ]);
  assert.deepEqual(says('engine/docker/a.ts', "const d = await import('dockerode');"), []);
});

test('clock, chance and surroundings enter in cli/', () => {
  assert.match(says('execute/a.ts', '\nconst t = Date.now();').join(), /^2: the clock .*Date\.now/);
  assert.match(says('execute/a.ts', 'const h = process.env.HOME;').join(), /process enters in src\/cli/);
  assert.match(says('artifact/a.ts', 'Math.random() + 1').join(), /randomness/);
  assert.deepEqual(says('cli/a.ts', 'const t = Date.now();'), []);
});

test('the clock, chance and surroundings are found however they are written', () => {
  for (const [source, found] of [
    ['globalThis.process.env.HOME', 'process'],
    ["process['env'].HOME", 'process'],
    ['process[`exit`](1)', 'process'],
    ['process[name]', 'process'],
    ['const { env } = process', 'process'],
    ['const now = Date.now', 'the clock'],
    ['new Date', 'the clock'],
    ['Date()', 'the clock'],
    ['const chance = Math.random', 'randomness'],
    ['crypto.randomBytes(4)', 'randomness'],
    ['os.homedir()', 'machine'],
    ['tmpdir()', 'machine'],
  ] as const) {
    assert.match(says('execute/a.ts', source).join(), new RegExp(`^1: .*${found}`), source);
    assert.deepEqual(says('cli/a.ts', source), [], source);
  }
  for (const source of ['process.getuid?.()', 'new Date(5)', 'Date.UTC(1980, 0)', 'x.env', 'text.toString()'])
    assert.deepEqual(says('execute/a.ts', source), [], source);
});

test('folders are not made by a recursive mkdir of Node', () => {
  for (const source of [
    'mkdirSync(path, { recursive: true })',
    'await fs.mkdir(path, { mode: 0o700, recursive: true })',
  ])
    assert.match(says('cli/a.ts', source).join(), /makeFolder of disk/, source);
  for (const source of [
    'mkdirSync(path)',
    'mkdirSync(path, { recursive: false })',
    'makeFolder(path)',
    'rmSync(path, { recursive: true })',
  ])
    assert.deepEqual(says('cli/a.ts', source), [], source);
});

test('imports are found in whatever form', () => {
  for (const source of [
    "import '../cli/index.ts';",
    "import type { C } from '../cli/index.ts';",
    "import { type C } from '../cli/index.ts';",
    "export { c } from '../cli/index.ts';",
    "export type * from '../cli/index.ts';",
    "type C = import('../cli/index.ts').C;",
    "await import(\n  '../cli/index.ts',\n);",
    'await import(`../cli/index.ts`);',
    "const c = require('../cli/index.ts');",
  ])
    assert.deepEqual(says('spec/a.ts', source).length, 1, source);
  assert.match(says('spec/a.ts', 'await import(name);').join(), /has to be written out/);
});

test('words in comments, strings and expressions are no imports and no clock', () => {
  const source = [
    "// import x from '../cli/index.ts'",
    "/* Date.now() */ const s = 'process.env'; const r = /'/; const t = `from`;",
    'const u = "import \'../cli/index.ts\'"; const v = `from "../cli/index.ts"`;',
    "const w = /from '..\\/cli\\/index.ts'/; const x = { process: { env: 1 } };",
  ];
  assert.deepEqual(says('spec/a.ts', source.join('\n')), []);
});

test('files that import each other in a circle are found, but for types and what is loaded later', () => {
  const circles = (sources: Readonly<Record<string, string>>): string[] => {
    const modules = Object.entries(sources).map(([file, text]) => [file, readModule(file, text)] as const);
    return checkCircles(new Map(modules)).map(({ file, line, message }) => `${file}:${line} ${message}`);
  };
  const two = { 'a/one.ts': "\nimport { t } from './two.ts';", 'a/two.ts': "export * from '../a/one.ts';" };
  assert.deepEqual(circles(two), [
    'src/a/two.ts:1 files import each other in a circle: a/one.ts → a/two.ts → a/one.ts',
  ]);
  for (const back of ["import type { O } from './one.ts';", "await import('./one.ts');", "import 'one.ts';"])
    assert.deepEqual(circles({ ...two, 'a/two.ts': back }), [], back);
  const long = {
    ...two,
    'a/two.ts': "import './three.ts';",
    'a/three.ts': "import './two.ts';\nimport './one.ts';",
  };
  assert.equal(circles(long).length, 2);
});

test('an object that lists the methods of another one is found, however they are written', () => {
  const found = [
    '1: list, close are listed only to call them on engine, which drops what is not listed: use overriding of engine/',
  ];
  for (const body of [
    '{ list: (name) => engine.list(name), close: () => engine.close() }',
    '{ list(name) { return engine.list(name); }, close: async () => await engine.close() }',
    '{ list: function (...given) { return engine.list(...given); }, more: 1, close: () => { return engine.close(); } }',
  ])
    assert.deepEqual(says('execute/a.ts', `const x = ${body};`), found, body);
  assert.deepEqual(says('execute/a.ts', 'const x = { ...more, list: () => engine.list() };'), []);
  assert.deepEqual(says('execute/a.ts', 'const x = { list: () => a.list(), close: () => b.close() };'), []);
  assert.deepEqual(says('execute/a.ts', 'const x = { list: () => a.find(), close: () => a.end() };'), []);
});
