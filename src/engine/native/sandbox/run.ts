import { closeSync, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../errors.ts';
import type { OutputListener } from '../../types.ts';
import { quoted } from './quoted.ts';
import type { Starter, Starters } from './starter.ts';

/** A chain of processes, each of which becomes the next, up to a command of a workspace. */
export interface Chain {
  /** The folder that the chain starts in, with files for it. */
  readonly folder: string;
  /**
   * The programs before a new shell that runs the script, such as `unshare -m`; undefined where the starter's
   * shell runs it, which must then have a namespace.
   */
  readonly before: readonly string[] | undefined;
  /**
   * Shell text that ends with `exec`; the command is its `"$@"`. It reads `words` from descriptor 3, and
   * writes to 4 that the command was started. It is made when the starter is known.
   */
  readonly script: (by: Starter) => string;
  readonly words: readonly string[];
  readonly command: readonly string[];
  /**
   * Finds in the text of descriptor 4 the exit code, or that the command was started; `own` is the chain's
   * exit code.
   */
  readonly begun: (status: string, own: number) => number | 'begun' | undefined;
  /** Files into which the chain first writes its process id, to enter control groups. */
  readonly entrances?: readonly string[];
  /** Called when the chain has ended, before its outputs have. */
  readonly onExit?: () => void;
  /** The starter that should start it if possible. */
  readonly preferred?: Starter | undefined;
}

/** A chain that runs. */
export interface RunningChain {
  /** The command's exit code. Rejects with an `EngineError` where the command was never started. */
  readonly code: Promise<number>;
  kill(): void;
}

/** Shell text that becomes a chain. */
function textOf(chain: Chain, by: Starter): string {
  const { folder, before, script, command, entrances = [] } = chain;
  const enter = entrances.map((file) => `echo 0 >${quoted(file)} || exit 1; `).join('');
  const words = command.map(quoted).join(' ');
  const start = `cd ${quoted(folder)} || exit 1; exec 3<words 4>>status; umask 022; ${enter}`;
  if (before === undefined) return `${start}set -- ${words}; ${script(by)}`;
  // The kernel kills the chain when its starter ends (a parent-death signal). That the starter had not ended
  // before is known by its being the parent still.
  const dying = ['setpriv', '--pdeathsig', 'KILL', ...before].map(quoted).join(' ');
  const whole = `case $PPID in ${by.pid}) ;; *) exit 1;; esac; ${script(by)}`;
  return `${start}exec ${dying} sh -c ${quoted(whole)} sh ${words}`;
}

/** Bytes that are read at each end of a status; no chain writes as many. */
const STATUS = 4096;

/** The text of descriptor 4: both ends of it, because a command can write there. */
function statusOf(file: string): string {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, 2 * STATUS));
    if (size <= buffer.length) return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, size, 0));
    readSync(descriptor, buffer, 0, STATUS, 0);
    readSync(descriptor, buffer, STATUS, STATUS, size - STATUS);
    return buffer.toString('latin1');
  } finally {
    closeSync(descriptor);
  }
}

/** Starts a chain. */
export function begin(chain: Chain, starters: Starters, listener: OutputListener): RunningChain {
  const { folder, words, onExit, preferred } = chain;
  const statusFile = join(folder, 'status');
  writeFileSync(join(folder, 'words'), words.map((word) => `${word}\0`).join(''), { mode: 0o600 });
  writeFileSync(statusFile, '', { mode: 0o600 });
  let said = '';
  const output: OutputListener = (stream, chunk) => {
    if (said.length < 2000) said += Buffer.from(chunk).toString();
    listener(stream, chunk);
  };
  const started = starters.start((by) => textOf(chain, by), output, { onExit, preferred });
  const code = async (): Promise<number> => {
    const own = await started.code;
    const status = chain.begun(statusOf(statusFile), own);
    if (status === 'begun') return own;
    if (status !== undefined) return status;
    // Until the command starts, output comes from the chain.
    throw new EngineError(
      own > 128 ? 'the sandbox was killed' : `a sandbox cannot be made: ${said.trim() || `exit code ${own}`}`,
      own > 128 ? { kind: 'killed' } : {},
    );
  };
  return { code: code(), kill: () => started.kill() };
}
