import { spawn } from 'node:child_process';
import { readdirSync, statfsSync } from 'node:fs';
import { FileError, fileError, isFolderThere, reading } from '../disk/index.ts';
import { StoreError } from './errors.ts';

/** How long the end of a run waits for the disk, in milliseconds. */
const PATIENCE = 2000;

/**
 * Flushes the file system of a folder; resolves to false where that takes too long, or the program is
 * missing.
 */
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

/** Whether an error means that a disk is full, or that this user's quota is used up. */
export function isNoSpace(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}

/** An error as it is; where the store's disk is full, as a `StoreError` that says so. */
export function storeFailure(folder: string, error: unknown): unknown {
  // An error of writing an image has the system's error as its cause.
  for (let one = error; one instanceof Error; one = one.cause) {
    if (isNoSpace(one)) return storeError(folder, one);
  }
  return error;
}

/** With fewer free bytes than this, a failed command is taken to have failed because the disk is full. */
const NOTHING_LEFT = 64 * 1024;

/** What a disk has used up: room, or the number of files. Undefined where it has some of both. */
function shortOf(folder: string): 'room' | 'files' | undefined {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  if (bavail * bsize < NOTHING_LEFT) return 'room';
  // Some file systems do not count files.
  return files > 0 && ffree === 0 ? 'files' : undefined;
}

/** Whether nothing more can be written to the disk of a folder. */
export const isFull = (folder: string): boolean => shortOf(folder) !== undefined;

/** The error for a full disk. */
export function fullError(folder: string, options: ErrorOptions = {}): StoreError {
  const more = shortOf(folder) === 'files' ? ': it can have no more files (inodes), whatever their size' : '';
  return new StoreError(`the disk that the store ${folder} lies on is full${more}`, {
    ...options,
    kind: 'no-space',
  });
}

/** The error for a store that could not be read or written. */
export function storeError(folder: string, error: unknown): StoreError {
  if (isNoSpace(error)) return fullError(folder, { cause: error });
  const refused = fileError(error, (error as NodeJS.ErrnoException).path ?? folder, 'used');
  if (!(refused instanceof FileError))
    return new StoreError(`the store ${folder} cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  const { why, hint, advice } = refused;
  return new StoreError(`the store ${folder} cannot be used: ${why}`, { cause: refused, hint, advice });
}

/** Throws a `StoreError` where a folder cannot be a store. A missing folder is an empty store. */
export function checkStore(folder: string): void {
  try {
    if (isFolderThere(folder)) reading(folder, () => readdirSync(folder));
  } catch (error) {
    throw storeError(folder, error);
  }
}
