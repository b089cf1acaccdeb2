import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds between two tries. */
const PAUSE = 20;

/** Age in milliseconds of a lock whose holder is gone: what is done under it takes a few. */
const STALE = 30_000;

let count = 0;

/** Does some short work while nobody else does work under the same lock, which is a file. Waits until it is free. */
export async function withLock<T>(
  lock: string,
  temporary: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  while (!(await taken(lock))) {
    signal?.throwIfAborted();
    await removeStale(lock, join(temporary, `lock-${count++}`));
    await setTimeout(PAUSE);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock that a crash left. The file system's clock is asked by a file made for that. */
async function removeStale(lock: string, probe: string): Promise<void> {
  const found = await stat(lock).catch(() => undefined);
  if (found === undefined) return;
  await (await open(probe, 'w')).close();
  const now = (await stat(probe)).mtimeMs;
  // Of several who see it, one moves it away.
  if (now - found.mtimeMs > STALE) await rename(lock, probe).catch(() => {});
  await rm(probe, { force: true });
}
