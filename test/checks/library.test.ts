import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import * as luet from '../../src/index.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

test('the library has few names, and its page tells of each function', () => {
  const page = read('docs/library.md');
  const values = Object.keys(luet);
  assert.deepEqual(
    values.filter((name) => !page.includes(name)),
    ['EngineError', 'ImageError'].filter((name) => !page.includes(name)),
  );
  const source = read('src/index.ts').replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '');
  const names = [...source.matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, list = '']) => list.split(','))
    .filter((one) => one.trim() !== '');
  assert.ok(names.length <= 60, `${names.length} names`);
});

test('the page lists the options of build, and no other', () => {
  const page = read('docs/library.md');
  const source = read('src/library/build.ts');
  const [, body = ''] = /interface BuildTreeOptions([\s\S]*?)\n\}/.exec(source) ?? [];
  const picked = [...(/Pick<BuildOptions, ([^>]*)>/.exec(body)?.[1] ?? '').matchAll(/'(\w+)'/g)].map(
    ([, name]) => name,
  );
  const own = [...body.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
  const [, table = ''] = /## build\n([\s\S]*?)\nIt resolves/.exec(page) ?? [];
  const rows = table.split('\n').filter((row) => row.startsWith('| `'));
  const listed = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  assert.deepEqual(listed.sort(), [...own, ...picked].sort());
});
