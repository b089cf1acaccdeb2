import type { Ran } from './node-run.ts';
import type { Slots } from './slots.ts';
import type { BuiltPackage } from './types.ts';

/**
 * Writes the packages of a node that has run, where there are any to cut, once its image is there; then the workspace goes.
 * `begun` resolves when there is one of the `places` for that, which it shares with others that are being written.
 */
export function finish(
  ran: Ran,
  committed: Promise<void>,
  places: Slots,
  write: (() => Promise<readonly BuiltPackage[]>) | undefined,
): { readonly begun: Promise<void>; readonly written: Promise<readonly BuiltPackage[]> } {
  const begun = Promise.withResolvers<void>();
  const written = places.run(async () => {
    begun.resolve();
    try {
      // The engine itself leaves traces in a container while it reads from one, which an image must not hold.
      if (ran.workspace.source !== 'upper') await committed;
      const writing = write === undefined ? Promise.resolve([]) : write();
      // An image that others may stand on is made whole, also where nothing can be cut from it.
      await Promise.allSettled([committed, writing]);
      await committed;
      return await writing;
    } finally {
      // Removed while others go on; the engine's own close waits for it.
      void ran.workspace.close().catch(() => {});
    }
  });
  written.catch(() => {});
  return { begun: begun.promise, written };
}
