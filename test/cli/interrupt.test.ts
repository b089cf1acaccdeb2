import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'node:test';

type Child = ChildProcessByStdio<null, Readable, Readable>;

async function start(manner: string): Promise<Child> {
  const script = join(import.meta.dirname, 'patient.ts');
  const child = spawn(process.execPath, [script, 'patient', manner], { stdio: ['ignore', 'pipe', 'pipe'] });
  await once(child.stdout, 'readable');
  return child;
}

async function end(child: Child): Promise<{ code: unknown; out: string; err: string }> {
  const exited = once(child, 'exit');
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await exited)[0], out, err };
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  test(`${signal} lets the command clean up and ends with ${code}`, async () => {
    const child = await start('polite');
    child.kill(signal);
    assert.deepEqual(await end(child), { code, out: 'started\ncleaned up\n', err: '' });
  });
}

test('a second signal ends a command that does not listen', async () => {
  const child = await start('deaf');
  const ended = end(child);
  child.kill('SIGINT');
  // Signals that are still pending merge into one: send until one has been the second.
  const again = setInterval(() => child.kill('SIGINT'), 20);
  assert.deepEqual(await ended, { code: 130, out: 'started\n', err: '' });
  clearInterval(again);
});

test('a reader that goes away ends the command quietly', async () => {
  const child = await start('chatty');
  const exited = once(child, 'exit');
  const err = text(child.stderr);
  child.stdout.destroy();
  assert.equal((await exited)[0], 141);
  assert.equal(await err, '');
});

test('a program that is stopped takes its view away before, and draws it when it goes on', async (t) => {
  if (process.platform !== 'linux') return t.skip('states of processes are read from /proc');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'suspended.ts')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const until = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  const isStopped = (): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8'));
  await until(() => said === 'ready\n');
  child.kill('SIGTSTP');
  await until(isStopped);
  await until(() => said === 'ready\nhidden\n');
  child.kill('SIGCONT');
  await until(() => said === 'ready\nhidden\nshown\n');
  assert.ok(!isStopped());
});
