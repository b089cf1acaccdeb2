import assert from 'node:assert/strict';
import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import test from 'node:test';

type Child = ChildProcessByStdio<null, Readable, Readable>;

const script = join(import.meta.dirname, 'patient.ts');

async function start(...manner: readonly string[]): Promise<Child> {
  const child = spawn(process.execPath, [script, 'patient', ...manner], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await once(child.stdout, 'readable');
  return child;
}

async function end(child: Child): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  // It may have ended before anybody waits for that.
  while (child.exitCode === null && child.signalCode === null) await new Promise(setImmediate);
  // As a shell says it.
  return { code: child.exitCode ?? 128 + (constants.signals[child.signalCode ?? 'SIGKILL'] ?? 0), out, err };
}

const signals = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

for (const [signal, code] of signals) {
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

test('a signal ends a command at once that has nothing to clean up, even while it calculates', async () => {
  for (const [signal, code] of signals) {
    const child = await start('busy');
    child.kill(signal);
    assert.deepEqual(await end(child), { code, out: 'started\n', err: '' });
  }
});

// Here process.exit waits for that thread, and the thread for somebody who opens the other end of the pipe.
test('a thread that is stuck keeps no command from ending', { timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-stuck-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const stuck = await start('stuck', pipe);
  t.after(() => stuck.kill('SIGKILL'));
  assert.deepEqual(await end(stuck), { code: 3, out: 'started\n', err: '' });
  const deaf = await start('deafAndStuck', pipe);
  t.after(() => deaf.kill('SIGKILL'));
  const ended = end(deaf);
  const again = setInterval(() => deaf.kill('SIGTERM'), 20);
  t.after(() => clearInterval(again));
  assert.deepEqual(await ended, { code: 143, out: 'started\n', err: '' });
});

test('a command that waits for what nothing will do ends and says that this is a bug', async () => {
  const { code, out, err } = await end(await start('forgotten'));
  assert.deepEqual([code, out], [1, 'started\n']);
  assert.match(err, /stopped before it was done[\s\S]*This is a bug/);
});

test('whoever has the same standard streams finds them as they were', () => {
  const flags =
    "perl -MFcntl -e 'print STDERR join q( ), map { fcntl($_, F_GETFL, 0) & O_NONBLOCK } *STDIN, *STDOUT'";
  const shell = `{ echo; sleep 1; } | { "$0" "$1" patient reading; ${flags}; } | cat`;
  const { stdout, stderr } = spawnSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' });
  assert.deepEqual([stdout, stderr], ['started\n', '0 0']);
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
