import { PassThrough } from 'node:stream';
import { type ChosenCommand, commandTable } from '../../src/cli/commands.ts';
import { prepare } from '../../src/cli/run.ts';
import { UsageError } from '../../src/cli/usage-error.ts';

/** The words of every command. */
export const commandWords: readonly (readonly string[])[] = Object.keys(commandTable.commands).map((id) =>
  id.split(':'),
);

/** What became of a command line that was read and not run. */
export interface ReadLine {
  /** The command, with its flags and arguments; undefined where the line was wrong, or asked for help. */
  readonly command: ChosenCommand | undefined;
  /** What was noted, or what is wrong, as it is shown. */
  readonly said: string;
}

/** Reads a command line as the program does, and runs nothing. */
export async function readLine(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<ReadLine> {
  const said: string[] = [];
  const output = { write: (text: string | Uint8Array) => said.push(String(text)) > 0 };
  const around = {
    ...{ stdout: output, stderr: output, stdin: new PassThrough(), env, cwd: '/nowhere', home: '/nowhere' },
    signal: new AbortController().signal,
  };
  try {
    const prepared = await prepare(words, commandTable, around, () => {});
    return { command: typeof prepared === 'number' ? undefined : prepared, said: said.join('') };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return { command: undefined, said: error.problems.map((problem) => `error: ${problem}\n`).join('') };
  }
}
