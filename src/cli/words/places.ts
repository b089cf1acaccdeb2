import type { ArgInput, FlagInput } from '@oclif/core/interfaces';
import { UsageError } from '../usage-error.ts';

/** What names a place on disk, in the help of flags and arguments. */
const places = /^(?:folder|file|path|tree|place|source|destination|from|to)$/;

const isEmpty = (value: unknown): boolean => value === '' || (Array.isArray(value) && value.includes(''));

/**
 * Refuses a command line where a place is named by an empty word, which is a variable of a script that is not
 * set, and would else be taken for the current folder. Throws a UsageError.
 */
export function refuseEmptyPlaces(
  flagInput: FlagInput,
  flags: Readonly<Record<string, unknown>>,
  argInput: ArgInput,
  args: Readonly<Record<string, unknown>>,
): void {
  for (const [name, flag] of Object.entries(flagInput)) {
    const kind = flag.type === 'option' ? (/^<([\w-]+)>$/.exec(String(flag.helpValue))?.[1] ?? '') : '';
    if (places.test(kind) && isEmpty(flags[name]))
      throw new UsageError(`--${name} is given an empty word where a ${kind} is expected`);
  }
  for (const name of Object.keys(argInput))
    if (places.test(name) && isEmpty(args[name]))
      throw new UsageError(`an empty word is given where a ${name} is expected`);
}
