import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { EngineError, type OutputListener } from '../types.ts';
import type { PipePool } from './pipes.ts';
import { quoted } from './quoted.ts';

/** Programs are looked for here, whatever the environment of this program says: they run with all its rights. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** One chain of processes, each of which becomes the next, up to a command of a workspace. */
export interface Chain {
  /** The folder that the chain begins in, and in which files of its own lie. */
  readonly folder: string;
  /** The programs before the shell that runs `script`, such as `unshare -m`. */
  readonly before: readonly string[];
  /**
   * Shell text that ends with `exec`; the command is its `"$@"`. It reads `words` from descriptor 3, and 4 is where it says that the
   * command was begun.
   */
  readonly script: string;
  readonly words: readonly string[];
  readonly command: readonly string[];
  /** This program's process id, as its children see it. */
  readonly parent: number;
  /** Finds the exit code, or that the command was begun, in what was written to descriptor 4; `own` is the chain's exit code. */
  readonly begun: (status: string, own: number) => number | 'begun' | undefined;
  /** Files that the chain writes its process id into before all else, to enter control groups. */
  readonly entrances?: readonly string[];
  /** Called when the chain has ended, before its outputs have. */
  readonly onExit?: () => void;
}

/** A chain that runs. */
export interface Ending {
  /** The command's exit code. Rejects with an `EngineError` where it was never begun. */
  readonly code: Promise<number>;
  kill(): void;
}

/**
 * Begins a chain. `setpriv` has the kernel kill it when this program ends; the shell makes sure that it has not ended before that.
 */
export function begin(chain: Chain, pipes: PipePool, listener: OutputListener): Ending {
  const { folder, before, script, words, command, parent } = chain;
  const wordsFile = join(folder, 'words');
  const statusFile = join(folder, 'status');
  writeFileSync(wordsFile, words.map((word) => `${word}\0`).join(''), { mode: 0o600 });
  const wordsFd = openSync(wordsFile, 'r');
  const statusFd = openSync(statusFile, 'w', 0o600);
  const { writers, read } = pipes.open();
  const enter = (chain.entrances ?? []).map((file) => `echo $$ >${quoted(file)} || exit 1; `).join('');
  const whole = `umask 022; case $PPID in ${parent}) ;; *) exit 1;; esac; ${enter}${script}`;
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...before, 'sh', '-c', whole, 'sh', ...command], {
    cwd: folder,
    env: { PATH },
    stdio: ['ignore', ...writers, wordsFd, statusFd],
  });
  closeSync(wordsFd);
  closeSync(statusFd);
  const exit = new Promise<number>((resolve, reject) => {
    child.on('error', reject).on('exit', (code, signal) => {
      chain.onExit?.();
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']);
    });
  });
  let said = '';
  const output = read((stream, chunk) => {
    if (said.length < 2000) said += Buffer.from(chunk).toString();
    listener(stream, chunk);
  });
  const code = async (): Promise<number> => {
    const [own] = await Promise.all([exit, output]);
    const status = chain.begun(readFileSync(statusFile, 'utf8'), own);
    if (status === 'begun') return own;
    if (status !== undefined) return status;
    // Before the command what is said is said by the chain.
    throw new EngineError(
      own > 128 ? 'the sandbox was killed' : `a sandbox cannot be made: ${said.trim() || `exit code ${own}`}`,
      own > 128 ? { kind: 'killed' } : {},
    );
  };
  return { code: code(), kill: () => void child.kill('SIGKILL') };
}
