import { boolean, custom } from '@oclif/core/flags';
import type { BooleanFlag, OptionFlag } from '@oclif/core/interfaces';
import { InvalidValue, NotSupported } from '../usage-error.ts';

/** What help says about a flag, and how it is written. */
export interface FlagText {
  /** The short form, without its dash. */
  readonly char?: NonNullable<BooleanFlag<boolean>['char']>;
  /** What the flag does, in one line. */
  readonly summary: string;
  /** More than fits into that line. */
  readonly description?: string;
  readonly hidden?: boolean;
  /** The heading under which help lists the flag. */
  readonly helpGroup?: string;
}

/** A flag that takes a value. */
export interface ValueText extends FlagText {
  /**
   * What stands for the value in help: `<folder>`. A flag for a place on disk (`<folder>`, `<file>`,
   * `<tree>`) refuses an empty value.
   */
  readonly value: string;
}

/** Reads the value of a flag. Throws an InvalidValue that says what is expected. */
export type ReadValue<T> = (text: string) => T;

/**
 * What stands before each value on the way through oclif's parser, which would take a value that looks like
 * one of the command's flags (`--matches -dev`) for that flag. No argument of a process can contain it.
 */
export const MARK = '\0';

/** Calls a reader as oclif does. */
function parserOf<T>(read: ReadValue<T>): (input: string) => Promise<T> {
  return async (input) => {
    const text = input.startsWith(MARK) ? input.slice(MARK.length) : input;
    try {
      return read(text);
    } catch (error) {
      if (error instanceof InvalidValue) error.input = text;
      throw error;
    }
  };
}

/** A flag without a value, which is off where it is not given. */
export function toggle(text: FlagText): BooleanFlag<boolean> {
  return boolean({ ...text });
}

/** A flag that has an opposite, `--no-NAME`; undefined where neither is given and there is no default. */
export function onOrOff(text: FlagText & { readonly default?: boolean }): BooleanFlag<boolean> {
  return boolean({ ...text, allowNo: true });
}

/** A flag with a value, which is read by `read` (default: taken as it is). */
export function withValue<T>(
  text: ValueText & { readonly read: ReadValue<T>; readonly default: T },
): OptionFlag<T>;
export function withValue<T>(text: ValueText & { readonly read: ReadValue<T> }): OptionFlag<T | undefined>;
export function withValue(text: ValueText & { readonly default: string }): OptionFlag<string>;
export function withValue(text: ValueText): OptionFlag<string | undefined>;
export function withValue<T>({
  value,
  read = (input) => input as T,
  ...text
}: ValueText & { readonly read?: ReadValue<T>; readonly default?: T }): OptionFlag<T | undefined> {
  const parse = parserOf(read);
  return custom<T>({ ...text, helpValue: value, parse } as Partial<OptionFlag<T>> as never)({}) as OptionFlag<
    T | undefined
  >;
}

/** A flag that takes one of some words. */
export function choice<T extends string>(
  words: readonly T[],
  text: FlagText & { readonly default: T },
): OptionFlag<T>;
export function choice<T extends string>(words: readonly T[], text: FlagText): OptionFlag<T | undefined>;
export function choice<T extends string>(
  words: readonly T[],
  text: FlagText & { readonly default?: T },
): OptionFlag<T | undefined> {
  const read = (input: string): T => {
    const found = words.find((word) => word === input);
    if (found === undefined) throw new InvalidValue(`Expected ${oneOf(words)}.`);
    return found;
  };
  const flag = withValue({ ...text, value: words.join('|'), read });
  choices.set(flag, words);
  return flag;
}

const choices = new WeakMap<object, readonly string[]>();

/** The words that a flag takes; undefined where it takes others, too. */
export const choicesOf = (flag: object): readonly string[] | undefined => choices.get(flag);

const oneOf = (words: readonly string[]): string =>
  words.length === 1 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;

/** A flag that may be given several times; each value is read by `read`. */
export function repeatable(
  text: ValueText & { readonly read?: ReadValue<string> },
): OptionFlag<string[] | undefined> {
  const { value, read = (input: string) => input, ...rest } = text;
  const parse = parserOf(read);
  return custom<string>({
    ...rest,
    helpValue: value,
    multiple: true,
    multipleNonGreedy: true,
    parse,
  })({}) as OptionFlag<string[] | undefined>;
}

/**
 * As `repeatable`, for values without commas: several may stand in one word with commas between, as in Luet.
 */
export function commaList(
  text: ValueText & { readonly read?: ReadValue<string> },
): OptionFlag<string[] | undefined> {
  const flag = repeatable(text);
  lists.add(flag);
  return flag;
}

const lists = new WeakSet<object>();

/** Whether commas separate the values of a flag. */
export const isList = (flag: object): boolean => lists.has(flag);

/**
 * A flag of Luet's that is known and not supported: using it is an error that names it and says what to do
 * instead.
 */
export const refused = (instead: string): BooleanFlag<boolean> =>
  boolean({ hidden: true, parse: () => Promise.reject(new NotSupported(instead)) });

/** As `refused`, for a flag with a value. */
export function refusedValue(
  instead: string,
  text: Pick<FlagText, 'char'> = {},
): OptionFlag<string | undefined> {
  const parse = (): Promise<never> => Promise.reject(new NotSupported(instead));
  return custom<string>({ ...text, hidden: true, helpValue: '<value>', parse })({}) as OptionFlag<
    string | undefined
  >;
}
