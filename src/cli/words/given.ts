import type { BooleanFlag, FlagInput, OptionFlag } from '@oclif/core/interfaces';
import { nearest } from '../../diagnostic/index.ts';
import { isList, MARK } from '../flags/define.ts';
import { UsageError } from '../usage-error.ts';

/** A flag, whatever the type of its value. */
export type AnyFlag = BooleanFlag<unknown> | OptionFlag<unknown>;

/** What was said about a flag: on or off, or its values in their order. */
export interface GivenFlag {
  readonly name: string;
  readonly flag: AnyFlag;
  readonly on: boolean;
  readonly values: readonly string[];
  /** The variable of the environment that said it; absent where the command line did. */
  readonly variable?: string;
}

/** The words of a command line, told apart. */
export interface GivenWords {
  readonly flags: Map<string, GivenFlag>;
  readonly args: readonly string[];
}

/** A flag as messages write it: `-t, --tree <folder>`. */
export function labelOf(name: string, flag: AnyFlag): string {
  const value = flag.type === 'option' ? ` ${String(flag.helpValue ?? '<value>')}` : '';
  return `${flag.char === undefined ? '' : `-${flag.char}, `}--${name}${value}`;
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
 * The values in the text of a flag: of a list all of its parts. One that has no parts stays, to be refused
 * where it is a place.
 */
export function valuesIn(flag: AnyFlag, text: string): readonly string[] {
  if (!isList(flag)) return [text];
  const parts = text.split(',').filter((part) => part !== '');
  return parts.length === 0 ? [''] : parts;
}

/** A flag with one more value. What takes one value has the last one; what is repeatable has all. */
export function moreValues(
  name: string,
  flag: AnyFlag,
  values: readonly string[],
  before?: GivenFlag,
): GivenFlag {
  const isMultiple = flag.type === 'option' && flag.multiple === true;
  return { name, flag, on: true, values: isMultiple ? [...(before?.values ?? []), ...values] : values };
}

/**
 * Tells flags and arguments apart, as Luet's command line does. `definitions` are the flags of the command.
 * Throws a UsageError.
 */
export function readWords(words: readonly string[], definitions: FlagInput): GivenWords {
  return new WordReader(words, definitions).read();
}

class WordReader {
  readonly #definitions: FlagInput;
  readonly #left: string[];
  readonly #flags = new Map<string, GivenFlag>();

  constructor(words: readonly string[], definitions: FlagInput) {
    this.#left = [...words];
    this.#definitions = definitions;
  }

  read(): GivenWords {
    const args: string[] = [];
    for (let word = this.#left.shift(); word !== undefined; word = this.#left.shift()) {
      if (word === '--') args.push(...this.#left.splice(0));
      else if (word.startsWith('--')) this.#long(word);
      else if (/^-\D/s.test(word)) this.#short(word.slice(1));
      else args.push(word);
    }
    return { flags: this.#flags, args };
  }

  /** `--name`, `--name=value`, `--no-name`. */
  #long(word: string): void {
    const [, long = '', text] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const isOff = long.startsWith('no-') && negated(this.#definitions, long.slice(3)) !== undefined;
    const name = isOff ? long.slice(3) : long;
    const flag = this.#definitions[name] as AnyFlag | undefined;
    if (flag === undefined) throw unknownFlag(word, this.#definitions);
    if (flag.type === 'option') this.#value(name, flag, text ?? this.#left.shift());
    else this.#set(name, flag, (text === undefined || truth(`--${long}`, text)) !== isOff);
  }

  /** Short flags without their dash: `abc`, `tVALUE`, `t=VALUE`, and `a=false`. */
  #short(chars: string): void {
    const [char = '', text] = [chars.charAt(0), chars.slice(1)];
    const [name, flag] = byChar(this.#definitions, char) ?? [];
    if (name === undefined || flag === undefined) throw unknownFlag(`-${char}`, this.#definitions);
    if (flag.type === 'option')
      this.#value(name, flag, text === '' ? this.#left.shift() : text.replace(/^=/, ''));
    else if (text.startsWith('=')) this.#set(name, flag, truth(`-${char}`, text.slice(1)));
    else {
      this.#set(name, flag, true);
      if (text !== '') this.#short(text);
    }
  }

  #set(name: string, flag: AnyFlag, on: boolean): void {
    this.#flags.set(name, { name, flag, on, values: [] });
  }

  #value(name: string, flag: AnyFlag, text: string | undefined): void {
    if (text === undefined) throw new UsageError(`option '${labelOf(name, flag)}' argument missing`);
    this.#flags.set(name, moreValues(name, flag, valuesIn(flag, text), this.#flags.get(name)));
  }
}

/** The flag of a negative form, `--no-NAME`. */
function negated(definitions: FlagInput, name: string): AnyFlag | undefined {
  const flag = definitions[name] as AnyFlag | undefined;
  return flag?.type === 'boolean' && flag.allowNo ? flag : undefined;
}

/** The flag of a short form. */
export function byChar(definitions: FlagInput, char: string): readonly [string, AnyFlag] | undefined {
  return Object.entries(definitions).find(([, flag]) => flag.char === char) as [string, AnyFlag] | undefined;
}

function truth(flag: string, text: string): boolean {
  const found = truthOf(text);
  if (found === undefined) throw new UsageError(`${flag} is true or false, not '${text}'`);
  return found;
}

function unknownFlag(word: string, definitions: FlagInput): UsageError {
  const [written = word] = word.split('=', 1);
  const visible = Object.entries(definitions).filter(([, { hidden }]) => hidden !== true);
  const names = visible.flatMap(([name, flag]) => [
    `--${name}`,
    ...(negated(definitions, name) === undefined ? [] : [`--no-${name}`]),
    ...(flag.char === undefined ? [] : [`-${flag.char}`]),
  ]);
  const meant = written.startsWith('--') ? nearest(written, names) : undefined;
  const suggestion = meant === undefined ? '' : `\n(Did you mean ${meant}?)`;
  return new UsageError(`unknown option '${written}'${suggestion}`);
}

/** The words that oclif's parser is given: flags in their long form, and arguments behind `--`. */
export function canonicalWords({ flags, args }: GivenWords): string[] {
  const words = [...flags.values()].flatMap(({ name, flag, on, values }) => {
    if (flag.type === 'option') return values.flatMap((value) => [`--${name}`, `${MARK}${value}`]);
    if (on) return [`--${name}`];
    // One that is off where it is not given, and has no opposite, stays off.
    return flag.allowNo ? [`--no-${name}`] : [];
  });
  return [...words, '--', ...args];
}
