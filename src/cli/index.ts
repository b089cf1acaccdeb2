/**
 * The command line as a function: `runCli` parses the words, runs a command and resolves to the exit code.
 * Only this room reads the environment, the clock and the terminal; it uses the other rooms through their
 * `index.ts`.
 */

export type { CommandTable } from './commands.ts';
export type { CliContext } from './context.ts';
export { runCli } from './run.ts';
