import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { isNative } from '../../support/engine.ts';
import { makeSite, needs, onBase, written } from '../../support/site.ts';

const skip = isNative ? false : 'only the native engine lets runs wait for each other';

test('two runs at once make each image once, and the one that waits says so', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const site = makeSite(t, {
    seed: { build: onBase('sleep 4; echo seed >/seed') },
    left: { build: { ...needs('seed'), steps: ['sleep 0.5; cat /seed >/left'] } },
    top: { build: { ...needs('left'), steps: ['cat /left >/top'] } },
  });
  const flags = ['--all', '--debug', '--concurrency', '1'];
  const runs = [site.spawn(flags)];
  await runs[0]?.until(/t\/seed-1: steps 1\/1/);
  runs.push(site.spawn([...flags, '--destination', 'other']));
  for (const run of runs) assert.equal(await run.ended, 0, run.output());
  const [first = '', second = ''] = runs.map((run) => run.output());
  assert.match(second, /t\/seed-1: note: waiting for another run, which is making the same image/);
  for (const name of ['seed', 'left', 'top']) {
    const step = new RegExp(`t/${name}-1: steps 1/1`);
    assert.equal([first, second].filter((said) => step.test(said)).length, 1, `${name}\n${first}\n${second}`);
  }
  assert.deepEqual(written(join(site.folder, 'other')), written(site.out));
});

test('a run that waits goes on where the other is killed', { skip, timeout: 120_000 }, async (t) => {
  const site = makeSite(t, { seed: { build: onBase('test -e /tmp/never || sleep 4; echo seed >/seed') } });
  const first = site.spawn(['--all', '--debug']);
  await first.until(/t\/seed-1: steps 1\/1/);
  const second = site.spawn(['--all']);
  await second.until(/waiting for another run, which is making the same image/);
  first.child.kill('SIGKILL');
  assert.equal(await second.ended, 0, second.output());
  assert.equal(written(site.out).size, 2);
});
