import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writing } from './why.ts';

/** The content of a file, in pieces. */
export type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** How a file is staged. */
export interface StageOptions {
  /** The path that errors name: where the file is to be. */
  readonly place: string;
  /** The file's mode; 0644 where absent. */
  readonly mode?: number | undefined;
  /** Stops the work between two pieces. */
  readonly signal?: AbortSignal | undefined;
  /** Called with each piece once it is written, for progress and checksums. */
  readonly onChunk?: ((chunk: Uint8Array) => void) | undefined;
  /** Whether to write to a file that is there; that is an error where absent. */
  readonly overwrite?: boolean | undefined;
  /** Whether the file need not survive a crash of the machine: then nothing waits for the disk. */
  readonly volatile?: boolean | undefined;
}

/**
 * Writes a file under a temporary name and waits until the disk has it; `replaceBy` then gives it its name. `chunks` is
 * called when the file is open, so that a file that cannot be made leaves no stream running. Rejects with a `FileError`
 * where the file cannot be written; errors of the chunks stay what they are.
 */
export async function stageFile(
  temporary: string,
  chunks: () => Chunks,
  options: StageOptions,
): Promise<void> {
  const { place, mode = 0o644, signal, onChunk, overwrite, volatile } = options;
  const handle = await writing(place, () => open(temporary, overwrite ? 'w' : 'wx', mode));
  try {
    signal?.throwIfAborted();
    for await (const chunk of chunks()) {
      signal?.throwIfAborted();
      await writing(place, () => handle.writeFile(chunk));
      onChunk?.(chunk);
    }
    if (!volatile) await writing(place, () => handle.sync());
  } finally {
    await handle.close();
  }
}

/** Gives a staged file its name, and waits until the disk has the name. Rejects with a `FileError` about `place`. */
export async function replaceBy(temporary: string, path: string, place = path): Promise<void> {
  await writing(place, async () => {
    await rename(temporary, path);
    await syncFolder(dirname(path));
  });
}

/** Waits until the disk has the names in a folder. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  await handle.sync().finally(() => handle.close());
}

/**
 * Replaces a small file in one step, by way of a temporary one in the same file system, so that a reader finds the old
 * content or the new one. Does not wait for the disk: for what can be found out again after a crash of the machine. Throws
 * what the system throws; the temporary file is then removed.
 */
export function replaceFileSync(path: string, content: string, temporary: string): void {
  try {
    writeFileSync(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // The first error says more.
    }
    throw error;
  }
}
