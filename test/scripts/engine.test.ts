import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, suite } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answers, type Daemon } from '../support/engines/keeper.ts';
import { holdEngine } from '../support/engines/own.ts';

const here = import.meta.dirname;
let scratch: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'luet-ts-engine-'));
});
after(() => rm(scratch, { recursive: true, force: true }));

function fake(name: string, socketName = 'engine.sock'): Daemon & { readonly events: string } {
  const folder = join(scratch, name);
  mkdirSync(folder, { recursive: true });
  const socket = join(folder, socketName);
  const events = join(folder, 'events');
  writeFileSync(events, '');
  return {
    name,
    folder,
    socket,
    events,
    argv: [process.execPath, join(here, 'fake-daemon.ts'), socket, events],
    after: [['rm', '-f', join(folder, 'made-before')]],
    before: [['touch', join(folder, 'made-before')]],
  };
}

const eventsOf = (daemon: { events: string }): string[] =>
  readFileSync(daemon.events, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition()) return;
    await sleep(50);
  }
  assert.fail(`never: ${what}`);
}

async function holder(daemon: Daemon): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(here, 'holder.ts'), JSON.stringify(daemon)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout ?? child, 'data');
  return child;
}

/** The keeper's process, which the lock on its folder belongs to. */
async function keeperOf(daemon: Daemon): Promise<number> {
  const parent = (pid: number): number =>
    Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return parent(Number(readFileSync(join(daemon.folder, 'daemon.pid'), 'utf8')));
}

suite('an engine of our own', { concurrency: true }, () => {
  test('several that ask at once share one engine, and the last to leave stops it', async () => {
    const daemon = fake('shared');
    const held = await Promise.all([holdEngine(daemon), holdEngine(daemon), holdEngine(daemon)]);
    for (const { url } of held) assert.equal(url, `unix://${daemon.socket}`);
    assert.deepEqual(eventsOf(daemon), ['start']);
    assert.ok(existsSync(join(daemon.folder, 'made-before')));
    held[0]?.release();
    held[1]?.release();
    await sleep(300);
    assert.ok(await answers(daemon.socket));
    held[2]?.release();
    await until('it stops', () => eventsOf(daemon).join() === 'start,stop');
    await until('its traces are gone', () => !existsSync(join(daemon.folder, 'made-before')));
    assert.ok(!existsSync(daemon.socket));
    assert.ok(!existsSync(join(daemon.folder, 'daemon.pid')));
  });

  test('one who comes while the engine ends gets a new one', async () => {
    const daemon = fake('again');
    (await holdEngine(daemon)).release();
    await until('it begins to end', () => !existsSync(join(daemon.folder, 'keeper.sock')));
    const second = await holdEngine(daemon);
    assert.ok(await answers(daemon.socket));
    second.release();
    await until('both have ended', () => eventsOf(daemon).join() === 'start,stop,start,stop');
  });

  test('an engine whose holder is killed is stopped', async () => {
    const daemon = fake('killed-holder');
    const child = await holder(daemon);
    child.kill('SIGKILL');
    await until('it stops', () => eventsOf(daemon).join() === 'start,stop');
  });

  test('an engine whose keeper is killed is ended, and the next one starts', async () => {
    const daemon = fake('killed-keeper');
    const first = await holdEngine(daemon);
    process.kill(await keeperOf(daemon), 'SIGKILL');
    const second = await holdEngine(daemon);
    assert.ok(await answers(daemon.socket));
    assert.deepEqual(eventsOf(daemon), ['start', 'stop', 'start']);
    first.release();
    second.release();
    await until('it stops', () => eventsOf(daemon).join() === 'start,stop,start,stop');
  });

  test('a daemon that an earlier run left behind is ended first', async () => {
    const daemon = fake('left-behind');
    const [program = '', ...args] = daemon.argv;
    const left = spawn(program, args, { stdio: 'ignore' });
    await until('it answers', () => answers(daemon.socket));
    writeFileSync(join(daemon.folder, 'daemon.pid'), String(left.pid));
    const held = await holdEngine(daemon);
    assert.deepEqual(eventsOf(daemon), ['start', 'stop', 'start']);
    held.release();
    await until('it stops', () => eventsOf(daemon).length === 4);
  });

  test('a pid file whose number belongs to another program now harms nobody', async () => {
    const daemon = fake('stale-pid');
    const bystander = spawn('sleep', ['60']);
    writeFileSync(join(daemon.folder, 'daemon.pid'), String(bystander.pid));
    const held = await holdEngine(daemon);
    assert.equal(bystander.exitCode ?? bystander.signalCode, null);
    held.release();
    await until('it stops', () => eventsOf(daemon).join() === 'start,stop');
    bystander.kill();
  });

  test('a daemon that does not start is reported with the end of its log', async () => {
    const daemon = fake('broken', 'broken.sock');
    await assert.rejects(
      holdEngine(daemon),
      /broken does not start; the end of .*daemon\.log:\ncannot do\nwhat daemons do$/,
    );
    await assert.rejects(holdEngine({ ...daemon, argv: ['/no/such/program'] }), /broken does not start/);
  });
});
