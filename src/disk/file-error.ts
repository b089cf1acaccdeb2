import { constants } from 'node:os';
import { type Advice, DiagnosticError } from '../diagnostic/index.ts';

/** What went wrong with a place on disk. */
export interface Refusal {
  /** The place that was asked for. */
  readonly path: string;
  /** The system's name of the error, such as `ENOSPC` (`man 3 errno`). */
  readonly code: string;
  /** One sentence without a final full stop that names the place. */
  readonly message: string;
  /** The reason alone; `message` where absent. */
  readonly why?: string | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice | undefined;
  readonly cause?: unknown;
}

/**
 * A place on disk could not be read or written. It is shown as a finding: `no-space` where the disk is full,
 * else `file-failed`.
 */
export class FileError extends DiagnosticError {
  readonly path: string;
  readonly code: string;
  /** The reason alone, for a sentence that names the place already. */
  readonly why: string;
  readonly hint: string | undefined;
  readonly advice: Advice | undefined;

  /** Whether the disk is full, or the user's quota is used up. */
  get isFull(): boolean {
    return isFull(this.code);
  }

  constructor({ path, code, message, why, hint, advice, cause }: Refusal) {
    super([
      {
        code: isFull(code) ? 'no-space' : 'file-failed',
        severity: 'error',
        message,
        ...(hint === undefined ? {} : { hint }),
        ...(advice === undefined ? {} : { advice }),
      },
    ]);
    this.path = path;
    this.code = code;
    this.why = why ?? message;
    this.hint = hint;
    this.advice = advice;
    this.cause = cause;
  }
}

/** Whether an error of the system means a full disk or a used-up quota. */
export const isFull = (code: string): boolean => code === 'ENOSPC' || code === 'EDQUOT';

/** An error in the form of a system call's, for what was found out without one. */
export function systemError(
  code: 'EPERM' | 'EISDIR' | 'EEXIST' | 'ENOTDIR' | 'ENOTEMPTY',
  syscall: string,
  path: string,
): Error {
  const errno = -constants.errno[code];
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno, syscall, path });
}

/** An error of a system call, as Node throws it. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  if (!(error instanceof Error)) return false;
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && typeof syscall === 'string';
}
