import { availableParallelism } from 'node:os';

/**
 * How many compressors run at once in this process. They run on Node's pool of four threads, one of which stays free:
 * that pool also reads and writes the files of whatever else is under way.
 */
const THREADS = Math.min(availableParallelism(), 3);

/** One more block than there are threads, so that none waits while the source fills the next block. */
const AHEAD = THREADS + 1;

/** What waits for a thread, longest first. The threads are the process's, so all streams share this. */
const waiting: (() => void)[] = [];
let free = THREADS;

/** Does work when a thread is free. Rejects as the work does, and without doing it where the signal aborts before. */
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
 * The results of work on blocks, in the order of the blocks, several of them worked on at once on threads of the process.
 * However many blocks there are, only a few are in memory. Whoever stops reading leaves nothing behind but the work that
 * has begun, which ends with its block.
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
      // A failure is met when its turn comes, and by nobody where the reader has left.
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
