import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CliContext } from './context.ts';

/** Folders of one run, and how to tell whether another run is over. */
export interface Workplace {
  /** Names this run on this machine: `HOST.BOOT.PID.RANDOM`. */
  readonly name: string;
  /** An empty folder that goes with the run. */
  readonly temporary: string;
  /** Where the output of commands is kept, a folder a run. */
  readonly logs: string;
  /** Whether the run of that name has ended; a run of another machine counts as going on. */
  readonly isOver: (name: string) => boolean;
  /** Removes the temporary folder. */
  close(): void;
}

/** Runs whose logs are kept. */
const KEPT_LOGS = 20;

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Makes the folders of this run, and removes those of runs that ended without doing so. */
export function openWorkplace(context: CliContext): Workplace {
  const host = short(hostname());
  const boot = short(bootId());
  const name = `${host}.${boot}.${process.pid}.${context.runId}`;
  const isOver = (other: string): boolean => {
    const [itsHost, itsBoot, pid] = other.split('.');
    if (itsHost !== host || pid === undefined || !/^\d+$/.test(pid)) return false;
    return itsBoot !== boot || !existsSync(`/proc/${pid}`);
  };
  const parent = join(tmpdir(), `luet-ts-${process.getuid?.() ?? 0}`);
  mkdirSync(parent, { recursive: true, mode: 0o700 });
  if (statSync(parent).uid !== (process.getuid?.() ?? 0))
    throw new Error(`${parent} belongs to somebody else`);
  for (const other of readdirSync(parent))
    if (isOver(other)) rmSync(join(parent, other), { recursive: true, force: true });
  const temporary = join(parent, name);
  mkdirSync(temporary, { mode: 0o700 });
  const state = context.env.XDG_STATE_HOME || join(context.home, '.local/state');
  const logs = join(state, 'luet-ts/logs');
  return {
    name,
    temporary,
    logs: join(logs, `${context.now().toISOString().replace(/[:.]/g, '-')}-${context.runId}`),
    isOver,
    close() {
      rmSync(temporary, { recursive: true, force: true });
      prune(logs);
    },
  };
}

/** Removes the oldest logs. Their names begin with the time. */
function prune(logs: string): void {
  let runs: string[];
  try {
    runs = readdirSync(logs).sort();
  } catch {
    return;
  }
  for (const old of runs.slice(0, -KEPT_LOGS)) rmSync(join(logs, old), { recursive: true, force: true });
}
