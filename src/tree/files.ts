import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import type { Diagnostic } from '../diagnostic/index.ts';

/** Largest spec, template or values file that is read, in bytes. */
const MAX_SIZE = 4 << 20;

/** The text of a file, or why it cannot be had. */
export type FileText = { readonly text: string } | { readonly problem: Diagnostic };

/** What went wrong with a path, in words; system errors by their code. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    ENOENT: 'it does not exist',
    ENOTDIR: 'a part of its path is no folder',
    ELOOP: 'its symbolic links lead in a circle',
    ENXIO: 'it is no regular file',
    ENAMETOOLONG: 'its path is too long',
  };
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}

/** An error about a whole file or folder. */
export function fileProblem(code: string, file: string, message: string): Diagnostic {
  return { code, severity: 'error', message, place: { file } };
}

/** What bears the name of a spec file and is a folder, a pipe, a socket or a device. */
export function notAFile(file: string): Diagnostic {
  return fileProblem('not-a-file', file, 'this must be a regular file');
}

let scratch: Buffer | undefined;

/**
 * Reads a text file. Nothing but a regular file of bounded size is read, and none that a symbolic link leads out
 * of `root` to; `root` is absolute and free of links itself, and undefined where links may lead anywhere. One that was
 * `listed` as a regular file is not asked for its kind again.
 *
 * This is synchronous on purpose: reading 40 000 small files through the thread pool took five times as long.
 */
export function readText(path: string, shown: string, root: string | undefined, listed = false): FileText {
  let fd: number | undefined;
  try {
    if (root !== undefined) {
      const real = realpathSync.native(path);
      if (!isInside(real, root)) {
        return { problem: fileProblem('outside-tree', shown, 'this symbolic link leads out of its tree') };
      }
    }
    // Without O_NONBLOCK, opening a FIFO that nobody writes to waits for ever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (!listed && !fstatSync(fd).isFile()) return { problem: notAFile(shown) };
    const bytes = readAll(fd);
    if (bytes.length > MAX_SIZE) {
      const message = `this file is larger than ${MAX_SIZE >> 20} MiB, which no spec file should be`;
      return { problem: fileProblem('file-too-large', shown, message) };
    }
    return decode(bytes, shown);
  } catch (error) {
    return { problem: fileProblem('unreadable', shown, `this file cannot be read: ${reason(error)}`) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What is in a file, up to a byte more than may be in it. */
function readAll(fd: number): Buffer {
  // One buffer serves every file: spec files are small and decoded at once.
  scratch ??= Buffer.allocUnsafe(MAX_SIZE + 1);
  let length = 0;
  for (;;) {
    const count = readSync(fd, scratch, length, scratch.length - length, null);
    length += count;
    if (count === 0 || length === scratch.length) return scratch.subarray(0, length);
  }
}

/** The text of a file's bytes, without a byte order mark. */
export function decode(bytes: Buffer, shown: string): FileText {
  const text = bytes.toString('utf8');
  // Only where a character may stand for bytes that are none, it matters whether they were.
  if (text.includes('\ufffd') && !isUtf8(bytes))
    return { problem: fileProblem('not-utf8', shown, 'this file is not UTF-8 text') };
  return { text: text.startsWith('\ufeff') ? text.slice(1) : text };
}

/** Whether an absolute path is a folder or lies in it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
