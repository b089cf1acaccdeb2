import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';

/** What replaces the process to end it, and is told the exit code. */
const SHELL = '/bin/sh';

/** What Node's streams on pipes and terminals have, and its types do not say. */
interface Handled {
  readonly _handle?: { readonly setBlocking?: (on: boolean) => void } | null;
}

/**
 * Ends the process at once, whatever is still open. `process.exit` is no way to do that: it waits for V8's
 * threads, one of which may wait for a garbage collection by the thread that waits for it (seen after imports
 * of large images, one in eight). Becoming a shell that exits is one call, in which the kernel ends every
 * other thread.
 * @param opened the standard streams that were used
 */
export function endNow(code: number, opened: readonly object[]): never {
  if (process.execve === undefined || !existsSync(SHELL)) process.exit(code);
  process.emit('exit', code);
  flushCompileCache();
  // Node lets no read or write wait, and whoever has the same pipe or terminal would go on with that. (Where
  // standard input was read to its end, nobody reads on.)
  for (const stream of opened) (stream as Handled)._handle?.setBlocking?.(true);
  return process.execve(SHELL, ['sh', '-c', `exit ${code}`], {});
}
