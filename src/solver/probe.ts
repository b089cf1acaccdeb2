import type { Sat } from './sat.ts';

/** Number of conflicts before the first restart. Each later interval is 1.5 times as long. */
const FIRST_RESTART = 100;

/**
 * Searches for any assignment below the open levels; decides by activity and restarts from time to time.
 * Returns true with all variables assigned if there is one. Returns false if there is none, or if a learned
 * clause changes the open levels: then `sat.level` is lower than before, or a clause is false at level 1.
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
      // Clauses can be deleted at level 0 only. The caller goes there and calls this function again.
      if (sat.crowded) {
        sat.backTo(0);
        return { found: false, conflict: -1 };
      }
    } else if (!sat.decide()) {
      return { found: true, conflict: -1 };
    }
  }
}
