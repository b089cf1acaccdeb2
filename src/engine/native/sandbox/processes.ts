import { readdirSync, readlinkSync } from 'node:fs';

/** The processes whose root is one of our folders, or below one. */
function rooted(isOurs: (root: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return isOurs(readlinkSync(`/proc/${pid}/root`));
      } catch {
        return false;
      }
    });
}

/** Kills every process with such a root, and those that they start in the meantime. */
export function killRooted(isOurs: (root: string) => boolean): void {
  for (let round = 0; round < 1000; round++) {
    const found = rooted(isOurs);
    if (found.length === 0) return;
    for (const pid of found) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }
}
