import {
  chmodSync,
  chownSync,
  lstatSync,
  readdirSync,
  realpathSync,
  renameSync,
  type Stats,
  statSync,
  utimesSync,
} from 'node:fs';
import { dirname, join, sep } from 'node:path';
import {
  FileError,
  fileError,
  makeFolder,
  removeMade,
  systemError,
  type WritingRun,
  withTemporaryFolder,
  writing,
} from '../../disk/index.ts';
import { writeFolderAside } from './aside.ts';

/**
 * Fills a folder that a user named. It must not exist, or be empty; missing parents are created. The folder
 * appears when it is complete; after an error, nothing is left. A mount point is filled in place. Rejects
 * with a `FileError` if the path is not a folder or not empty.
 */
export async function writeFolder<T>(
  folder: string,
  run: WritingRun | undefined,
  fill: (temporary: string) => Promise<T>,
): Promise<T> {
  const made = makeFolder(dirname(folder), 0o777, folder);
  try {
    const { path, isMounted } = writing(folder, () => targetOf(folder));
    const work = async (temporary: string): Promise<T> => {
      const complete = join(temporary, 'complete');
      const result = await aboutFolder(folder, temporary, () =>
        writeFolderAside(isMounted ? complete : path, join(temporary, 'root'), fill),
      );
      if (isMounted) writing(folder, () => moveContent(complete, path));
      return result;
    };
    return await withTemporaryFolder(isMounted ? path : dirname(path), run, work, folder);
  } catch (error) {
    removeMade(made);
    throw error;
  }
}

interface TargetFolder {
  /** The path with links resolved. */
  readonly path: string;
  /** Whether it is a mount point, so that another folder cannot be renamed to it. */
  readonly isMounted: boolean;
}

function targetOf(folder: string): TargetFolder {
  const there = statSync(folder, { throwIfNoEntry: false });
  if (there === undefined) {
    if (lstatSync(folder, { throwIfNoEntry: false }) === undefined) return { path: folder, isMounted: false };
    // A dangling link.
    throw systemError('EEXIST', 'mkdir', folder);
  }
  if (!there.isDirectory()) throw systemError('EEXIST', 'mkdir', folder);
  if (readdirSync(folder).length > 0) throw systemError('ENOTEMPTY', 'mkdir', folder);
  const path = realpathSync(folder);
  return { path, isMounted: isRoot(path) || statSync(dirname(path)).dev !== there.dev };
}

const isRoot = (path: string): boolean => dirname(path) === path;

/**
 * Runs work in a temporary folder. Errors about the temporary folder are reported for the requested folder.
 */
async function aboutFolder<T>(folder: string, temporary: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FileError) || !error.path.startsWith(temporary + sep)) throw error;
    throw fileError(error.cause, folder, 'written');
  }
}

/** Moves the content of a folder to an empty one on the same file system, with its mode, owner and time. */
function moveContent(from: string, to: string): void {
  const found: Stats = lstatSync(from);
  // As buffers, because names can be any bytes.
  for (const name of readdirSync(from, 'buffer')) renameSync(below(from, name), below(to, name));
  chownSync(to, found.uid, found.gid);
  chmodSync(to, found.mode & 0o7777);
  utimesSync(to, found.atimeMs / 1000, found.mtimeMs / 1000);
}

const below = (folder: string, name: Buffer): Buffer => Buffer.concat([Buffer.from(`${folder}/`), name]);
