import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, type OutputListener } from '../types.ts';
import type { PipePool } from './pipes.ts';

/** Programs are looked for here, whatever the environment of this program says: they run with all its rights. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** One chain of processes: a mount of a namespace of its own, then the sandbox in it. */
export interface Chain {
  /** The folder that the chain begins in, and in which files of its own lie. */
  readonly folder: string;
  /** Shell text that prepares what the sandbox needs; empty for nothing. */
  readonly prepare: string;
  /** Words for bubblewrap, before those of the command. */
  readonly words: readonly string[];
  readonly command: readonly string[];
  /** This program's process id, as its children see it. */
  readonly parent: number;
}

/**
 * Begins a chain. Its one process becomes each program in turn: `setpriv` has the kernel kill it when this program ends, the shell makes
 * sure that it has not ended before that, `unshare` gives it mounts of its own, which go with it.
 */
export function begin(
  chain: Chain,
  pipes: PipePool,
): { child: ChildProcess; ended: (listener: OutputListener) => Promise<number> } {
  const { folder, prepare, words, parent, command } = chain;
  const wordsFile = join(folder, 'words');
  const statusFile = join(folder, 'status');
  writeFileSync(wordsFile, words.map((word) => `${word}\0`).join(''), { mode: 0o600 });
  const wordsFd = openSync(wordsFile, 'r');
  const statusFd = openSync(statusFile, 'w', 0o600);
  const { writers, read } = pipes.open();
  const script = `umask 022; case $PPID in ${parent}) ;; *) exit 1;; esac; ${prepare}exec bwrap --json-status-fd 4 --args 3 -- "$@"`;
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', 'unshare', '-m', 'sh', '-c', script, 'sh', ...command],
    {
      cwd: folder,
      env: { PATH },
      stdio: ['ignore', ...writers, wordsFd, statusFd],
    },
  );
  closeSync(wordsFd);
  closeSync(statusFd);
  const exit = new Promise<number | string>((resolve, reject) => {
    child.on('error', reject).on('exit', (code, signal) => resolve(code ?? signal ?? ''));
  });
  return {
    child,
    async ended(listener) {
      let said = '';
      const [code] = await Promise.all([
        exit,
        read((stream, chunk) => {
          if (said.length < 2000) said += Buffer.from(chunk).toString();
          listener(stream, chunk);
        }),
      ]);
      const status = /"exit-code": (\d+)/.exec(readFileSync(statusFile, 'utf8'))?.[1];
      // Only a command that was begun has a status; before that, what is said is said by the chain.
      if (status !== undefined) return Number(status);
      throw new EngineError(
        `a sandbox cannot be made: ${said.trim() || `it ended with ${code}`}`,
        typeof code === 'string' ? { kind: 'killed' } : {},
      );
    },
  };
}
