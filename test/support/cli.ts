import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { commands } from '../../src/cli/commands.ts';
import { runCli } from '../../src/cli/run.ts';

/** What a command line printed, and its exit code. */
export interface CliAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const home = mkdtempSync(join(tmpdir(), 'luet-ts-home-'));

/** Runs a command line in this process, with a home folder of its own. */
export async function cli(
  words: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } = {},
): Promise<CliAnswer> {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const code = await runCli(words, commands, {
    stdout: { write: (text) => stdout.push(Buffer.from(text as string).toString()) > 0 },
    stderr: { write: (text) => stderr.push(Buffer.from(text as string).toString()) > 0 },
    stdin: new PassThrough().end(),
    env: { PATH: process.env.PATH, ...options.env },
    cwd: options.cwd ?? process.cwd(),
    home,
    signal: options.signal ?? new AbortController().signal,
  });
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}
