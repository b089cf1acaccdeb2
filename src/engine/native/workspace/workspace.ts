import { readFileSync } from 'node:fs';
import { fullError, isFull, type LayerFolder, type Store } from '../../../store/index.ts';
import type { BytePath } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { outOfMemory } from '../../limits.ts';
import type { ChangeSource, Workspace } from '../../types.ts';
import type { Group } from '../groups/groups.ts';
import type { RunningChain } from '../sandbox/run.ts';
import type { Network } from '../sandbox/runtime-files.ts';

/** A workspace on this machine. The engine makes images of it. */
export interface NativeWorkspace extends Omit<Workspace, 'commit'> {
  readonly source: ChangeSource;
  /** The layer that an image of the present state has on top. */
  readonly layer: LayerFolder;
  /** Whether the layer is the whole root, not only what differs from the image's layers. */
  readonly isWhole: boolean;
  /** Prepares the layer for an image: it stays when the workspace is closed, and does not change any more. */
  keep(): Promise<void>;
}

/** Text as the bytes of a path. */
export const toPath = (text: string): BytePath => Buffer.from(text, 'utf8').toString('latin1');

/** A path as text. */
export const fromPath = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');

/** The network of a sandbox. Throws an `EngineError` for one that this engine does not have. */
export function networkOf(asked: string | undefined): Network {
  if (asked === undefined || asked === 'host') return 'host';
  if (asked === 'none') return 'none';
  throw new EngineError(`the native engine has no network ${asked}`, {
    hint: 'use the network of this machine or none, or another engine',
    advice: 'host-network-or-none',
  });
}

/**
 * Runs a command and resolves to its exit code. Throws where it failed because of the engine. The kernel
 * counts processes that it killed because memory ran out: where memory has a limit, for the command's group;
 * else for the whole machine, where others are killed as well, so the command must also look as if it lost a
 * process, by its exit code or the end of its output.
 */
export async function exitCodeOf(
  store: Store,
  group: Group | undefined,
  said: OutputTail,
  work: () => Promise<number>,
): Promise<number> {
  const kills = (): number => group?.kills() ?? oomKills();
  const before = kills();
  let code: number;
  try {
    code = await work();
  } catch (error) {
    // What starts the command may have had no room for its own files,
    if (error instanceof EngineError && error.kind === 'other' && isFull(store.folder))
      throw fullError(store.folder, { cause: error });
    // or may have been killed.
    if (!(error instanceof EngineError && error.kind === 'killed') || kills() <= before) throw error;
    throw outOfMemory(KILLED, group?.memory, error);
  }
  if (code === 0) return code;
  if (isFull(store.folder)) throw fullError(store.folder);
  const lost = group !== undefined || code === SIGKILLED || /\bkilled\b/i.test(said.text);
  if (lost && kills() > before) throw outOfMemory(KILLED, group?.memory);
  return code;
}

/** The exit code of a command that was ended by SIGKILL. */
const SIGKILLED = 128 + 9;

/** Remembers the end of a command's output. */
export class OutputTail {
  text = '';

  add(chunk: Uint8Array): void {
    this.text = (this.text + Buffer.from(chunk.subarray(-4096)).toString('latin1')).slice(-4096);
  }
}

const KILLED = 'the kernel killed a process because memory ran out';

/** How many processes the kernel has killed since the boot because memory ran out. */
function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** The states of a workspace: open, committed, closed; and the command that runs in it. */
export class WorkspaceLife {
  #running: RunningChain | undefined;
  #closing: Promise<void> | undefined;
  #isKept = false;

  get isKept(): boolean {
    return this.#isKept;
  }

  keep(): void {
    this.use();
    this.#isKept = true;
  }

  /** Throws where the workspace must not be changed any more. */
  use(): void {
    if (this.#closing !== undefined) throw new EngineError('the workspace is closed');
    if (this.#isKept) throw new Error('nothing can be done in a workspace behind its commit');
  }

  /** Waits for a command, which is killed if the workspace is closed in the meantime. */
  async run(ending: RunningChain): Promise<number> {
    this.#running = ending;
    try {
      return await ending.code;
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends the command that runs, and then does this work; once. */
  close(work: () => Promise<void>): Promise<void> {
    this.#closing ??= (async () => {
      const running = this.#running;
      running?.kill();
      await running?.code.catch(() => {});
      await work();
    })();
    return this.#closing;
  }
}
