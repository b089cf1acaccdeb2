import { readFileSync } from 'node:fs';
import type { BytePath } from '../../tar/index.ts';
import { EngineError } from '../errors.ts';
import { outOfMemory } from '../limits.ts';
import type { ChangeSource, Workspace } from '../types.ts';
import type { Group } from './groups.ts';
import type { Ending } from './run.ts';
import type { Network } from './runtime-files.ts';
import { fullError, isFull } from './store/disk.ts';
import type { LayerFolder, Store } from './store/store.ts';

/** A workspace on this machine; its engine makes images of it. */
export interface NativeWorkspace extends Omit<Workspace, 'commit'> {
  readonly source: ChangeSource;
  /** What an image of the present state has. */
  readonly layer: LayerFolder;
  /** Whether the layer is the whole root, rather than what differs from the image's layers. */
  readonly isWhole: boolean;
  /** Makes the layer ready for an image to have it: it stays when the workspace is closed, and is not changed any more. */
  keep(): Promise<void>;
}

/** Text as the bytes of a path. */
export const toPath = (text: string): BytePath => Buffer.from(text, 'utf8').toString('latin1');

/** A path as text. */
export const fromPath = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');

/** The network of a sandbox. Throws an `EngineError` for one that is not there. */
export function networkOf(asked: string | undefined): Network {
  if (asked === undefined || asked === 'host') return 'host';
  if (asked === 'none') return 'none';
  throw new EngineError(`the native engine has no network ${asked}`, {
    hint: 'use the network of this machine or none, or another engine',
    advice: 'host-network-or-none',
  });
}

/**
 * A command's exit code. Throws where it failed by no fault of its own. The kernel's count is that of the group that the command runs in, where
 * memory has a limit, and of the machine where not: then the command must look as if it had lost a process, by its exit code or what was
 * said at the end, because others are killed as well.
 */
export async function judged(
  store: Store,
  group: Group | undefined,
  said: Tail,
  work: () => Promise<number>,
): Promise<number> {
  const kills = (): number => group?.kills() ?? oomKills();
  const before = kills();
  let code: number;
  try {
    code = await work();
  } catch (error) {
    // It may be what begins the command that had no room for its own files,
    if (error instanceof EngineError && error.kind === 'other' && isFull(store.folder))
      throw fullError(store.folder, { cause: error });
    // or that was killed.
    if (!(error instanceof EngineError && error.kind === 'killed') || kills() <= before) throw error;
    throw outOfMemory(KILLED, group?.memory, error);
  }
  if (code === 0) return code;
  if (isFull(store.folder)) throw fullError(store.folder);
  const lost = group !== undefined || code === SIGKILLED || /\bkilled\b/i.test(said.text);
  if (lost && kills() > before) throw outOfMemory(KILLED, group?.memory);
  return code;
}

/** The exit code of what ended by SIGKILL. */
const SIGKILLED = 128 + 9;

/** Remembers the end of what a command says. */
export class Tail {
  text = '';

  add(chunk: Uint8Array): void {
    this.text = (this.text + Buffer.from(chunk.subarray(-4096)).toString('latin1')).slice(-4096);
  }
}

const KILLED = 'the kernel killed a process for want of memory';

/** How many processes the kernel has killed for want of memory since the machine began. */
function oomKills(): number {
  try {
    return Number(/^oom_kill (\d+)/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** What a workspace does with its commands and at its end. */
export class Life {
  #running: Ending | undefined;
  #closing: Promise<void> | undefined;
  #isKept = false;

  get isKept(): boolean {
    return this.#isKept;
  }

  keep(): void {
    this.use();
    this.#isKept = true;
  }

  /** Throws where the workspace is not to be changed any more. */
  use(): void {
    if (this.#closing !== undefined) throw new EngineError('the workspace is closed');
    if (this.#isKept) throw new Error('nothing can be done in a workspace behind its commit');
  }

  /** Waits for a command, which is killed if the workspace is closed meanwhile. */
  async run(ending: Ending): Promise<number> {
    this.#running = ending;
    try {
      return await ending.code;
    } finally {
      this.#running = undefined;
    }
  }

  /** Ends what runs, then does the work; once. */
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
