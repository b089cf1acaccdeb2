import assert from 'node:assert/strict';
import test from 'node:test';
import type { Workspace } from '../../src/engine/index.ts';
import { PrefetchedWorkspace } from '../../src/execute/prefetch.ts';

/** Something to open: each time another number, which tells when it is closed. */
function numbered(closed: number[]): () => Promise<Workspace> {
  let count = 0;
  return async () => {
    const number = ++count;
    return { source: String(number), close: async () => void closed.push(number) } as unknown as Workspace;
  };
}

test('what was begun is taken, and only once', async () => {
  const closed: number[] = [];
  const ahead = new PrefetchedWorkspace(numbered(closed));
  ahead.start();
  ahead.start();
  assert.equal((await ahead.take()).source, '1');
  assert.equal((await ahead.take()).source, '2');
  await ahead.discard();
  assert.deepEqual(closed, []);
});

test('what nobody took is closed', async () => {
  const closed: number[] = [];
  const ahead = new PrefetchedWorkspace(numbered(closed));
  await ahead.discard();
  ahead.start();
  await ahead.discard();
  await ahead.discard();
  assert.deepEqual(closed, [1]);
});

test('what could not be opened is told to who takes it, and to nobody else', async () => {
  const ahead = new PrefetchedWorkspace(() => Promise.reject(new Error('no')));
  ahead.start();
  await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(ahead.take(), /no/);
  ahead.start();
  await ahead.discard();
});
