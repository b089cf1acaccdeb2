import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ownGroups, placeFor } from '../../../src/engine/native/groups/places.ts';
import { makeSite, onBase } from '../../support/site.ts';
import { programOf, without } from '../../support/tool.ts';
import { freshStore, notHere } from '../native/support.ts';

/* A step that begins processes without end and without a limit. So that the machine lives on, all of luet-ts has one here. */

const place = placeFor('processes', ownGroups());
const skip = notHere || ('missing' in place ? place.missing : false);

/** A control group of at most so many processes: its folder. */
function limited(t: TestContext, most: number): string {
  const folder = join('folder' in place ? place.folder : '', `luet-ts-bomb-${process.pid}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'pids.max'), String(most));
  t.after(async () => {
    await emptied(folder);
    rmdirSync(folder);
  });
  return folder;
}

const inside = (folder: string): number => Number(readFileSync(join(folder, 'pids.current'), 'utf8'));

/** Waits until the kernel has forgotten what was killed, for a while. */
async function emptied(group: string): Promise<void> {
  for (let wait = 0; wait < 500 && inside(group) > 0; wait++) await setTimeout(20);
}

const bomb = 'echo begun; (b() { b | b & }; b) >/dev/null 2>&1';

test('processes without end are all ended with their step, or with luet-ts', {
  skip,
  timeout: 240_000,
}, async (t) => {
  const group = limited(t, 400);
  const enter = ['sh', '-c', 'echo 0 >"$0/cgroup.procs" && exec "$@"', group];
  const folder = await freshStore(t);
  const site = makeSite(t, {
    ending: { build: onBase(`${bomb}; sleep 0.3; echo over`) },
    lasting: { build: onBase(`${bomb}; sleep 1000`) },
  });
  // The others end with the same namespaces as these.
  for (const way of ['bwrap', 'chroot', 'bare']) {
    if (without(programOf(way)) !== false) continue;
    const flags = ['--debug', '--rebuild', '--engine', `native+${way}:${folder}`];
    // What comes of it is the step's affair: its shell may be denied what it wants to begin next.
    const ending = site.spawn(['t/ending', ...flags], {}, enter);
    await ending.until(/\| begun$/m);
    await ending.ended;
    await emptied(group);
    assert.equal(inside(group), 0, way);
    const lasting = site.spawn(['t/lasting', ...flags], {}, enter);
    await lasting.until(/\| begun$/m);
    for (let wait = 0; wait < 100 && inside(group) < 300; wait++) await setTimeout(20);
    lasting.child.kill('SIGKILL');
    await lasting.ended;
    await emptied(group);
    assert.equal(inside(group), 0, `${way}, killed`);
  }
});
