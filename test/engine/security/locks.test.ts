import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Store } from '../../../src/store/index.ts';
import { makeSite, onBase, written } from '../../support/site.ts';
import { run, without } from '../../support/tool.ts';
import { freshStore, notHere } from '../native/support.ts';

/* Attacks on the locks between runs that share a store. */

const timeout = 120_000;

function folderFor(t: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'luet-ts-locks-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return join(parent, 'store');
}

/** The processes that have a file open, by their ids. */
function openers(file: string): number[] {
  const isOpen = (pid: string): boolean => {
    try {
      const folder = `/proc/${pid}/fd`;
      return readdirSync(folder).some((name) => readlinkSync(join(folder, name)) === file);
    } catch {
      return false;
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && isOpen(name))
    .map(Number);
}

test('another user can take no lock, even of a store whose folder was open to all', {
  skip: notHere || without('setpriv'),
}, async (t) => {
  const folder = folderFor(t);
  mkdirSync(folder);
  for (const path of [join(folder, '..'), folder]) chmodSync(path, 0o777);
  const store = new Store({ folder, runId: 'one', form: 'user' });
  (await store.runs.claim('an/image:1'))();
  const asNobody = ['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups', 'sh', '-c'] as const;
  for (const attack of [`exec 9<"$0/locks"`, `exec 9>>"$0/locks"`, `mv "$0/layers" "$0/gone"`, `: >"$0/new"`])
    await assert.rejects(run([...asNobody, attack, folder]), /denied/, attack);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  await store.close();
});

test('a socket by the name that locks once had blocks nobody', { skip: notHere }, async (t) => {
  const folder = folderFor(t);
  const digest = createHash('sha256').update(`${folder}\nan/image:1`).digest('hex').slice(0, 40);
  const server = createServer().listen(`\0luet-ts-${digest}`);
  t.after(() => void server.close());
  const store = new Store({ folder, runId: 'one', form: 'user' });
  const release = await store.runs.claim('an/image:1', () => assert.fail('it waits'));
  release();
  release();
  await store.close();
});

test('one waits while another has the lock, is told so once, and gives up when asked to', {
  skip: notHere,
}, async (t) => {
  const folder = folderFor(t);
  const [one, two] = ['one', 'two'].map((runId) => new Store({ folder, runId, form: 'user' }));
  assert.ok(one !== undefined && two !== undefined);
  const release = await one.runs.claim('x');
  // The same run has to wait as well; for other names nobody does.
  (await two.runs.claim('y', () => assert.fail('it waits')))();
  for (const store of [one, two]) {
    let told = 0;
    const stop = new AbortController();
    const waiting = store.runs.claim('x', () => told++, stop.signal);
    await setTimeout(100);
    stop.abort();
    await assert.rejects(waiting, { name: 'AbortError' });
    assert.equal(told, 1);
  }
  let isFree = false;
  const letGo = (): void => {
    isFree = true;
    release();
  };
  (await two.runs.claim('x', () => setImmediate(letGo)))();
  assert.ok(isFree);
  for (const store of [one, two]) await store.close();
});

test('runs in different namespaces that share a store make an image once, and see each other go on and end', {
  skip: notHere || without('bwrap'),
  timeout,
}, async (t) => {
  const site = makeSite(t, { seed: { build: onBase('sleep 2; echo seed >/seed') } });
  const folder = await freshStore(t);
  const flags = ['--all', '--debug', '--engine', `native:${folder}`];
  // As two containers have it: neither sees the other's processes or sockets.
  const apart = ['unshare', '--net', '--uts', '--pid', '--mount-proc', '--fork', '--kill-child'];
  const first = site.spawn(flags, {}, apart);
  await first.until(/t\/seed-1: steps 1\/1/);
  // However long the second one takes to come: what is stopped keeps its locks.
  const holders = openers(join(folder, 'locks'));
  const tell = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const pid of holders) process.kill(pid, signal);
  };
  t.after(() => void first.child.kill('SIGKILL'));
  tell('SIGSTOP');
  const second = site.spawn([...flags, '--destination', 'other'], {}, apart);
  await second.until(/waiting for another run, which is making the same image/);
  assert.equal(readdirSync(join(folder, 'runs')).length, 2);
  const look = new Store({ folder, runId: 'look', form: 'trusted' });
  assert.equal(look.runs.others().length, 2);
  tell('SIGCONT');
  for (const one of [first, second]) assert.equal(await one.ended, 0, one.output());
  assert.doesNotMatch(second.output(), /steps 1\/1/);
  assert.deepEqual(written(join(site.folder, 'other')), written(site.out));

  // What a run left that was killed is removed by one that cannot see its processes.
  site.write('seed', { build: onBase('sleep 1000') });
  const third = site.spawn(flags, {}, apart);
  await third.until(/t\/seed-1: steps 1\/1/);
  third.child.kill('SIGKILL');
  await third.ended;
  await look.sweep();
  assert.deepEqual(readdirSync(join(folder, 'runs')), ['look']);
  await look.close();
});

test('no process of a step has the file of the locks open, and a killed run holds none', {
  skip: notHere || without('bwrap'),
  timeout,
}, async (t) => {
  const site = makeSite(t, { seed: { build: onBase('(setsid sleep 1000 &); echo begun; sleep 1000') } });
  const folder = await freshStore(t);
  for (const way of ['native+bwrap', 'native+chroot', 'native+copy', 'native+bare']) {
    const running = site.spawn(['--all', '--debug', '--engine', `${way}:${folder}`]);
    await running.until(/^.*begun$/m);
    assert.deepEqual(openers(join(folder, 'locks')), [running.child.pid], way);
    running.child.kill('SIGKILL');
    await running.ended;
    const store = new Store({ folder, runId: way, form: 'trusted' });
    assert.deepEqual(store.runs.others(), [], way);
    await store.close();
  }
});
