import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { insight } from '../support/insight.ts';
import { makeSite, needs, onBase, type PackageFiles, runOf, type Site, work } from '../support/site.ts';

/** Packages on a seed that do not wait for each other. */
const leaves = (...names: readonly string[]): Record<string, PackageFiles> =>
  Object.fromEntries(
    names.map((name) => [name, { build: { ...needs('seed'), steps: [`echo ${name} >/${name}`] } }]),
  );

const run = async (site: Site): Promise<string[]> => {
  const answer = await site.build(['--all', '--concurrency', '1'], { env: { XDG_STATE_HOME: site.folder } });
  assert.equal(answer.code, 0, answer.stderr);
  return work(answer).map((line) => line.replace(/^run /, ''));
};

test('the longest way goes first, and an image that is just made does not wait for what waits already', async (t) => {
  const site = makeSite(t, {
    seed: { build: onBase('echo seed >/seed') },
    ...leaves('a', 'b', 'c'),
    x: { build: { ...needs('seed'), steps: ['cat /seed >/x'] } },
    y: { build: { ...needs('x'), steps: ['cat /x >/y'] } },
    z: { build: { ...needs('y'), steps: ['cat /y >/z'] } },
  });
  const order = await run(site);
  assert.deepEqual(order.slice(0, 3), ['seed', 'x', 'y']);
  assert.deepEqual(order.slice(3).sort(), ['a', 'b', 'c', 'z']);
});

test('what took long before goes first', async (t) => {
  const site = makeSite(t, { seed: { build: onBase('echo seed >/seed') }, ...leaves('a', 'slow', 'b') });
  const milliseconds = { 't/a-1': 10, 't/b-1': 20, 't/slow-1': 30 };
  mkdirSync(join(site.folder, 'luet-ts'));
  writeFileSync(join(site.folder, 'luet-ts/history.json'), JSON.stringify({ version: 1, milliseconds }));
  assert.deepEqual(await run(site), ['seed', 'slow', 'b', 'a']);
});

/** One that goes first, because another waits for it, and others that wait for a place. */
const behind = (step: string): Record<string, PackageFiles> => ({
  seed: { build: onBase('echo seed >/seed') },
  first: { build: { ...needs('seed'), steps: [step] } },
  after: { build: { ...needs('first'), steps: ['true'] } },
  ...leaves('a', 'b', 'c'),
});

test('nothing is left of what was opened for packages that are then not built', async (t) => {
  const api = await insight();
  t.after(() => api.close());
  const site = makeSite(t, behind('sleep 1; exit 1'));
  const answer = await site.build(['--all', '--concurrency', '1']);
  assert.equal(answer.code, 1);
  assert.deepEqual(work(answer), ['run seed', 'run first']);
  assert.deepEqual(await api.ofThisProcess(), []);
});

test('an interrupted build takes along what it opened ahead', { timeout: 60_000 }, async (t) => {
  const api = await insight();
  t.after(() => api.close());
  const site = makeSite(t, behind('echo asleep; while :; do sleep 1000; done'));
  const run = site.spawn(['--all', '--concurrency', '1']);
  await run.until(/\| asleep/);
  const name = runOf(site);
  // One that runs, and one ahead.
  while ((await api.leftovers(name)).containers.length < 2) await setTimeout(50);
  run.child.kill('SIGINT');
  assert.equal(await run.ended, 130, run.output());
  assert.deepEqual(await api.leftovers(name), { containers: [], images: [] });
});
