import assert from 'node:assert/strict';
import test from 'node:test';
import { checkFile } from '../../scripts/check-rooms.ts';

const says = (file: string, source: string): string[] =>
  checkFile(file, source).map(({ line, message }) => `${line}: ${message}`);

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

test('words in comments, strings and expressions are no imports and no clock', () => {
  const source = [
    "// import x from '../cli/index.ts'",
    "/* Date.now() */ const s = 'process.env'; const r = /'/; const t = `from`;",
    'const u = "import \'../cli/index.ts\'";',
  ];
  assert.deepEqual(says('spec/a.ts', source.slice(0, 2).join('\n')), []);
});
