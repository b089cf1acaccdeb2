import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';

/** The program that replaces the process to end it: a shell that exits with the exit code. */
const SHELL = '/bin/sh';

/** A property of Node's streams on pipes and terminals that its types leave out. */
interface Handled {
  readonly _handle?: { readonly setBlocking?: (on: boolean) => void } | null;
}

/**
 * Ends the process at once, whatever is still open. `process.exit` can hang: it waits for V8's threads, and
 * one of them may wait for a garbage collection by the thread that waits for it (seen after one in eight
 * imports of large images). Replacing the process by a shell that exits is one system call, in which the
 * kernel ends every other thread.
 * @param opened the standard streams that were used
 */
export function endNow(code: number, opened: readonly object[]): never {
  if (process.execve === undefined || !existsSync(SHELL)) process.exit(code);
  process.emit('exit', code);
  flushCompileCache();
  // Node makes pipes and terminals non-blocking, also for other programs that use them. Undo that. (Standard
  // input that was read to its end has no other readers.)
  for (const stream of opened) (stream as Handled)._handle?.setBlocking?.(true);
  return process.execve(SHELL, ['sh', '-c', `exit ${code}`], {});
}
