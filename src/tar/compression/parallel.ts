import { availableParallelism } from 'node:os';

/**
 * Number of compressors that run at the same time in this process. They use Node's pool of four threads. One
 * thread stays free, because the same pool does all file input and output.
 */
const THREADS = Math.min(availableParallelism(), 3);

/** One block more than threads, so that no thread waits while the source fills the next block. */
const AHEAD = THREADS + 1;

/**
 * Tasks that wait for a thread, the oldest first. All streams share this queue, because the threads belong to
 * the process.
 */
const waiting: (() => void)[] = [];
let free = THREADS;

/**
 * Runs a task when a thread is free. Rejects if the task does. If the signal aborts first, it rejects without
 * running the task.
 */
async function onThread<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  if (free > 0) free--;
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    signal.throwIfAborted();
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next();
  }
}

/**
 * Runs work on blocks in parallel on the process's threads, and yields the results in the order of the
 * blocks. Only a few blocks are in memory at the same time. If the reader stops early, running work ends with
 * its current block and nothing else is left.
 */
export async function* inParallel<Block, Result>(
  blocks: AsyncIterable<Block>,
  work: (block: Block) => Promise<Result>,
): AsyncGenerator<Result, void, undefined> {
  const over = new AbortController();
  const results: Promise<Result>[] = [];
  try {
    for await (const block of blocks) {
      const result = onThread(() => work(block), over.signal);
      // A rejection is handled when the result is read. This prevents an unhandled rejection if the reader
      // stopped early.
      result.catch(() => {});
      results.push(result);
      if (results.length < AHEAD) continue;
      const first = results.shift();
      if (first !== undefined) yield await first;
    }
    for (let first = results.shift(); first !== undefined; first = results.shift()) yield await first;
  } finally {
    over.abort();
  }
}
