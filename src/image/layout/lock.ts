import { link, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Tries } from '../../async/index.ts';
import type { WriteOptions } from '../types.ts';

/** Milliseconds between two tries. */
const PAUSE = 20;

/** How long a lock can be there in milliseconds before its holder counts as gone, whoever that was: what is done under it takes a few. */
const STALE = 30_000;

let count = 0;

/** Does some short work while nobody else does work under the same lock, which is a file. Waits until it is free. */
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
    // One that does not say whose it is holds as well.
    await handle.writeFile(owner).catch(() => {});
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** A lock of another that was seen there, and since when, in milliseconds of a clock that nobody sets. */
interface Seen {
  readonly ino: number;
  readonly mtimeMs: number;
  readonly since: number;
}

/**
 * Removes a lock that a crash left; answers which one it saw. The file system's clock is asked by a file made for that; it may have been set back since, so a lock
 * that was watched for long enough is old as well.
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
  // Of several who see it, one moves it away.
  const isOld = now - mtimeMs > STALE || performance.now() - seen.since > STALE;
  if (isOver?.(owner) === true || isOld) {
    await rename(lock, probe).catch(() => {});
    // Who comes late to that has moved the next one's, and gives it back.
    const moved = await stat(probe);
    if (moved.size > 0 && moved.mtimeMs !== found.mtimeMs) await link(probe, lock).catch(() => {});
  }
  await rm(probe, { force: true });
  return seen;
}
