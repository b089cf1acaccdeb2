import { type BytePath, toText } from '../../tar/index.ts';
import { EngineError } from '../errors.ts';

/** A path on disk is longer than Linux allows (`PATH_MAX`). */
export class PathTooLong extends Error {
  override readonly name = 'PathTooLong';
  readonly real: BytePath;

  constructor(real: BytePath, options: ErrorOptions) {
    super('a path is too long', options);
    this.real = real;
  }
}

/** How much of such a path is shown. */
const SHOWN = 60;

/**
 * Does work on the files of a workspace, whose folders on this machine are `roots`. Commands can make a path
 * in relative steps that is too long to be read with such a folder in front. For such a path this throws an
 * `EngineError` that names it as the commands know it, or rejects with one where the work is a promise.
 */
export function namingLongPaths<T>(roots: readonly BytePath[], work: () => T): T {
  const told = (error: unknown): unknown => (error instanceof PathTooLong ? tooLong(error, roots) : error);
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw told(error);
    }) as T;
  } catch (error) {
    throw told(error);
  }
}

function tooLong(error: PathTooLong, roots: readonly BytePath[]): EngineError {
  const { real } = error;
  const root = roots.find((one) => real.startsWith(`${one}/`)) ?? '';
  const path = real.slice(root.length);
  const top = `/${toText(path.split('/', 2)[1] ?? '')}`;
  const shown = JSON.stringify(`${toText(path.slice(0, SHOWN))}…`);
  return new EngineError(
    `the path ${shown} has ${path.length} bytes and cannot be read: with the workspace's folder in front it is longer than the 4096 bytes that Linux allows`,
    {
      cause: error,
      hint: `remove it in steps (rm -rf ${top}), even if it is excluded: the package's image would hold it`,
    },
  );
}
