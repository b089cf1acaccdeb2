import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '../..');
const sources = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'));
const documented = [
  ...readFileSync(join(root, 'docs/diagnostics.md'), 'utf8').matchAll(/^\| `([a-z0-9-]+)` \|/gm),
].map(([, code = '']) => code);

test('every code of a finding is documented once', () => {
  assert.deepEqual([...new Set(documented)].sort(), documented.toSorted());
  const given =
    /\bcode: '([a-z0-9-]+)'|\b(?:fileProblem|failed|templateProblems?|#report)\(\s*'([a-z0-9-]+)'/g;
  const used = new Set(sources.flatMap((text) => [...text.matchAll(given)].map(([, a, b]) => a ?? b ?? '')));
  assert.ok(used.size > 30);
  assert.deepEqual(
    [...used].filter((code) => !documented.includes(code)),
    [],
  );
});

test('every documented code is used', () => {
  const all = sources.join('\n');
  assert.deepEqual(
    documented.filter((code) => !all.includes(`'${code}'`)),
    [],
  );
});

test('every key of the spec files is documented', () => {
  const guide = readFileSync(join(root, 'docs/spec.md'), 'utf8');
  const keys = sources
    .flatMap((text) => [...text.matchAll(/_KEYS: ReadonlySet<string> = new Set\(\[([^\]]*)\]/g)])
    .flatMap(([, list = '']) => [...list.matchAll(/'([a-z_]+)'/g)].map(([, key = '']) => key));
  assert.ok(keys.length > 30);
  assert.deepEqual(
    keys.filter((key) => !guide.includes(`\`${key}\``)),
    [],
  );
});
