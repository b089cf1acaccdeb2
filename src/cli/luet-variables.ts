import type { FlagInput } from '@oclif/core/interfaces';
import { nearest } from '../diagnostic/index.ts';
import { isWithoutEffect } from './flags/common.ts';
import { UsageError } from './usage-error.ts';
import { type AnyFlag, type GivenFlag, moreValues, truthOf, valuesIn } from './words/given.ts';

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

/**
 * Luet's variables, by name. Empty ones count as not set, and a section before `__` is that of Luet's
 * configuration file.
 */
function variablesOf(env: Readonly<Record<string, string | undefined>>): Variable[] {
  return Object.entries(env).flatMap(([name, value]) => {
    const key = /^LUET_(?:.*__)?(.+)$/.exec(name)?.[1];
    if (key === undefined || OWN.test(name) || value === undefined || value === '') return [];
    return [{ name, value, flag: key.toLowerCase().replaceAll('_', '-') }];
  });
}

/**
 * Adds the flags of a command that variables stand for (`LUET_COMPRESSION` for `--compression`) and that the
 * command line does not give to `given`. Answers the variables that change nothing, for a note. Throws a
 * UsageError for a boolean that is none.
 */
export function applyVariables(
  env: Readonly<Record<string, string | undefined>>,
  definitions: FlagInput,
  given: Map<string, GivenFlag>,
): readonly string[] {
  const unused: string[] = [];
  for (const { name, flag: flagName, value } of variablesOf(env)) {
    const flag = NEVER.has(flagName) ? undefined : (definitions[flagName] as AnyFlag | undefined);
    if (flag === undefined) unused.push(`${name}${suggestion(definitions, flagName)}`);
    else if (isWithoutEffect(flag)) unused.push(name);
    else if (!given.has(flagName))
      given.set(flagName, { ...said(flagName, flag, name, value), variable: name });
  }
  return unused.sort();
}

function said(flagName: string, flag: AnyFlag, name: string, value: string): GivenFlag {
  if (flag.type === 'option') return moreValues(flagName, flag, valuesIn(flag, value));
  const on = truthOf(value);
  if (on === undefined) throw new UsageError(`${name} is true or false, not '${value}'`);
  return { name: flagName, flag, on, values: [] };
}

function suggestion(definitions: FlagInput, flag: string): string {
  if (NEVER.has(flag)) return '';
  const names = Object.entries(definitions).flatMap(([name, one]) => (isWithoutEffect(one) ? [] : [name]));
  const meant = nearest(flag, names);
  return meant === undefined ? '' : ` (did you mean LUET_${meant.toUpperCase().replaceAll('-', '_')}?)`;
}
