/** Words in, words out: the command line as a function, and what its commands are given. */

export type { CommandEntry, CommandGroup } from './commands.ts';
export type { CliContext } from './context.ts';
export { runCli } from './run.ts';
