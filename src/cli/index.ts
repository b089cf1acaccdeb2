/** Words in, words out: the command line as a function, and what its commands are given. */

export type { CommandTable } from './commands.ts';
export type { CliContext } from './context.ts';
export { runCli } from './run.ts';
