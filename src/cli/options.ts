import { type Command, InvalidArgumentError, Option } from 'commander';

/** An accumulator for options that may be given repeatedly; commas separate as well, as in Luet. */
export function list(value: string, previous: readonly string[] | undefined): string[] {
  return [...(previous ?? []), ...value.split(',').filter((part) => part !== '')];
}

/**
 * Adds a flag that is on by default and is turned off by `--no-NAME` or, as in Luet, `--NAME=false`.
 * `name` is the flag without dashes; help shows the negative form, which is the one that changes something.
 */
export function onByDefault(command: Command, name: string, description: string): Command {
  return command
    .addOption(new Option(`--${name}`).default(true).hideHelp())
    .addOption(new Option(`--no-${name}`, description));
}

const refusals = new WeakMap<Option, string>();

/** What to do instead of using an option that is refused; undefined for others. */
export const insteadOf = (option: Option): string | undefined => refusals.get(option);

/**
 * Adds flags of Luet's that this program knows and does not have: using one is an error that names it and says
 * what to do instead. `flags` as commander writes them, such as `--push` or `--backend-args <args>`.
 */
export function refused(command: Command, flags: string, instead: string): Command {
  const option = new Option(flags).hideHelp();
  command.addOption(option);
  refusals.set(option, instead);
  command.on(`option:${option.name()}`, () => {
    command.error(`error: ${option.long ?? flags} is not supported: ${instead}`);
  });
  return command;
}

const truths: Readonly<Record<string, boolean>> = {
  1: true,
  t: true,
  true: true,
  0: false,
  f: false,
  false: false,
};

/** What Go programs read as a boolean; undefined for anything else. */
export const truthOf = (value: string): boolean | undefined => truths[value.toLowerCase()];

/**
 * Rewrites `--flag=true` and `--flag=false`, which Go programs accept for every boolean flag, into what commander
 * accepts. `command` is the command that was chosen; its flags and those of its parents count.
 */
export function rewriteBooleans(argv: readonly string[], command: Command): string[] {
  const options: Option[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent) options.push(...at.options);
  const find = (long: string): Option | undefined => options.find((o) => o.long === long);
  const end = argv.indexOf('--');
  const rewritten: string[] = [];
  for (const [i, word] of argv.entries()) {
    const match = /^(--[^=]+)=(.*)$/.exec(word);
    const option = match?.[1] === undefined ? undefined : find(match[1]);
    if (match === null || option === undefined || !isBoolean(option) || (end !== -1 && i > end)) {
      rewritten.push(word);
      continue;
    }
    const [, long = '', value = ''] = match;
    const truth = truthOf(value);
    if (truth === undefined) {
      command.error(`error: ${long} is true or false, not '${value}'`);
    } else if (truth) {
      rewritten.push(long);
    } else {
      // A flag that is off by default is off when it is not given.
      const opposite = long.startsWith('--no-') ? `--${long.slice(5)}` : `--no-${long.slice(2)}`;
      if (find(opposite) !== undefined) rewritten.push(opposite);
    }
  }
  return rewritten;
}

function isBoolean(option: Option): boolean {
  return !option.required && !option.optional;
}

/** Reads the value of an `--image-repository` flag: a repository without a tag. */
export function repository(value: string): string {
  const part = '[a-z0-9]+(?:[._-]+[a-z0-9]+)*';
  if (!new RegExp(`^(?:[A-Za-z0-9.-]+(?::\\d+)?/)?${part}(?:/${part})*$`).test(value)) {
    throw new InvalidArgumentError(
      'Expected a repository without a tag, such as luet/cache or registry.example.org/luet/cache.',
    );
  }
  return value;
}
