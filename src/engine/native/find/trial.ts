import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Advice } from '../../../diagnostic/index.ts';
import { PATH } from '../sandbox/starter.ts';

/** A way that was tried. */
export interface Trial {
  /** For people: `overlay mounts as root`. */
  readonly name: string;
  readonly usable: boolean;
  /** Why it does not work, and what it needs; empty where it works. */
  readonly reason: string;
  /** What the program that asked can do about it. */
  readonly advice?: Advice;
}

/** How long a probe may take in milliseconds: `unshare --map-auto` hangs where it is refused. */
const PATIENCE = 5000;

const run = promisify(execFile);

/** Runs a program to its end. Resolves to why it failed, or to undefined where it succeeded. */
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
    // `mount` prints this after its reason.
    const lines = stderr?.split('\n').filter((line) => line.trim() !== '' && !line.includes('dmesg(1)'));
    return lines?.at(-1)?.trim() || (error as Error).message.split('\n')[0];
  }
}

/** The Debian packages of programs whose package has another name. */
const packages: Readonly<Record<string, string>> = {
  bwrap: 'bubblewrap',
  newuidmap: 'uidmap',
  perl: 'perl-base',
};

/** A reason, with the package to install where a program is missing. */
export const advice = (reason: string): string => {
  const program = /^(\S+) is not installed/.exec(reason)?.[1];
  return program === undefined ? reason : `${reason} (apt-get install ${packages[program] ?? program})`;
};
