import assert from 'node:assert/strict';
import test from 'node:test';
import { createContext } from '../../src/cli/context.ts';
import { within } from '../../src/cli/interrupt.ts';
import { BuildState } from '../../src/cli/progress/state.ts';
import { summarize } from '../../src/cli/summary.ts';
import type { BuildEvent } from '../../src/events/index.ts';

function summary(events: readonly BuildEvent[], flags = {}, interrupted = false): string {
  const state = new BuildState(0);
  for (const event of events) state.take(event, 0);
  let text = '';
  const output = {
    write(more: string | Uint8Array): boolean {
      text += String(more);
      return true;
    },
  };
  const around = {
    stdout: output,
    stderr: output,
    stdin: process.stdin,
    env: {},
    cwd: '/work',
    home: '/home',
  };
  const { signal } = new AbortController();
  const context = createContext({ ...around, signal, now: () => new Date(0) }, flags, () => {});
  summarize(
    state,
    { milliseconds: 61_500, destination: '/work/out', logs: '/home/logs', interrupted },
    context,
  );
  return text;
}

const name = 'a/bad-1';
const events: readonly BuildEvent[] = [
  {
    type: 'planned',
    packages: [name, 'a/kept-1', 'a/later-1', 'a/open-1'],
    asked: [],
    needs: { [name]: [], 'a/later-1': [name], 'a/open-1': [] },
    concurrency: 1,
  },
  { type: 'reused', package: 'a/kept-1', reference: 'cache:1' },
  {
    type: 'written',
    package: 'a/kept-1',
    outcome: 'cut',
    archive: '/work/out/x',
    files: 1,
    size: 1,
    milliseconds: 1,
  },
  { type: 'started', package: name, work: 'run', parent: 'base' },
  { type: 'step', package: name, phase: 'steps', index: 0, count: 1, command: 'make \x1b[2J' },
  { type: 'stepped', package: name, phase: 'steps', index: 0, count: 1, exit: 2, milliseconds: 60_000 },
  {
    type: 'failed',
    package: name,
    diagnostics: [
      {
        code: 'step-failed',
        severity: 'error',
        message: 'exit code 2\nmore',
        place: { file: 'b.yaml', line: 3 },
      },
    ],
  },
  { type: 'skipped', package: 'a/later-1', because: name },
  { type: 'stopped', package: 'a/other-1', because: name },
];

test('the summary tells counts, the slowest, where things are and, last, what failed and why', () => {
  const text = summary(events);
  assert.ok(text.includes('error[step-failed]: exit code 2\nmore\n'));
  assert.deepEqual(text.split('\n').slice(-9), [
    '1 cut, 1 failed, 1 not built, 1 stopped in 1 min 1 s',
    'images: 1 reused, 0 made',
    'slowest: 1 min 0 s  a/bad-1 steps 1/1: make \\x1b[2J',
    'packages: out',
    'logs: /home/logs',
    'not built, needs a/bad-1: a/later-1',
    'stopped (--keep-going goes on): a/other-1',
    'failed: a/bad-1 at b.yaml:3: exit code 2 …',
    '',
  ]);
});

test('an interrupted build says what packages were doing', () => {
  const more: BuildEvent[] = [
    { type: 'state', package: 'a/open-1', node: 2, state: 'running' },
    { type: 'state', package: name, node: 1, state: 'committing' },
    { type: 'state', package: 'a/kept-1', node: 0, state: 'done' },
  ];
  const said = summary([...events.slice(0, 3), ...more], {}, true);
  assert.match(said, /^at work: a\/open-1 \(running\), a\/bad-1 \(committing\)$/m);
  assert.doesNotMatch(summary([...events.slice(0, 3), ...more]), /at work/);
});

test('an interrupted build says how much is left, and a quiet one only what failed', () => {
  assert.match(
    summary(events.slice(0, 3), {}, true),
    /^interrupted: 1 cut, 3 not started or not finished in /,
  );
  assert.equal(summary(events.slice(0, 3), { quiet: true }), '');
  assert.match(summary(events, { quiet: true }), /failed: a\/bad-1 at b\.yaml:3: exit code 2 …\n$/);
});

test('the summary as JSON is one line', () => {
  assert.deepEqual(JSON.parse(summary(events, { logFormat: 'json' })), {
    time: '1970-01-01T00:00:00.000Z',
    type: 'ended',
    interrupted: false,
    counts: { cut: 1, failed: 1, skipped: 1, stopped: 1 },
    reused: 1,
    milliseconds: 61_500,
    destination: '/work/out',
    logs: '/home/logs',
  });
});

test('work that goes on after an abort is not waited for', async () => {
  const controller = new AbortController();
  assert.equal(await within(Promise.resolve(1), controller.signal, 1), 1);
  const waiting = within(new Promise(() => {}), controller.signal, 1);
  const reason = new Error('enough');
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  assert.equal(await within(Promise.resolve(2), controller.signal, 1), 2);
  await assert.rejects(within(new Promise(() => {}), controller.signal, 1), reason);
});
