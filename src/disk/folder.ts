import { accessSync, constants, lstatSync, mkdirSync, rmdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemError } from './file-error.ts';
import { isShownByKernel, noFile, reading, using, writing } from './why.ts';

/**
 * Creates a folder and those above it, as `mkdir -p`, and returns those that it created, highest first.
 * Node's own recursive mkdir never ends where a folder is visible and nothing can be created in it, such as
 * /proc (nodejs/node#27198), and calls a read-only disk a missing folder (nodejs/node#31481). After an error,
 * nothing of it is left. Throws a `FileError` about `place`.
 */
export function makeFolder(folder: string, mode = 0o777, place = folder): readonly string[] {
  return writing(place, () => {
    const made: string[] = [];
    try {
      for (const one of missingFolders(folder)) {
        try {
          mkdirSync(one, { mode });
          made.push(one);
        } catch (error) {
          // Another process may have created it in the meantime.
          if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !isFolder(one)) throw error;
        }
      }
      return made;
    } catch (error) {
      removeMade(made);
      throw error;
    }
  });
}

/** Removes folders that `makeFolder` created, as far as they are empty. */
export function removeMade(made: readonly string[]): void {
  for (const folder of made.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}

/**
 * Finds out whether files can be created in a folder, which may not exist yet; a full disk is not noticed.
 * Leaves nothing behind. Throws a `FileError`.
 */
export function checkWritable(folder: string): void {
  const made = makeFolder(folder);
  try {
    writing(folder, () => {
      accessSync(folder, constants.W_OK | constants.X_OK);
      // For root, permissions are no obstacle.
      if (isShownByKernel(folder)) throw systemError('EPERM', 'access', folder);
    });
  } finally {
    removeMade(made);
  }
}

/**
 * Whether a folder exists. Throws a `FileError` where it is something else, cannot be looked at, or could not
 * be created because something is in the way.
 */
export function isFolderThere(folder: string): boolean {
  return using(folder, () => {
    for (let at = folder; ; at = dirname(at)) {
      const there = statSync(at, { throwIfNoEntry: false });
      if (there?.isDirectory()) return at === folder;
      // A file, or a link that leads nowhere.
      if (lstatSync(at, { throwIfNoEntry: false }) !== undefined)
        throw systemError('ENOTDIR', 'scandir', folder);
    }
  });
}

/** Throws a `FileError` where there is no file that can be read, such as for a folder. */
export function checkFile(file: string): void {
  reading(file, () => {
    const there = statSync(file);
    if (there.isDirectory()) throw systemError('EISDIR', 'open', file);
    if (!there.isFile()) throw noFile(file, there, 'read');
    accessSync(file, constants.R_OK);
  });
}

/** The folders above a folder, and itself, that do not exist: the highest first. */
function missingFolders(folder: string): string[] {
  const missing: string[] = [];
  for (let at = folder; !isFolder(at); at = dirname(at)) {
    missing.push(at);
    // The root is a folder, and so is the start of a relative path.
    if (dirname(at) === at) break;
  }
  return missing.reverse();
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (error) {
    // Only the beginning of a path that is too long could be created, for nothing. In other cases creating it
    // says why it fails.
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') throw error;
    return false;
  }
}
