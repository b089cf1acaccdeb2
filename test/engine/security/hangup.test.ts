import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { quoted } from '../../../src/engine/native/sandbox/quoted.ts';
import { luetTs } from '../../support/cli.ts';
import { processesOf } from '../../support/insight.ts';
import { makeSite, onBase, runOf, type Site, written } from '../../support/site.ts';
import { without } from '../../support/tool.ts';
import { freshStore, notHere } from '../native/support.ts';

/* A terminal that goes away under a build, as by a connection that breaks or a window that is closed. */

const skip = notHere || without('bwrap') || without('script');

/** Runs a build on a terminal of its own, after shell text, and resolves when the terminal shows a line. */
async function onTerminal(
  t: TestContext,
  site: Site,
  before: string,
  words: readonly string[],
  line: RegExp,
): Promise<ChildProcess> {
  const command = `${before}exec ${[luetTs, ...site.words(words)].map(quoted).join(' ')}`;
  const terminal = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: site.folder,
    env: { PATH: process.env.PATH, TMPDIR: site.temporary, HOME: site.folder, TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => void terminal.kill('SIGKILL'));
  let shown = '';
  for await (const chunk of terminal.stdout) {
    shown += (chunk as Buffer).toString();
    if (line.test(shown)) return terminal;
  }
  return assert.fail(shown);
}

test('a terminal that hangs up ends the build, which cleans up behind itself', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const steps = ['(setsid sleep 1000 &); trap "" HUP TERM; while :; do echo tick; sleep 0.1; done'];
  const site = makeSite(t, { long: { build: onBase(...steps) } });
  const folder = await freshStore(t);
  const words = ['--all', '--debug', '--live-output', '--engine', `native:${folder}`];
  const terminal = await onTerminal(t, site, '', words, /tick/);
  const run = runOf(site);
  assert.notEqual(processesOf(folder, run).length, 0);
  terminal.kill('SIGKILL');
  const left = (): string[] => [
    ...readdirSync(join(folder, 'runs')),
    ...readdirSync(join(site.temporary, 'luet-ts-0')),
    ...processesOf(folder, run),
  ];
  for (let wait = 0; wait < 500 && left().length > 0; wait++) await setTimeout(20);
  assert.deepEqual(left(), []);
  assert.equal(written(site.out).size, 0);
});

test('a build that is to go on without its terminal does', { skip, timeout: 60_000 }, async (t) => {
  const site = makeSite(t, { long: { build: onBase('echo begun; sleep 1; echo long >/long') } });
  const words = ['--all', '--live-output', '--engine', `native:${await freshStore(t)}`];
  // As nohup does, and a shell's disown.
  const terminal = await onTerminal(t, site, `trap '' HUP; `, words, /begun/);
  terminal.kill('SIGKILL');
  for (let wait = 0; wait < 1000 && written(site.out).size < 2; wait++) await setTimeout(20);
  assert.equal(written(site.out).size, 2);
});
