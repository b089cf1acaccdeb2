import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { askedWays } from '../../../src/engine/native/find/probe.ts';
import { makers } from '../../../src/engine/native/sandbox/launch.ts';
import { Store } from '../../../src/store/index.ts';
import { processesOf } from '../../support/insight.ts';
import { makeSite, needs, onBase, type PackageFiles, runOf, written } from '../../support/site.ts';
import { programOf, without } from '../../support/tool.ts';
import { freshStore, notHere } from './support.ts';

/** How often the build is killed; LUET_TS_TEST_KILLS makes it more. */
const kills = Number(process.env.LUET_TS_TEST_KILLS ?? 4);

/** Points at which it is: parts of the time that it takes, spread evenly and the same in every run. */
const points = Array.from({ length: kills }, (_, i) => ((i * 0.618034) % 1) * 1.1 + 0.05);

const packages: Record<string, PackageFiles> = {
  seed: { build: { ...onBase('echo seed >/seed'), prelude: ['mkdir /opt'] } },
};
for (let i = 0; i < 5; i++) {
  const steps = [`cat /seed >/leaf${i}; (setsid sleep 1000 &); head -c 300000 /dev/zero >/zeros${i}`];
  packages[`leaf${i}`] = { build: { ...needs('seed'), prelude: ['mkdir /p'], steps } };
  packages[`link${i}`] = {
    build: { ...needs(i === 0 ? 'seed' : `link${i - 1}`), steps: [`echo ${i} >/link${i}`] },
  };
}

for (const maker of makers)
  test(`by ${maker}, killed at ${kills} points, a build gives what it gives undisturbed, and nothing is left`, {
    skip: notHere || without(maker),
    timeout: 600_000,
  }, async (t) => {
    const quiet = makeSite(t, packages);
    const own = ['--engine', `native+${maker}:${await freshStore(t)}`];
    const start = performance.now();
    const undisturbed = quiet.spawn(['--all', ...own]);
    assert.equal(await undisturbed.ended, 0, undisturbed.output());
    const whole = performance.now() - start;

    const site = makeSite(t, packages);
    const folder = await freshStore(t);
    const words = ['--all', '--engine', `native+${maker}:${folder}`];
    for (const point of points) {
      const run = site.spawn(words);
      await Promise.race([setTimeout(point * whole), run.ended]);
      const names =
        readdirSync(site.temporary).length === 0 ? [] : readdirSync(join(site.temporary, 'luet-ts-0'));
      run.child.kill('SIGKILL');
      await run.ended;
      if (names.length !== 1) continue;
      const name = runOf(site);
      // The kernel takes a moment to end what a killed process leaves.
      while (processesOf(folder, name).length > 0) await setTimeout(20);
    }
    const last = site.spawn(words);
    assert.equal(await last.ended, 0, last.output());
    assert.deepEqual([...written(site.out).keys()], [...written(quiet.out).keys()]);
    for (const [name, bytes] of written(quiet.out))
      assert.ok(written(site.out).get(name) === bytes, `${name} is another`);

    assert.deepEqual(readdirSync(join(folder, 'runs')), []);
    assert.deepEqual(readdirSync(join(site.temporary, 'luet-ts-0')), []);
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(folder), 'something is mounted');
    const store = new Store({ folder, runId: 'look', form: 'trusted' });
    const images = [...store.images()];
    assert.equal(images.length, 1 + Object.keys(packages).length);
    const used = new Set(images.flatMap(({ layers }) => layers.map(({ id }) => id)));
    assert.deepEqual(readdirSync(join(folder, 'layers')).sort(), [...used].sort());
  });

for (const way of askedWays)
  test(`by ${way}, killed in the middle of a command, no process and no mount is left`, {
    skip: notHere || without(programOf(way)),
    timeout: 60_000,
  }, async (t) => {
    const steps = ['(setsid sleep 1111 >/dev/null 2>&1 &); echo begun; (trap "" TERM; sleep 1111); echo no'];
    const site = makeSite(t, { long: { build: { ...onBase('true'), steps } } });
    const folder = await freshStore(t);
    const run = site.spawn(['--all', '--debug', '--engine', `native+${way}:${folder}`]);
    await run.until(/^.*begun$/m);
    const name = runOf(site);
    // What says so is quicker than what it begins.
    while (processesOf(folder, name).length < 3) await setTimeout(20);
    run.child.kill('SIGKILL');
    await run.ended;
    while (processesOf(folder, name).length > 0) await setTimeout(20);
    assert.ok(!readFileSync('/proc/self/mountinfo', 'utf8').includes(folder), 'something is mounted');
  });
