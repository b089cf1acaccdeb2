import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retry, Tries, type TryOptions, waitFor } from '../../src/async/index.ts';

/** Pauses that take no time, on a clock of their own. */
function pauses(options: Omit<TryOptions, 'sleep' | 'now'>): { options: TryOptions; slept: number[] } {
  const slept: number[] = [];
  const now = (): number => slept.reduce((sum, one) => sum + one, 0);
  const sleep = async (milliseconds: number): Promise<void> => void slept.push(milliseconds);
  return { options: { ...options, now, sleep }, slept };
}

test('pauses double up to the longest, and there are no more tries than there may be', async () => {
  const { options, slept } = pauses({ pause: 10, longest: 50, most: 6 });
  const tries = new Tries(options);
  assert.deepEqual([tries.isFirst, tries.isLast], [true, false]);
  while (await tries.again());
  assert.deepEqual(slept, [10, 20, 40, 50, 50]);
  assert.deepEqual([tries.isFirst, tries.isLast], [false, true]);
  tries.restart();
  assert.ok(await tries.again());
  assert.equal(slept.at(-1), 10);
});

test('no try begins when patience has run out, and the last pause is cut to it', async () => {
  const { options, slept } = pauses({ pause: 20, factor: 1, patience: 50 });
  const tries = new Tries(options);
  while (await tries.again());
  assert.deepEqual(slept, [20, 20, 10]);
});

test('half of a pause is random, and another asks for the least', async () => {
  for (const [chance, meant] of [
    [0, [50, 100, 500]],
    [0.5, [75, 150, 500]],
  ] as const) {
    const { options, slept } = pauses({ pause: 100, random: () => chance });
    const tries = new Tries(options);
    await tries.again();
    await tries.again();
    await tries.again(500);
    assert.deepEqual(slept, meant);
  }
});

test('work is done again while it fails in a way that may pass, and rejects with the last failure', async () => {
  let count = 0;
  const isPassing = (error: unknown): boolean => (error as Error).message.startsWith('passing');
  const { options } = pauses({ pause: 1, most: 3 });
  const work = (fails: number, how: string) => async (): Promise<number> => {
    count++;
    if (count <= fails) throw new Error(`${how} ${count}`);
    return count;
  };
  assert.equal(await retry(work(2, 'passing'), { ...options, isPassing }), 3);
  count = 0;
  await assert.rejects(retry(work(3, 'passing'), { ...options, isPassing }), /passing 3/);
  count = 0;
  await assert.rejects(retry(work(3, 'lasting'), { ...options, isPassing }), /lasting 1/);
});

test('an answer is waited for until there is one, or patience has run out', async () => {
  let count = 0;
  const { options } = pauses({ pause: 1, factor: 1, patience: 3 });
  assert.equal(await waitFor(() => (++count === 3 ? 'there' : undefined), options), 'there');
  assert.equal(await waitFor(() => undefined, pauses({ pause: 1, patience: 3 }).options), undefined);
});

test('an abort ends the waiting, with its reason', async () => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const waiting = waitFor(() => undefined, { pause: 60_000, signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(waiting, (error: Error) => error === reason || error.cause === reason);
  const done = AbortSignal.abort(reason);
  await assert.rejects(
    retry(() => Promise.reject(new Error('x')), { pause: 1, signal: done, isPassing: () => true }),
    /enough/,
  );
});
