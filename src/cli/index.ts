/** Words in, words out: the command line as a function, and what its commands are given. */

export type { CommandEntry, CommandGroup, CommandModule } from './commands.ts';
export type { CliContext, Surroundings } from './context.ts';
export { runCli } from './run.ts';
