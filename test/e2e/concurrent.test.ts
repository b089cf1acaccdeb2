import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { insight } from '../support/insight.ts';
import { makeSite, needs, onBase, type PackageFiles, written } from '../support/site.ts';

const tree = (): Record<string, PackageFiles> => ({
  seed: { build: onBase('echo seed >/seed') },
  left: { build: { ...needs('seed'), steps: ['cat /seed >/left; sleep 0.1'] } },
  right: { build: { ...needs('seed'), steps: ['cat /seed >/right'] } },
  top: { build: { ...needs('left', 'right'), steps: ['cat /left /right >/top'] } },
});

test('runs at once, into one folder and into two', { timeout: 120_000 }, async (t) => {
  const site = makeSite(t, tree());
  const runs = [
    site.spawn(['--all']),
    site.spawn(['--all']),
    site.spawn(['--all', '--destination', 'other']),
    site.spawn(['--all', '--destination', 'third', '--keep-images=false', '--rebuild']),
  ];
  for (const run of runs) assert.equal(await run.ended, 0, run.output());
  const packages = written(site.out);
  assert.equal(packages.size, 8);
  assert.deepEqual(written(join(site.folder, 'other')), packages);
  assert.deepEqual(written(join(site.folder, 'third')), packages);
  // The right one stands on the seed alone, and for the top on the left one, too.
  assert.equal((await site.images()).length, 5);
});

test('many runs at once in one process', { timeout: 120_000 }, async (t) => {
  const site = makeSite(t, tree());
  const names = ['1', '2', '3', '4'];
  const answers = await Promise.all(
    names.map((name) => site.build(['--all', '--destination', name, '--concurrency', '3', '--rebuild'])),
  );
  for (const { code, stderr } of answers) assert.equal(code, 0, stderr);
  for (const name of names)
    assert.deepEqual(written(join(site.folder, name)), written(join(site.folder, '1')));
  const api = await insight();
  assert.deepEqual(await api.ofThisProcess(), []);
  api.close();
});
