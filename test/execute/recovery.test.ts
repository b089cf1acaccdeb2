import assert from 'node:assert/strict';
import test from 'node:test';
import { EngineError, type EngineFault, type EngineReport } from '../../src/engine/index.ts';
import type { BuildEvent } from '../../src/events/index.ts';
import { Recovery } from '../../src/execute/recovery.ts';

const REPORT: EngineReport = {
  name: 'Test',
  version: '1',
  apiVersion: '1',
  address: 'test',
  storageDriver: 'test',
  platform: 'linux/amd64',
  cpus: 1,
  dataRoot: '/',
  limits: { memory: { possible: true, reason: '' }, processes: { possible: true, reason: '' } },
};

/** A recovery from an engine that answers when it is asked for the `backAt`th time. */
function recovery(options: { backAt?: number; engineWait?: number; signal?: AbortSignal } = {}) {
  const { backAt = 1, engineWait = 1000, signal = new AbortController().signal } = options;
  const events: BuildEvent[] = [];
  let asked = 0;
  const after = new Recovery({
    engine: {
      report: () =>
        ++asked >= backAt ? Promise.resolve(REPORT) : Promise.reject(new EngineError('no', { kind: 'gone' })),
    },
    engineWait,
    onEvent: (event) => void events.push(event),
    signal,
    clock: () => performance.now(),
  });
  return { after, events, asked: () => asked, types: () => events.map(({ type }) => type) };
}

const fault = (kind: EngineFault, mayPass = false): EngineError => new EngineError('x', { kind, mayPass });

test('work is done again only where that can help, and only so often', async () => {
  for (const [kind, times, shared] of [
    ['no-space', 0, true],
    ['other', 0, true],
    ['out-of-memory', 0, false],
    ['image-missing', 2, false],
  ] as const) {
    const { after, types } = recovery();
    for (let time = 0; time < times; time++) assert.equal(await after.after(fault(kind), 'a', shared), true);
    assert.equal(await after.after(fault(kind), 'a', shared), false, kind);
    assert.deepEqual(types(), Array(times).fill('retrying'));
  }
  // Each package has its own.
  const { after } = recovery();
  for (const name of ['a', 'b', 'a', 'b'])
    assert.equal(await after.after(fault('image-missing'), name, true), true);
  assert.equal(await after.after(fault('image-missing'), 'b', true), false);
});

test('memory that a limit of its own denies a package is no more the next time', async () => {
  const { after, types } = recovery();
  const limited = new EngineError('x', { kind: 'out-of-memory', limit: 1 << 20 });
  assert.equal(await after.after(limited, 'a', true), false);
  assert.deepEqual(types(), []);
});

test('an engine that only broke a connection is not waited for', async () => {
  const { after, types } = recovery();
  assert.equal(await after.after(fault('gone'), 'a', true), true);
  assert.deepEqual(types(), ['retrying']);
});

test('an engine that is gone is waited for once, by all', async () => {
  const { after, types } = recovery({ backAt: 3, engineWait: 60_000 });
  const both = await Promise.all([
    after.after(fault('gone'), 'a', true),
    after.after(fault('gone'), 'b', true),
  ]);
  assert.deepEqual(both, [true, true]);
  assert.deepEqual(types(), ['engine-gone', 'engine-back', 'retrying', 'retrying']);
});

test('an engine that stays away is given up, and not waited for again', async () => {
  const { after, types, asked } = recovery({ backAt: Number.POSITIVE_INFINITY, engineWait: 300 });
  assert.equal(await after.after(fault('gone'), 'a', true), false);
  const before = asked();
  assert.equal(await after.after(fault('gone'), 'b', true), false);
  assert.equal(asked(), before);
  assert.deepEqual(types(), ['engine-gone']);
});

test('an abort ends the waiting', async () => {
  const controller = new AbortController();
  const { after } = recovery({
    backAt: Number.POSITIVE_INFINITY,
    engineWait: 600_000,
    signal: controller.signal,
  });
  const waiting = after.after(fault('gone'), 'a', true);
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(waiting, { name: 'AbortError' });
});
