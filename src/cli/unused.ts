import type { Command, Option } from 'commander';

/** Whether a flag stands on the command line; its name without dashes. */
export function isGiven(command: Command, flag: string): boolean {
  const option = optionOf(command, flag);
  return option !== undefined && command.getOptionValueSource(option.attributeName()) === 'cli';
}

const optionOf = (command: Command, flag: string): Option | undefined =>
  command.options.find(({ long }) => long === `--${flag}`);

/**
 * Ends the command where flags of its command line would change nothing: nothing that was asked for is ignored. `flags` has, by their
 * names without dashes, why; those without a reason have an effect. What a variable of the environment says is for many commands, and
 * may be of no use to this one.
 */
export function refuseUnused(command: Command, flags: Readonly<Record<string, string | undefined>>): void {
  const lines = Object.entries(flags).flatMap(([flag, because]) =>
    because !== undefined && isGiven(command, flag) ? [`--${flag} has no effect: ${because}`] : [],
  );
  if (lines.length > 0) command.error(`error: ${lines.join('\nerror: ')}`);
}
