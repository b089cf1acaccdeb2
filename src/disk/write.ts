import { constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Tries } from '../async/index.ts';
import { type WritingRun, withTemporaryFolder } from './aside.ts';
import { FileError, systemError } from './file-error.ts';
import { type Chunks, replaceBy, stageFile } from './replace.ts';
import { noFile, writing } from './why.ts';

/** How a file is written. */
export interface WriteFileOptions {
  /** Where absent, what a crash leaves is found by its age. */
  readonly run?: WritingRun | undefined;
  /** Stops the work between two pieces. */
  readonly signal?: AbortSignal | undefined;
  /** Told of bytes as they are written: for progress. */
  readonly onBytes?: ((count: number) => void) | undefined;
  /** The place that errors name; the file's own path where absent. */
  readonly place?: string | undefined;
}

/**
 * Writes a file that a user named: aside, and it gets its name when it is whole and on the disk. A link to a
 * file stays one. `content` is asked for when the place is known to be a good one, and may keep files in the
 * temporary folder that it is given. Rejects with a `FileError` where the place cannot be written; after an
 * error nothing is left.
 */
export async function writeFile(
  path: string,
  content: (temporary: string) => Chunks,
  options: WriteFileOptions = {},
): Promise<void> {
  const real = await writing(path, () => targetOf(path));
  if (real === undefined) throw noFile(path, await stat(path), 'written');
  await withTemporaryFolder(
    dirname(real),
    options.run,
    (temporary) => writeFileAside(real, temporary, content(temporary), options),
    path,
  );
}

/** As `writeFile`; but a named pipe and a character device stay what they are, and are written to. */
export async function writeFileOrStream(
  path: string,
  content: Chunks,
  options: WriteFileOptions = {},
): Promise<void> {
  const real = await writing(path, () => targetOf(path));
  if (real !== undefined) return await writeFile(real, () => content, options);
  await pour(path, await writing(path, () => openStream(path, options.signal)), content, options);
}

/**
 * Writes a file in a temporary folder, waits until it is on disk, and gives it its name. A reader never sees
 * half of it.
 */
export async function writeFileAside(
  path: string,
  temporary: string,
  content: Chunks,
  options: WriteFileOptions = {},
): Promise<void> {
  const aside = join(temporary, String(count++));
  const { place = path, signal, onBytes } = options;
  await stageFile(aside, () => content, { place, signal, onChunk: (chunk) => onBytes?.(chunk.length) });
  await replaceBy(aside, path, place);
}

/**
 * Writes a file into the run's temporary folder, where nothing has to survive a crash. Rejects with a
 * `FileError` that advises another temporary folder.
 */
export async function writeTemporaryFile(
  path: string,
  content: Chunks,
  options: WriteFileOptions = {},
): Promise<void> {
  try {
    const { signal, onBytes } = options;
    await stageFile(path, () => content, {
      ...{ place: path, mode: 0o600, signal, overwrite: true, volatile: true },
      onChunk: (chunk) => onBytes?.(chunk.length),
    });
  } catch (error) {
    if (!(error instanceof FileError) || error.path !== path) throw error;
    throw new FileError({
      ...error,
      // Not among what is spread: the message of an Error is not enumerable.
      message: error.message,
      hint: 'Make room there, or keep temporary files on another disk',
      advice: 'another-temporary-folder',
    });
  }
}

let count = 0;

/**
 * The path of the file itself, where links lead to one; undefined where there is a pipe or a character
 * device.
 */
async function targetOf(path: string): Promise<string | undefined> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (there === undefined) {
    // A link that leads nowhere, or a folder that is missing.
    if ((await lstat(path).catch(() => undefined)) !== undefined) throw systemError('EEXIST', 'open', path);
    await stat(dirname(path));
    return path;
  }
  if (there.isDirectory()) throw systemError('EISDIR', 'open', path);
  if (there.isFIFO() || there.isCharacterDevice()) return undefined;
  if (!there.isFile()) throw noFile(path, there, 'written');
  return await realpath(path);
}

/**
 * How long a pipe may be without a reader, in milliseconds: who starts both at once starts one of them first.
 */
const PATIENCE = 1000;

/**
 * Opens a pipe or a device. A pipe that nobody reads would keep a process waiting that can then not be
 * stopped.
 */
async function openStream(path: string, signal: AbortSignal | undefined): Promise<FileHandle> {
  const tries = new Tries({ pause: 20, factor: 1, patience: PATIENCE, signal });
  for (;;) {
    try {
      const probe = await open(path, constants.O_WRONLY | constants.O_NONBLOCK);
      // Now that there is a reader, without that flag: writes wait where the reader is slower.
      return await open(path, constants.O_WRONLY).finally(() => probe.close());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error;
      if (!(await tries.again()))
        throw new FileError({
          path,
          code: 'ENXIO',
          message: `${path} cannot be written: it is a named pipe that nobody reads`,
          hint: 'Start what reads it first, or name a file',
        });
    }
  }
}

/** Writes all pieces and closes the file. Errors of `content` stay what they are. */
async function pour(
  path: string,
  handle: FileHandle,
  content: Chunks,
  { signal, onBytes }: WriteFileOptions,
): Promise<void> {
  try {
    signal?.throwIfAborted();
    for await (const chunk of content) {
      signal?.throwIfAborted();
      await writing(path, () => handle.writeFile(chunk));
      onBytes?.(chunk.length);
    }
  } finally {
    await handle.close();
  }
}
