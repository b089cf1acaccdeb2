import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DiagnosticError } from '../diagnostic/index.ts';
import { FileError, makeFolder, writing } from '../disk/index.ts';
import type { Surroundings } from './surroundings.ts';

/** Folders of one run, and how to tell whether another run is over. */
export interface Workplace {
  /** Names this run among all runs on all machines: `HOST.BOOT.PID.RANDOM`. */
  readonly name: string;
  /** An empty folder that goes with the run. */
  readonly temporary: string;
  /** Where the output of commands is kept, a folder a run. */
  readonly logs: string;
  /** Folders of ours that other runs use, too: for temporary files, and for logs. */
  readonly shared: readonly string[];
  /** Whether the run of that name has ended; a run of another machine counts as going on. */
  readonly isOver: (name: string) => boolean;
  /** Removes the temporary folder. */
  close(): void;
}

/** Runs whose logs are kept. */
const KEPT_LOGS = 20;

const short = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8);

/** What reading gives, or nothing where the system has no such file. */
function orNothing(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // One of another user may not be signalled.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Who this process's user is outside of its user namespace: the root of one is another than the machine's. */
function outerUser(user: number): number {
  const map = orNothing(() => readFileSync('/proc/self/uid_map', 'utf8'));
  for (const row of map.split('\n')) {
    const [inside = 0, outside = 0, count = 0] = row.trim().split(/\s+/).map(Number);
    if (user >= inside && user < inside + count) return outside + user - inside;
  }
  return user;
}

/** That no temporary files can be kept in a folder. */
function noTemporaryFolder(folder: string, problem: string, hint: string): DiagnosticError {
  const message = `temporary files cannot be kept in ${folder}: ${problem}`;
  return new DiagnosticError([{ code: 'no-temporary-folder', severity: 'error', message, hint }]);
}

const ELSEWHERE = 'Set TMPDIR to another folder';

/** Does work in a temporary folder. Throws a `DiagnosticError` where the disk refuses it. */
function keeping<T>(folder: string, work: () => T): T {
  try {
    return writing(folder, work);
  } catch (error) {
    throw error instanceof FileError ? noTemporaryFolder(folder, error.why, ELSEWHERE) : error;
  }
}

/** A folder of this user's own, for the folders of runs. Throws a `DiagnosticError` where there is none. */
function ownFolder(): string {
  const user = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `luet-ts-${outerUser(user)}`);
  const found = keeping(folder, () => {
    makeFolder(folder, 0o700);
    return lstatSync(folder);
  });
  if (!found.isDirectory() || found.uid !== user)
    throw noTemporaryFolder(folder, 'it belongs to somebody else', ELSEWHERE);
  if ((found.mode & 0o077) !== 0) {
    // What lies there may be somebody else's by now.
    const problem = `other users have rights to it (mode ${(found.mode & 0o777).toString(8)})`;
    throw noTemporaryFolder(folder, problem, `Remove it, or ${ELSEWHERE.replace(/^S/, 's')}`);
  }
  return folder;
}

/** Makes the folders of this run, and removes those of runs that ended without doing so. */
export function openWorkplace(context: Surroundings): Workplace {
  // Process ids mean something only where they are counted: containers may share a host's name and its folders.
  const host = short(`${hostname()} ${orNothing(() => readlinkSync('/proc/self/ns/pid'))}`);
  const boot = short(orNothing(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')));
  const name = `${host}.${boot}.${process.pid}.${context.runId}`;
  const isOver = (other: string): boolean => {
    const [itsHost, itsBoot, pid] = other.split('.');
    if (itsHost !== host || pid === undefined || !/^\d+$/.test(pid)) return false;
    return itsBoot !== boot || !isRunning(Number(pid));
  };
  const parent = ownFolder();
  const temporary = join(parent, name);
  keeping(parent, () => {
    for (const other of readdirSync(parent))
      if (isOver(other)) rmSync(join(parent, other), { recursive: true, force: true });
    mkdirSync(temporary, { mode: 0o700 });
  });
  const state = context.env.XDG_STATE_HOME || join(context.home, '.local/state');
  const logs = join(state, 'luet-ts/logs');
  return {
    name,
    temporary,
    shared: [parent, join(state, 'luet-ts')],
    logs: join(logs, `${context.now().toISOString().replace(/[:.]/g, '-')}-${context.runId}`),
    isOver,
    close() {
      prune(logs, parent);
      rmSync(temporary, { recursive: true, force: true });
    },
  };
}

/**
 * Removes the oldest logs. Their names begin with the time, which may have been set back meanwhile: those of runs that have folders in `parent`, as this one
 * has still, stay in any case.
 */
function prune(logs: string, parent: string): void {
  let runs: string[];
  try {
    runs = readdirSync(logs).sort();
  } catch {
    return;
  }
  try {
    const going = new Set(readdirSync(parent).map((name) => name.slice(name.lastIndexOf('.') + 1)));
    const ended = runs.filter((name) => !going.has(name.slice(name.lastIndexOf('-') + 1)));
    for (const old of ended.slice(0, Math.max(0, runs.length - KEPT_LOGS)))
      rmSync(join(logs, old), { recursive: true, force: true });
  } catch {
    // They stay: on a disk that is read-only by now, say. Nothing depends on that.
  }
}
