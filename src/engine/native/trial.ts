import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Advice } from '../../diagnostic/index.ts';
import { PATH } from './starter.ts';

/** One way that was tried. */
export interface Trial {
  /** For people: `overlay mounts as root`. */
  readonly name: string;
  readonly usable: boolean;
  /** Why not, and what would be needed; empty where it is usable. */
  readonly reason: string;
  /** What the program that asked can do about it. */
  readonly advice?: Advice;
}

/** A probe that takes longer than this hangs, in milliseconds: `unshare --map-auto` does where it is refused. */
const PATIENCE = 5000;

const run = promisify(execFile);

/** Runs a program to its end; why it failed, or undefined where it did not. */
export async function failure(
  program: string,
  words: readonly string[],
  cwd?: string,
): Promise<string | undefined> {
  try {
    await run(program, words, {
      env: { PATH },
      timeout: PATIENCE,
      killSignal: 'SIGKILL',
      ...(cwd === undefined ? {} : { cwd }),
    });
    return undefined;
  } catch (error) {
    const { code, killed, stderr } = error as { code?: string; killed?: boolean; stderr?: string };
    if (code === 'ENOENT') return `${program} is not installed`;
    if (killed) return `${program} hangs`;
    // What mount says behind its reason.
    const lines = stderr?.split('\n').filter((line) => line.trim() !== '' && !line.includes('dmesg(1)'));
    return lines?.at(-1)?.trim() || (error as Error).message.split('\n')[0];
  }
}

/** What to install for a program, by the name of Debian's package. */
const packages: Readonly<Record<string, string>> = {
  bwrap: 'bubblewrap',
  newuidmap: 'uidmap',
  perl: 'perl-base',
};

/** A reason with what to do about it. */
export const advice = (reason: string): string => {
  const program = /^(\S+) is not installed/.exec(reason)?.[1];
  return program === undefined ? reason : `${reason} (apt-get install ${packages[program] ?? program})`;
};
