import { type Command, InvalidArgumentError, type Option } from 'commander';
import { nearest } from '../diagnostic/index.ts';
import { isWithoutEffect } from './luet-flags.ts';
import { insteadOf, truthOf } from './options.ts';

/** A variable such as `LUET_IMAGE_REPOSITORY`, and the flag that it stands for, without dashes. */
interface Variable {
  readonly name: string;
  readonly flag: string;
  readonly value: string;
}

/** Variables of our own. */
const OWN = /^LUET_TS_/;

/** Flags that do something else than the command that was asked for. */
const NEVER: ReadonlySet<string> = new Set(['help', 'version']);

/** Luet's variables, by name. Empty ones count as not set, and a section before `__` is that of Luet's configuration file. */
function variablesOf(env: Readonly<Record<string, string | undefined>>): Variable[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const key = /^LUET_(?:.*__)?(.+)$/.exec(name)?.[1];
    if (key === undefined || OWN.test(name) || value === undefined || value === '') return [];
    return [{ name, value, flag: key.toLowerCase().replaceAll('_', '-') }];
  });
}

function optionOf(command: Command, flag: string): { command: Command; option: Option } | undefined {
  if (NEVER.has(flag)) return undefined;
  for (let at: Command | null = command; at !== null; at = at.parent) {
    const option = at.options.find(({ long }) => long === `--${flag}`);
    if (option !== undefined) return { command: at, option };
  }
  return undefined;
}

/**
 * Sets the flags of a command that variables stand for (`LUET_COMPRESSION` for `--compression`) and that the command line does not
 * give. Answers the variables that change nothing, for a note. Throws a CommanderError for a value that the flag does not take.
 */
export function applyVariables(
  env: Readonly<Record<string, string | undefined>>,
  command: Command,
): readonly string[] {
  const unused: string[] = [];
  for (const { name, flag, value } of variablesOf(env)) {
    const found = optionOf(command, flag);
    if (found === undefined) unused.push(`${name}${suggestion(command, flag)}`);
    else if (isWithoutEffect(found.option)) unused.push(name);
    else if (found.command.getOptionValueSource(found.option.attributeName()) !== 'cli')
      set(found.command, found.option, name, value);
  }
  return unused.sort();
}

function set(command: Command, option: Option, name: string, value: string): void {
  const instead = insteadOf(option);
  if (option.required || option.optional) {
    if (instead !== undefined) command.error(`error: ${name} is not supported: ${instead}`);
    command.setOptionValueWithSource(option.attributeName(), parsed(command, option, name, value), 'env');
    return;
  }
  const truth = truthOf(value);
  if (truth === undefined) command.error(`error: ${name} is true or false, not '${value}'`);
  if (truth && instead !== undefined) command.error(`error: ${name} is not supported: ${instead}`);
  // One that is off where it is not given, and has no opposite, stays off.
  if (truth || option.negate || hasOpposite(command, option))
    command.setOptionValueWithSource(option.attributeName(), truth !== option.negate, 'env');
}

function parsed(command: Command, option: Option, name: string, value: string): unknown {
  if (option.parseArg === undefined) return value;
  try {
    return option.parseArg(value, command.getOptionValue(option.attributeName()));
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(
      `error: ${name} has a value that ${option.long} does not take: '${value}'. ${error.message}`,
    );
  }
}

const hasOpposite = (command: Command, option: Option): boolean =>
  command.options.some(({ long }) => long === `--no-${option.long?.slice(2)}`);

function suggestion(command: Command, flag: string): string {
  if (NEVER.has(flag)) return '';
  const names: string[] = [];
  for (let at: Command | null = command; at !== null; at = at.parent)
    for (const option of at.options)
      if (option.long !== undefined && !isWithoutEffect(option)) names.push(option.long.slice(2));
  const meant = nearest(flag, names);
  return meant === undefined ? '' : ` (did you mean LUET_${meant.toUpperCase().replaceAll('-', '_')}?)`;
}
