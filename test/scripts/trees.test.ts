import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';

const root = join(import.meta.dirname, '../..');
/** Trees of examples; one that works on any tree has none of its own. */
const examples = readdirSync(join(root, 'examples')).filter((name) =>
  existsSync(join(root, 'examples', name, 'tree')),
);

for (const tree of ['tree', ...examples.map((name) => `examples/${name}/tree`)]) {
  test(`nothing is wrong with ${tree}, and each of its packages can be solved`, () => {
    const words = ['tree', 'validate', '--strict', '-s', tree];
    const { status, stdout, stderr } = spawnSync(join(root, 'bin/luet-ts'), words, {
      cwd: root,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stdout + stderr);
  });
}
