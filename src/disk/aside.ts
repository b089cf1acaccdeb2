import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writing } from './why.ts';

/** The run that writes. Others use it to recognize what a dead run left behind. */
export interface WritingRun {
  /** Names this run among all runs on all machines. */
  readonly name: string;
  /** Whether the run of that name has surely ended. */
  readonly isOver: (name: string) => boolean;
}

const PREFIX = '.luet-ts-';

/** Milliseconds after which nobody writes to a temporary folder any more, whoever created it. */
const STALE = 24 * 3600 * 1000;

/** Whether a name in a folder is that of a temporary folder of this program. */
export const isTemporaryName = (name: string): boolean => name.startsWith(PREFIX);

/**
 * Creates a temporary folder for some work, in the folder to which its files will be moved. Removes such
 * folders that dead runs left, or anybody a day ago. Rejects with a `FileError` about `place` where it cannot
 * be created.
 */
export async function withTemporaryFolder<T>(
  folder: string,
  run: WritingRun | undefined,
  work: (temporary: string) => Promise<T>,
  place = folder,
): Promise<T> {
  const prefix = run === undefined ? PREFIX : `${PREFIX}${encodeURIComponent(run.name)}-`;
  const temporary = await writing(place, () => mkdtemp(join(folder, prefix)));
  try {
    await removeStale(folder, temporary, run);
    return await work(temporary);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function removeStale(folder: string, temporary: string, run: WritingRun | undefined): Promise<void> {
  // The clock of the file system is the one from which the folders of others have their times.
  const now = (await stat(temporary)).mtimeMs;
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!isTemporaryName(name) || path === temporary) continue;
    const found = await stat(path).catch(() => undefined);
    if (!found?.isDirectory()) continue;
    const owner = /^(.+)-[^-]{6}$/.exec(name.slice(PREFIX.length))?.[1];
    const isLeft = owner !== undefined && run?.isOver(decodeURIComponent(owner)) === true;
    if (isLeft || now - found.mtimeMs > STALE) await rm(path, { recursive: true, force: true });
  }
}
