import type { Sat } from './sat.ts';

/** Conflicts until the first restart; later ones come at distances that grow by half. */
const FIRST_RESTART = 100;

/**
 * Looks for any assignment under the open levels, deciding by activity and starting over now and then. True
 * with all variables assigned where there is one. False where there is none, or where something was learned
 * that changes the open levels: then `sat.level` is below what it was, or a clause is false at level 1.
 */
export function probe(sat: Sat): { readonly found: boolean; readonly conflict: number } {
  const floor = sat.level;
  let patience = FIRST_RESTART;
  let restartAt = sat.conflicts + patience;
  for (;;) {
    const conflict = sat.propagate();
    if (conflict >= 0) {
      if (sat.level <= 1) return { found: false, conflict };
      sat.learn(conflict);
      if (sat.level < floor) return { found: false, conflict: -1 };
    } else if (sat.conflicts >= restartAt) {
      patience *= 1.5;
      restartAt = sat.conflicts + patience;
      sat.backTo(floor);
      // Forgetting is possible at level 0 only, from where the caller comes back here.
      if (sat.crowded) {
        sat.backTo(0);
        return { found: false, conflict: -1 };
      }
    } else if (!sat.decide()) {
      return { found: true, conflict: -1 };
    }
  }
}
