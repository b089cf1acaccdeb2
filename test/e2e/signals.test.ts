import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { type Insight, insight, untilGone } from '../support/insight.ts';
import { makeSite, needs, onBase, type Running, runOf, type Site } from '../support/site.ts';

let api: Insight;
before(async () => {
  api = await insight();
});
after(() => api.close());

/** The second package sleeps for longer than any test may take, and does not listen to signals. */
const tree = {
  a: { build: onBase('echo a > /a') },
  b: {
    build: {
      ...needs('a'),
      steps: ['echo b > /b; trap "" INT TERM HUP; echo asleep; while :; do sleep 1000; done'],
    },
  },
};

/** Starts the build and waits until the second package sleeps and the first is written, which go on at once. */
async function asleep(site: Site, ...flags: readonly string[]): Promise<Running> {
  const run = site.spawn(['t/b', ...flags]);
  await run.until(/\| asleep/);
  await run.until(/t\/a-1: built in/);
  return run;
}

/** What a run that was told to end has to have left: whole packages, and nothing else. */
function nothingHalf(site: Site): void {
  const left = readdirSync(site.out).sort();
  assert.deepEqual(left, ['a-t-1.metadata.yaml', 'a-t-1.package.tar']);
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends a build in the middle of a step with ${code}`, { timeout: 60_000 }, async (t) => {
    const site = makeSite(t, tree);
    const run = await asleep(site, '--keep-images=false');
    const name = runOf(site);
    assert.notDeepEqual((await api.leftovers(name)).containers, []);
    run.child.kill(signal);
    assert.equal(await run.ended, code, run.output());
    assert.deepEqual(await api.leftovers(name), { containers: [], images: [] });
    nothingHalf(site);
    assert.deepEqual(readdirSync(join(site.temporary, `luet-ts-${process.getuid?.()}`)), []);
    assert.doesNotMatch(run.output(), /failed|bug/);
  });
}

test('a second signal does not wait for anything', { timeout: 60_000 }, async (t) => {
  const site = makeSite(t, tree);
  const run = await asleep(site);
  const name = runOf(site);
  run.child.kill('SIGTERM');
  run.child.kill('SIGINT');
  // Which of two pending signals comes first is not ours to say.
  assert.ok([130, 143].includes((await run.ended) as number), run.output());
  await untilGone(api, name);
  nothingHalf(site);
});

test('a killed run takes its step with it, and the next one its folder', { timeout: 60_000 }, async (t) => {
  const site = makeSite(t, tree);
  const run = await asleep(site);
  const name = runOf(site);
  run.child.kill('SIGKILL');
  assert.equal(await run.ended, 'SIGKILL');
  await untilGone(api, name);
  nothingHalf(site);
  const folder = join(site.temporary, `luet-ts-${process.getuid?.()}`, name);
  assert.ok(existsSync(folder));
  const next = site.spawn(['t/a']);
  assert.equal(await next.ended, 0, next.output());
  assert.ok(!existsSync(folder));
});

test('what a killed run made for itself alone goes at the next start', { timeout: 60_000 }, async (t) => {
  const site = makeSite(t, tree);
  const run = await asleep(site, '--keep-images=false');
  const name = runOf(site);
  assert.equal((await api.leftovers(name)).images.length, 1);
  run.child.kill('SIGKILL');
  await run.ended;
  const next = site.spawn(['t/a']);
  assert.equal(await next.ended, 0, next.output());
  assert.deepEqual(await api.leftovers(name), { containers: [], images: [] });
});
