import type { Slots } from '../async/index.ts';
import type { FinishedRun } from './run-node.ts';
import type { BuiltPackage } from './types.ts';

/**
 * Writes the packages of a finished node, if there are any: while its image is made if the workspace can be
 * read directly, else after that; then closes the workspace. `started` resolves when one of the `places` is free, which it shares with other packages that
 * are being written.
 */
export function finish(
  ran: FinishedRun,
  committed: Promise<void>,
  places: Slots,
  write: (() => Promise<readonly BuiltPackage[]>) | undefined,
): { readonly started: Promise<void>; readonly written: Promise<readonly BuiltPackage[]> } {
  const started = Promise.withResolvers<void>();
  const written = places.run(async () => {
    started.resolve();
    try {
      // Reading from a container leaves traces of the engine in it, which must not get into the image.
      if (ran.workspace.source !== 'upper') await committed;
      const writing = write === undefined ? Promise.resolve([]) : write();
      // The image is made completely even if nothing can be cut from it, because other packages may be built
      // on it.
      await Promise.allSettled([committed, writing]);
      await committed;
      return await writing;
    } finally {
      // Closed in the background; closing the engine waits for it.
      void ran.workspace.close().catch(() => {});
    }
  });
  written.catch(() => {});
  return { started: started.promise, written };
}
