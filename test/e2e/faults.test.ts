import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Connection } from '../../src/engine/docker/connection/connection.ts';
import { isNative } from '../support/engine.ts';
import { type Insight, insight, untilGone } from '../support/insight.ts';
import { limitMemory } from '../support/limit.ts';
import {
  filesOf,
  makeSite,
  needs,
  onBase,
  type Running,
  rawEngine,
  runOf,
  type Site,
  unpacked,
  work,
} from '../support/site.ts';

/*
 * What an engine does to a build behind its back: containers that are killed, images that are removed, memory that runs out.
 */

const skip = isNative && 'native has no containers to harm';

let api: Connection;
let engine: Insight;
before(async () => {
  if (isNative) return;
  api = await rawEngine();
  engine = await insight();
});
after(() => {
  if (isNative) return;
  api.close();
  engine.close();
});

/** The one running container of a site's one process. */
async function container(site: Site): Promise<string> {
  const filters = JSON.stringify({ label: [`luet-ts.run=${runOf(site)}`], status: ['running'] });
  const [one, ...more] = await api.json<{ Id: string }[]>('GET', '/containers/json', { query: { filters } });
  assert.ok(one !== undefined && more.length === 0, 'not one container');
  return one.Id;
}

/** Takes an image's name away. Podman ends the containers on it as well, and fails where one ends by itself meanwhile. */
async function untag(site: Site, tag: string): Promise<void> {
  const path = `/images/${site.repository}:${tag}`;
  while (await api.json('GET', `${path}/json`).then(Boolean, () => false)) {
    await api.json('DELETE', path, { query: { force: '1' } }).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const count = (run: Running, pattern: RegExp): number => [...run.output().matchAll(pattern)].length;

test('a container that is killed is started again, and only so often', {
  timeout: 60_000,
  skip,
}, async (t) => {
  const site = makeSite(t, { a: { build: onBase('echo begun; sleep 2; echo a >/a') } });
  const run = site.spawn(['--all']);
  await run.until(/\| begun/);
  const name = runOf(site);
  await api.json('DELETE', `/containers/${await container(site)}`, { query: { force: '1' } });
  assert.equal(await run.ended, 0, run.output());
  assert.match(run.output(), /^t\/a-1: note: started again in 500 ms \(2 of 3\): the container /m);
  assert.deepEqual(await filesOf(site.out, 'a'), ['a']);
  await untilGone(engine, name);
  assert.deepEqual(await engine.leftovers(name), { containers: [], images: [] });

  const again = site.spawn(['--all', '--rebuild', '--keep-going']);
  for (let time = 1; time <= 3; time++) {
    await again.until(new RegExp(`(\\| begun[\\s\\S]*){${time}}`));
    await api.json('DELETE', `/containers/${await container(site)}`, { query: { force: '1' } });
  }
  assert.equal(await again.ended, 1, again.output());
  assert.match(again.output(), /error\[container-killed\]: t\/a-1: .*, in steps: echo begun/);
  assert.match(again.output(), /^not finished: t\/a-1/m);
  assert.doesNotMatch(again.output(), /step-failed|bug/);
});

test('memory that runs out', { timeout: 60_000, skip }, async (t) => {
  const eats = 'x=a; i=0; while [ $i -lt 26 ]; do x=$x$x; i=$((i+1)); done';
  const site = makeSite(t, {
    a: { build: onBase(`echo begun; sleep 1; (${eats}); echo $? >/code; test "$(cat /code)" = 0`) },
  });
  const run = site.spawn(['--all']);
  await run.until(/\| begun/);
  await limitMemory(api, await container(site), 32 << 20);
  assert.equal(await run.ended, 1, run.output());
  assert.match(
    run.output(),
    /error\[out-of-memory\]: t\/a-1: memory ran out: the kernel killed processes because memory ran out \(exit code 1\), in steps: /,
  );
  assert.match(run.output(), /hint: give the engine more memory, or build fewer packages at once/);
  // Alone it would get no more the next time.
  assert.doesNotMatch(run.output(), /started again|step-failed|bug/);
  const again = await site.build(['--all']);
  assert.equal(again.code, 0, again.stderr);
  assert.equal((await unpacked(site.out, 'a')).get('code')?.text, '0\n');
});

test('memory that runs out beside another package', { timeout: 60_000, skip }, async (t) => {
  const eats = 'x=a; i=0; while [ $i -lt 26 ]; do x=$x$x; i=$((i+1)); done';
  const site = makeSite(t, { a: { build: onBase(`echo begun; sleep 1; ${eats}; echo a >/a`) } });
  const run = site.spawn(['--all', '--concurrency', '2']);
  await run.until(/\| begun/);
  const eating = await container(site);
  await limitMemory(api, eating, 32 << 20);
  assert.equal(await run.ended, 1, run.output());

  const two = makeSite(t, {
    a: { build: onBase(`echo begun; sleep 1; ${eats}; echo a >/a`) },
    b: { build: onBase('sleep 5; echo b >/b') },
  });
  const both = two.spawn(['--all', '--concurrency', '2']);
  await both.until(/a-1 \| begun[\s\S]*b-1: steps|b-1: steps[\s\S]*a-1 \| begun/);
  const filters = JSON.stringify({ label: [`luet-ts.run=${runOf(two)}`], status: ['running'] });
  for (const { Id } of await api.json<{ Id: string }[]>('GET', '/containers/json', { query: { filters } }))
    await limitMemory(api, Id, 32 << 20);
  assert.equal(await both.ended, 0, both.output());
  assert.match(both.output(), /^t\/a-1: note: started again in 2\.0 s \(2 of 2\): the kernel killed/m);
});

test('an image that is removed is made again', { timeout: 60_000, skip }, async (t) => {
  const site = makeSite(t, {
    seed: { build: onBase('echo seed >/seed') },
    x: { build: { ...needs('seed'), steps: ['echo begun; sleep 1; echo x >/x'] } },
    y: { build: { ...needs('seed'), steps: ['echo begun; sleep 1; cat /seed >/y'] } },
    // The second of them has its container already when the first begins.
    z: { build: { ...needs('seed'), steps: ['echo begun; sleep 1; cat /seed >/z'] } },
  });
  // Made in this build, and not yet of use to the one that waits.
  const run = site.spawn(['--all', '--concurrency', '1']);
  await run.until(/\| begun/);
  const [seed, ...others] = await site.images();
  assert.ok(seed !== undefined && others.length === 0);
  await untag(site, seed);
  assert.equal(await run.ended, 0, run.output());
  assert.match(run.output(), /^t\/[xyz]-1: note: started again \(2 of 3\): the engine has no image/m);
  assert.equal(count(run, /^t\/seed-1: built on/gm), 2);
  assert.equal(count(run, /^t\/seed-1: built in/gm), 1);
  assert.match(run.output(), /^4 built in/m);
  assert.equal((await site.images()).length, 4);

  // There before the build, which was told so.
  for (const name of ['x', 'y', 'z']) {
    // Other keys, on the same image.
    site.write(name, { build: { ...needs('seed'), steps: [`echo begun; sleep 1; cat /seed >/${name}2`] } });
  }
  const second = site.spawn(['--all', '--concurrency', '1']);
  await second.until(/\| begun/);
  await untag(site, seed);
  assert.equal(await second.ended, 0, second.output());
  assert.equal(count(second, /^t\/seed-1: built on/gm), 1);
  assert.equal(count(second, /^t\/seed-1: unchanged/gm), 1);
  assert.match(second.output(), /^3 built, 1 unchanged in/m);
  assert.equal((await unpacked(site.out, 'y')).get('y2')?.text, 'seed\n');

  const third = await site.build(['--all']);
  assert.deepEqual(work(third), []);
  assert.match(third.stderr, /^4 unchanged/m);
});
