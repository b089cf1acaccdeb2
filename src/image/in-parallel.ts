/**
 * Runs work on all items, in order, with a limited number running in parallel. The first error aborts the
 * signal given to the other work, and is thrown when that has ended. Aborting `signal` has the same effect.
 */
export async function inParallel<T>(
  count: number,
  items: readonly T[],
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const either = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
  const failures: unknown[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      try {
        await work(items[next++] as T, either);
      } catch (error) {
        failures.push(error);
        over.abort();
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, worker));
  signal?.throwIfAborted();
  if (failures.length > 0) throw failures[0];
}
