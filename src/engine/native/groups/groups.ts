import { appendFileSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { waitFor } from '../../../async/index.ts';
import { EngineError } from '../../errors.ts';
import type { LimitSupport, WorkspaceLimits } from '../../types.ts';
import { type GroupPlace, type Limited, ownGroups, placeFor } from './places.ts';

/** The start of the names of our control groups. */
const PREFIX = 'luet-ts-';

/** The file in a run's folder that lists the control groups which the run created. */
export const GROUP_LIST = 'groups';

/** How long the kernel may take to end killed processes of a group, in milliseconds. */
const PATIENCE = 2000;

/** The control groups of one workspace. */
export interface Group {
  /** Files into which a process writes its id to enter. */
  readonly entrances: readonly string[];
  /** The memory limit in bytes. */
  readonly memory: number | undefined;
  /**
   * How many of its processes the kernel has killed because memory ran out; undefined where memory has no
   * limit.
   */
  kills(): number | undefined;
  /** Waits, for a limited time, until killed processes do not count any more. */
  emptied(): Promise<void>;
  /** Removes the groups, and ends all processes in them. */
  remove(): Promise<void>;
}

/** Which limits are possible here, and what is missing for others. */
export function limitsHere(): Readonly<Record<Limited, LimitSupport>> {
  const own = ownGroups();
  const of = (limited: Limited): LimitSupport => {
    const answer = placeFor(limited, own);
    return 'missing' in answer ? { possible: false, reason: answer.missing } : { possible: true, reason: '' };
  };
  return { memory: of('memory'), processes: of('processes') };
}

/**
 * Creates the control groups of a workspace; undefined where nothing is to be limited. They are listed in the
 * file `list` first, for `removeGroups`. Throws an `EngineError` where they cannot be created.
 */
export function makeGroup(
  { memory, processes }: WorkspaceLimits,
  name: string,
  list: string,
): Group | undefined {
  const own = ownGroups();
  const folders = new Map<string, GroupPlace['version']>();
  const folderFor = (limited: Limited): { folder: string; version: 1 | 2 } => {
    const place = placeFor(limited, own);
    if ('missing' in place) throw new EngineError(`${limited} cannot be limited here: ${place.missing}`);
    const folder = join(place.folder, `${PREFIX}${name}`);
    if (!folders.has(folder)) {
      appendFileSync(list, `${folder}\n`, { mode: 0o600 });
      mkdirSync(folder);
      folders.set(folder, place.version);
    }
    return { folder, version: place.version };
  };
  let kills: Group['kills'] = () => undefined;
  try {
    if (memory !== undefined) {
      const { folder, version } = folderFor('memory');
      limitMemory(folder, version, memory);
      const counter = join(folder, version === 1 ? 'memory.oom_control' : 'memory.events');
      kills = () => countIn(counter);
    }
    if (processes !== undefined)
      writeFileSync(join(folderFor('processes').folder, 'pids.max'), String(processes));
  } catch (error) {
    for (const folder of folders.keys()) rmdirSync(folder);
    if (error instanceof EngineError) throw error;
    throw new EngineError(`a control group cannot be made: ${(error as Error).message}`, { cause: error });
  }
  if (folders.size === 0) return undefined;
  return {
    entrances: [...folders.keys()].map((folder) => join(folder, 'cgroup.procs')),
    memory,
    kills,
    emptied: async () => {
      const isDone = (): true | undefined => [...folders.keys()].every(isEmpty) || undefined;
      await waitFor(isDone, { pause: 10, factor: 1, patience: PATIENCE });
    },
    remove: () => removeAll([...folders.keys()]),
  };
}

/** The kernel's count; 0 where the group was removed with its workspace. */
function countIn(file: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function limitMemory(folder: string, version: 1 | 2, bytes: number): void {
  const write = (file: string, value: number): void => writeFileSync(join(folder, file), String(value));
  write(version === 1 ? 'memory.limit_in_bytes' : 'memory.max', bytes);
  try {
    // In version 1 this is memory and swap together, in version 2 swap alone.
    if (version === 1) write('memory.memsw.limit_in_bytes', bytes);
    else write('memory.swap.max', 0);
  } catch (error) {
    // The kernel does not count swap. EACCES, because such files cannot be created in a control group.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EPERM' && code !== 'EOPNOTSUPP') throw error;
  }
}

/** Removes the groups that a dead run listed in a file. */
export async function removeGroups(list: string): Promise<void> {
  let text = '';
  try {
    text = readFileSync(list, 'utf8');
  } catch {
    // It created none.
  }
  const ours = text.split('\n').filter((folder) => basename(folder).startsWith(PREFIX));
  await removeAll([...new Set(ours)]);
}

/** Ends all processes in groups, and removes the groups. One that cannot be removed stays. */
async function removeAll(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const remove = (): true | undefined => {
      if (removed(folder)) return true;
      killIn(folder);
      return undefined;
    };
    await waitFor(remove, { pause: 1, patience: PATIENCE });
  }
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EBUSY';
  }
}

/** Whether a group has no processes: a process counts until its parent has read its exit status. */
function isEmpty(folder: string): boolean {
  try {
    const counter = join(folder, 'pids.current');
    if (existsSync(counter)) return Number(readFileSync(counter, 'utf8')) === 0;
    return readFileSync(join(folder, 'cgroup.procs'), 'utf8') === '';
  } catch {
    return true;
  }
}

function killIn(folder: string): void {
  try {
    // 0 is a process that this process's namespace does not have.
    for (const row of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n'))
      if (Number(row) > 0) process.kill(Number(row), 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
