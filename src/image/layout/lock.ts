import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { WriteOptions } from '../types.ts';

/** Milliseconds between two tries. */
const PAUSE = 20;

/** Age in milliseconds of a lock whose holder is gone, whoever that was: what is done under it takes a few. */
const STALE = 30_000;

let count = 0;

/** Does some short work while nobody else does work under the same lock, which is a file. Waits until it is free. */
export async function withLock<T>(
  lock: string,
  temporary: string,
  { signal, run }: Pick<WriteOptions, 'signal' | 'run'>,
  work: () => Promise<T>,
): Promise<T> {
  while (!(await taken(lock, run?.name ?? ''))) {
    signal?.throwIfAborted();
    await removeStale(lock, join(temporary, `lock-${count++}`), run?.isOver);
    await setTimeout(PAUSE);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string, owner: string): Promise<boolean> {
  try {
    const handle = await open(lock, 'wx');
    // One that does not say whose it is holds as well.
    await handle.writeFile(owner).catch(() => {});
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock that a crash left. The file system's clock is asked by a file made for that. */
async function removeStale(
  lock: string,
  probe: string,
  isOver: ((run: string) => boolean) | undefined,
): Promise<void> {
  const found = await stat(lock).catch(() => undefined);
  if (found === undefined) return;
  const owner = await readFile(lock, 'utf8').catch(() => '');
  await (await open(probe, 'w')).close();
  const now = (await stat(probe)).mtimeMs;
  // Of several who see it, one moves it away.
  if (isOver?.(owner) === true || now - found.mtimeMs > STALE) {
    await rename(lock, probe).catch(() => {});
    // Who comes late to that has moved the next one's, and gives it back.
    const moved = await stat(probe);
    if (moved.size > 0 && moved.mtimeMs !== found.mtimeMs) await link(probe, lock).catch(() => {});
  }
  await rm(probe, { force: true });
}
