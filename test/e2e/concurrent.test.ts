import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import test from 'node:test';
import { testEngine } from '../support/engine.ts';
import { insight } from '../support/insight.ts';
import { makeSite, needs, onBase, type PackageFiles, type Site, written } from '../support/site.ts';

/** Packages whose names are this test's alone. */
const tree = (own: string): Record<string, PackageFiles> => ({
  [`seed${own}`]: { build: onBase('echo seed >/seed') },
  [`left${own}`]: { build: { ...needs(`seed${own}`), steps: ['cat /seed >/left; sleep 0.1'] } },
  [`right${own}`]: { build: { ...needs(`seed${own}`), steps: ['cat /seed >/right'] } },
  [`top${own}`]: { build: { ...needs(`left${own}`, `right${own}`), steps: ['cat /left /right >/top'] } },
});

const ownName = (): string => randomBytes(4).toString('hex');

/** Names are keys, so of images that were made twice one has no name: nothing is left of it, neither at once nor later. */
async function assertNoneNameless(site: Site, own: string): Promise<void> {
  const [api, engine] = [await insight(), await testEngine()];
  try {
    assert.deepEqual(await api.nameless(own), []);
    for (const tag of await site.images()) await engine.remove(`${site.repository}:${tag}`);
    assert.deepEqual(await api.nameless(own), []);
  } finally {
    api.close();
    await engine.close();
  }
}

test('runs at once, into one folder and into two', { timeout: 120_000 }, async (t) => {
  const own = ownName();
  const site = makeSite(t, tree(own));
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
  await assertNoneNameless(site, own);
});

test('many runs at once in one process', { timeout: 120_000 }, async (t) => {
  const own = ownName();
  const site = makeSite(t, tree(own));
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
  await assertNoneNameless(site, own);
});
