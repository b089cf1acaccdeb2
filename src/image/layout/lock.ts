import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Tries } from '../../async/index.ts';
import type { WriteOptions } from '../types.ts';

/** Milliseconds between two attempts. */
const PAUSE = 20;

/**
 * Age in milliseconds after which the holder of a lock counts as dead. Work under the lock takes a few
 * milliseconds.
 */
const STALE = 30_000;

let count = 0;

/** Runs short work under a lock, which is a file. Waits until the lock is free. */
export async function withLock<T>(
  lock: string,
  temporary: string,
  { signal, run }: Pick<WriteOptions, 'signal' | 'run'>,
  work: () => Promise<T>,
): Promise<T> {
  let seen: Seen | undefined;
  const tries = new Tries({ pause: PAUSE, factor: 1, signal });
  while (!(await taken(lock, run?.name ?? ''))) {
    signal?.throwIfAborted();
    seen = await removeStale(lock, join(temporary, `lock-${count++}`), run?.isOver, seen);
    await tries.again();
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
    // A lock file without its owner's name is still a lock.
    await handle.writeFile(owner).catch(() => {});
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A lock of another process, and when it was first seen, in milliseconds of a monotonic clock. */
interface Seen {
  readonly ino: number;
  readonly mtimeMs: number;
  readonly since: number;
}

/**
 * Removes a lock that was left by a crash; returns the lock that it saw. The age is compared with the time of
 * a new file, that is, by the file system's clock. Because that clock can be set back, a lock that was
 * watched for long enough is also old.
 */
async function removeStale(
  lock: string,
  probe: string,
  isOver: ((run: string) => boolean) | undefined,
  before: Seen | undefined,
): Promise<Seen | undefined> {
  const found = await stat(lock).catch(() => undefined);
  if (found === undefined) return undefined;
  const { ino, mtimeMs } = found;
  const isSame = before?.ino === ino && before.mtimeMs === mtimeMs;
  const seen = isSame ? before : { ino, mtimeMs, since: performance.now() };
  const owner = await readFile(lock, 'utf8').catch(() => '');
  await (await open(probe, 'w')).close();
  const now = (await stat(probe)).mtimeMs;
  // Renaming makes sure that only one of several processes removes the lock.
  const isOld = now - mtimeMs > STALE || performance.now() - seen.since > STALE;
  if (isOver?.(owner) === true || isOld) {
    await rename(lock, probe).catch(() => {});
    // Another process was faster, so this is a new lock: it is put back.
    const moved = await stat(probe);
    if (moved.size > 0 && moved.mtimeMs !== found.mtimeMs) await link(probe, lock).catch(() => {});
  }
  await rm(probe, { force: true });
  return seen;
}
