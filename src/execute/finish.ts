import type { Slots } from '../async/index.ts';
import type { FinishedRun } from './run-node.ts';
import type { BuiltPackage } from './types.ts';

/**
 * Writes the packages of a node that has run, where there are any to cut, once its image is there; then closes the
 * workspace. `started` resolves when one of the `places` is free, which it shares with other packages that are written.
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
      // The engine itself leaves traces in a container while it reads from one, which an image must not hold.
      if (ran.workspace.source !== 'upper') await committed;
      const writing = write === undefined ? Promise.resolve([]) : write();
      // An image that other packages may be built on is made whole, also where nothing can be cut from it.
      await Promise.allSettled([committed, writing]);
      await committed;
      return await writing;
    } finally {
      // Removed while others go on; the engine's own close waits for it.
      void ran.workspace.close().catch(() => {});
    }
  });
  written.catch(() => {});
  return { started: started.promise, written };
}
