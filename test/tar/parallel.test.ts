import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { inParallel } from '../../src/tar/compression/parallel.ts';

async function* numbers(end: number, taken: number[] = []): AsyncGenerator<number, void, undefined> {
  for (let i = 0; i < end; i++) {
    taken.push(i);
    yield i;
  }
}

test('results come in the order of their blocks, whichever is done first', async () => {
  const got: number[] = [];
  const work = async (i: number) => {
    await setTimeout((i * 7) % 5);
    return i;
  };
  for await (const result of inParallel(numbers(40), work)) got.push(result);
  assert.deepEqual(
    got,
    Array.from({ length: 40 }, (_, i) => i),
  );
});

test('few blocks are taken before their results are read, and few are worked on at once', async () => {
  const taken: number[] = [];
  let running = 0;
  let most = 0;
  const work = async (i: number) => {
    most = Math.max(most, ++running);
    await setImmediate();
    running--;
    return i;
  };
  const read = async () => {
    for await (const _ of inParallel(numbers(50), work));
  };
  for await (const result of inParallel(numbers(50, taken), work)) {
    assert.ok(taken.length - result <= 4);
  }
  await Promise.all([read(), read(), read()]);
  assert.ok(most <= 3);
});

test('a failure comes up in its turn, closes the source and leaves the threads free', async () => {
  for (let round = 0; round < 5; round++) {
    const got: number[] = [];
    const read = async () => {
      const work = async (i: number) => {
        if (i === 3) throw new Error('no memory');
        return i;
      };
      for await (const result of inParallel(numbers(9), work)) got.push(result);
    };
    await assert.rejects(read(), /no memory/);
    assert.deepEqual(got, [0, 1, 2]);
  }
});

test('work that has not begun when the reader leaves is not done', async () => {
  let begun = 0;
  const work = async (i: number) => {
    begun++;
    await setImmediate();
    return i;
  };
  for await (const _ of inParallel(numbers(1000), work)) break;
  const before = begun;
  await setTimeout(5);
  assert.ok(begun <= 4 && begun - before <= 1);
});
