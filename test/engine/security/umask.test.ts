import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { luetTs } from '../../support/cli.ts';
import { writeTree } from '../../support/site.ts';

/* What other users can put where this one runs it. */

const validate = (home: string, tree: string): string => {
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: home };
  return execFileSync('sh', ['-c', 'umask 000; exec "$0" "$@"', luetTs, 'tree', 'validate', tree], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
};

test('nothing that is made can be written to by everybody, and code comes from no cache of another user', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-umask-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeTree(join(folder, 'tree'), { a: { build: { image: 'x' } } });
  const [own, other] = [join(folder, 'own'), join(folder, 'other')];
  mkdirSync(own);
  validate(own, join(folder, 'tree'));
  const made = execFileSync('find', [own, '-mindepth', '1'], { encoding: 'utf8' });
  assert.match(made, /luet-ts\/node\//);
  const open = execFileSync('find', [own, '-perm', '-o+w', '!', '-type', 'l'], { encoding: 'utf8' });
  assert.equal(open, '');
  if (process.getuid?.() !== 0) return;
  const cache = join(other, '.cache/luet-ts/node');
  mkdirSync(cache, { recursive: true });
  chownSync(cache, 65_534, 65_534);
  validate(other, join(folder, 'tree'));
  assert.deepEqual(readdirSync(cache), []);
});
