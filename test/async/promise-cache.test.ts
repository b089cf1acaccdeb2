import assert from 'node:assert/strict';
import test from 'node:test';
import { PromiseCache } from '../../src/async/index.ts';

test('work runs once for a key, and all callers share its result', async () => {
  const cache = new PromiseCache<string, number>();
  let runs = 0;
  const work = async (): Promise<number> => ++runs;
  assert.deepEqual(
    await Promise.all([cache.get('a', work), cache.get('a', work), cache.get('b', work)]),
    [1, 1, 2],
  );
  assert.equal(await cache.get('a', work), 1);
  cache.forget('a');
  assert.equal(await cache.get('a', work), 3);
  cache.clear();
  assert.equal(await cache.get('b', work), 4);
});

test('a failure that is worth another try is forgotten, and another is kept', async () => {
  const cache = new PromiseCache<string, number>((error) => (error as Error).message === 'soon');
  let runs = 0;
  const fail = (message: string) => async (): Promise<number> => {
    runs++;
    throw new Error(message);
  };
  const two = await Promise.allSettled([cache.get('a', fail('soon')), cache.get('a', fail('soon'))]);
  assert.deepEqual(
    two.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(runs, 1);
  assert.equal(await cache.get('a', async () => 7), 7);
  await assert.rejects(cache.get('b', fail('never')), /never/);
  await assert.rejects(
    cache.get('b', async () => 8),
    /never/,
  );
});

test('what replaced a failed entry stays', async () => {
  const cache = new PromiseCache<string, number>(() => true);
  const { promise, reject } = Promise.withResolvers<number>();
  const first = cache.get('a', () => promise);
  cache.forget('a');
  const second = cache.get('a', async () => 2);
  reject(new Error('late'));
  await assert.rejects(first, /late/);
  assert.equal(await second, 2);
  assert.equal(await cache.get('a', async () => 3), 2);
});
