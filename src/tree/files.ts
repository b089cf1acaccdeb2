import { isUtf8 } from 'node:buffer';
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import type { Diagnostic } from '../diagnostic/index.ts';

/** Maximum size in bytes of a spec, template or values file. */
const MAX_SIZE = 4 << 20;

/** The text of a file, or the problem that prevented reading it. */
export type FileText = { readonly text: string } | { readonly problem: Diagnostic };

/** The reason of an error with a path as a phrase; system errors are recognised by their code. */
export function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    ENOENT: 'it does not exist',
    ENOTDIR: 'a part of its path is not a folder',
    ELOOP: 'its symbolic links form a loop',
    ENXIO: 'it is not a regular file',
    ENAMETOOLONG: 'its path is too long',
  };
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}

/** An error about a whole file or folder. */
export function fileProblem(code: string, file: string, message: string): Diagnostic {
  return { code, severity: 'error', message, place: { file } };
}

/** The problem of a folder, pipe, socket or device that has the name of a spec file. */
export function notAFile(file: string): Diagnostic {
  return fileProblem('not-a-file', file, 'this is not a regular file');
}

let scratch: Buffer | undefined;

/**
 * Reads a text file. Rejects everything except regular files up to the maximum size, and files that a
 * symbolic link outside `root` leads to. `root` must be absolute and free of links; undefined allows links to
 * anywhere. With `listed`, the file is known to be a regular file, and its type is not checked again.
 *
 * Synchronous on purpose: reading 40 000 small files through the thread pool took five times as long.
 */
export function readText(path: string, shown: string, root: string | undefined, listed = false): FileText {
  let fd: number | undefined;
  try {
    if (root !== undefined) {
      const real = realpathSync.native(path);
      if (!isInside(real, root)) {
        return { problem: fileProblem('outside-tree', shown, 'this symbolic link leads outside its tree') };
      }
    }
    // Without O_NONBLOCK, opening a FIFO without a writer blocks forever.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    if (!listed && !fstatSync(fd).isFile()) return { problem: notAFile(shown) };
    const bytes = readAll(fd);
    if (bytes.length > MAX_SIZE) {
      const message = `this file is larger than ${MAX_SIZE >> 20} MiB, the maximum for spec files`;
      return { problem: fileProblem('file-too-large', shown, message) };
    }
    return decode(bytes, shown);
  } catch (error) {
    return { problem: fileProblem('unreadable', shown, `cannot read this file: ${reason(error)}`) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Reads a file, up to one byte more than the maximum size. */
function readAll(fd: number): Buffer {
  // All files share one buffer: spec files are small, and are decoded immediately.
  scratch ??= Buffer.allocUnsafe(MAX_SIZE + 1);
  let length = 0;
  for (;;) {
    const count = readSync(fd, scratch, length, scratch.length - length, null);
    length += count;
    if (count === 0 || length === scratch.length) return scratch.subarray(0, length);
  }
}

/** Decodes a file as UTF-8, without a byte order mark. */
export function decode(bytes: Buffer, shown: string): FileText {
  const text = bytes.toString('utf8');
  // U+FFFD can be a real character of the file or stand for invalid bytes, so only then the bytes are
  // checked.
  if (text.includes('\ufffd') && !isUtf8(bytes))
    return { problem: fileProblem('not-utf8', shown, 'this file is not UTF-8 text') };
  return { text: text.startsWith('\ufeff') ? text.slice(1) : text };
}

/** Whether an absolute path is a folder or inside it. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
