import { spawn } from 'node:child_process';
import { EngineError } from '../../types.ts';

/** How long the end of a run waits for the disk, in milliseconds. */
const PATIENCE = 2000;

/** Writes out the file system that a folder lies on; false where that takes too long, or the program is not there. */
export function syncDisk(folder: string): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn('sync', ['-f', folder], { stdio: 'ignore' });
    const timer = setTimeout(() => resolve(false), PATIENCE);
    child.unref();
    const end = (done: boolean): void => {
      clearTimeout(timer);
      resolve(done);
    };
    child.on('error', () => end(false)).on('exit', (code) => end(code === 0));
  });
}

/** An error as it is, or as the engine's where it says that the store's disk is full. */
export function diskError(folder: string, error: unknown): unknown {
  // What could not be written of an image says so behind its own words.
  for (let one = error; one instanceof Error; one = one.cause) {
    const { code } = one as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') return storeError(folder, one);
  }
  return error;
}

/** A failure to read or write the store, as the engine's. */
export function storeError(folder: string, error: unknown): EngineError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new EngineError(`the disk that the store ${folder} lies on is full`, {
      kind: 'no-space',
      cause: error,
    });
  return new EngineError(`the store ${folder} cannot be used: ${message}`, { cause: error });
}
