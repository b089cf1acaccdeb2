import { execFile, execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const how = { recursive: true, force: true } as const;

/** Whether a path is longer than the system takes: a command can make such folders, each from within the last. */
const isTooDeep = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENAMETOOLONG';

/** Removes a folder with all that is in it, however deep; nothing where there is none. Rejects as `rm` does. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, how);
  } catch (error) {
    if (!isTooDeep(error)) throw error;
    await run('rm', ['-rf', '--', folder]);
  }
}

/** As `removeTree`, at once. */
export function removeTreeSync(folder: string): void {
  try {
    rmSync(folder, how);
  } catch (error) {
    if (!isTooDeep(error)) throw error;
    execFileSync('rm', ['-rf', '--', folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}
