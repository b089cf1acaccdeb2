import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { removeTree, removeTreeSync } from '../../src/disk/index.ts';

/** Folders within each other whose whole path no call takes: each is made from within the last. */
function deep(): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-deep-'));
  const name = 'd'.repeat(200);
  execFileSync('sh', ['-c', `for i in $(seq 30); do mkdir ${name} && cd -P ${name} || exit 1; done`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return folder;
}

test('what lies deeper than a path is long is removed', async () => {
  const [one, two] = [deep(), deep()];
  await removeTree(one);
  removeTreeSync(two);
  assert.equal(existsSync(one), false);
  assert.equal(existsSync(two), false);
  await removeTree(one);
  removeTreeSync(two);
});
