/** Prints values as Go's fmt package does. */

import { characters, toBytes } from '../bytes.ts';
import {
  Complex,
  entriesOf,
  GoObject,
  isNilMap,
  itemsOf,
  type Maybe,
  Sized,
  sortedKeys,
  TypedList,
  typeOf,
} from '../value.ts';
import { work } from '../work.ts';
import { type FloatFormat, formatFloat } from './float.ts';
import { canBackquote, isPrintable, quote, quoteRune } from './quote.ts';

/** Flags, width and precision of one formatting verb. */
export interface Flags {
  sharp: boolean;
  zero: boolean;
  plus: boolean;
  minus: boolean;
  space: boolean;
  /** `%#v` */
  sharpV: boolean;
  width: number | undefined;
  precision: number | undefined;
}

/** No flags. */
export const noFlags = (): Flags => ({
  sharp: false,
  zero: false,
  plus: false,
  minus: false,
  space: false,
  sharpV: false,
  width: undefined,
  precision: undefined,
});

function pad(text: string, flags: Flags, zero = flags.zero): string {
  const missing = (flags.width ?? 0) - characters(text).length;
  if (missing <= 0) return text;
  if (flags.minus) return text + ' '.repeat(missing);
  return (zero ? '0' : ' ').repeat(missing) + text;
}

function integer(value: bigint, base: number, flags: Flags, verb: string): string {
  const magnitude = value < 0n ? -value : value;
  const sign = value < 0n ? '-' : flags.plus ? '+' : flags.space ? ' ' : '';
  let digits = 0;
  if (flags.precision !== undefined) {
    digits = flags.precision;
    if (digits === 0 && value === 0n) return ' '.repeat(flags.width ?? 0);
  } else if (flags.zero && !flags.minus && flags.width !== undefined) {
    digits = flags.width - sign.length;
  }
  let text = magnitude.toString(base).padStart(digits, '0');
  if (verb === 'X') text = text.toUpperCase();
  if (flags.sharp) {
    if (base === 2) text = `0b${text}`;
    else if (base === 8) text = text.startsWith('0') ? text : `0${text}`;
    else if (base === 16) text = (verb === 'X' ? '0X' : '0x') + text;
  }
  if (verb === 'O') text = `0o${text}`;
  return pad(sign + text, flags, false);
}

function unicode(value: bigint, flags: Flags): string {
  const code = BigInt.asUintN(64, value);
  const digits = code
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(flags.precision ?? 4, 4), '0');
  const character = code <= 0x10ffffn ? String.fromCodePoint(Number(code)) : '';
  const shown = flags.sharp && character !== '' && isPrintable(character) ? ` '${character}'` : '';
  return pad(`U+${digits}${shown}`, flags, false);
}

/** `%#g`: keeps the decimal point and trailing zeros. */
function withPoint(text: string, verb: string, precision: number): string {
  let missing = 'gGx'.includes(verb) ? (precision < 0 ? 6 : precision) : 0;
  const at = verb === 'x' || verb === 'X' ? text.search(/[pP]/) : text.search(/[eEpP]/);
  const number = at < 0 ? text : text.slice(0, at);
  const tail = at < 0 ? '' : text.slice(at);
  let started = false;
  for (const c of number) {
    if (c === '.') continue;
    if (c !== '0') started = true;
    if (started) missing--;
  }
  const point = number.includes('.') ? '' : '.';
  if (point !== '' && number === '0') missing--;
  return number + point + '0'.repeat(Math.max(missing, 0)) + tail;
}

function float(value: number, verb: string, fallback: number, flags: Flags): string {
  const precision = flags.precision ?? fallback;
  let text = formatFloat(value, verb as FloatFormat, precision);
  let sign = '+';
  if (/^[-+]/.test(text)) {
    sign = text.charAt(0);
    text = text.slice(1);
  }
  if (sign === '+' && flags.space && !flags.plus) sign = ' ';
  const shown = flags.plus || sign !== '+' ? sign : '';
  if (text === 'NaN') return pad((flags.plus || flags.space ? sign : '') + text, flags, false);
  if (text === 'Inf') return pad(sign + text, flags, false);
  if (flags.sharp && verb !== 'b') text = withPoint(text, verb, precision);
  if (shown !== '' && flags.zero && !flags.minus && flags.width !== undefined) {
    return shown + text.padStart(flags.width - 1, '0');
  }
  return pad(shown + text, flags);
}

function hexText(text: string, flags: Flags, upper: boolean): string {
  const bytes = toBytes(text).subarray(0, flags.precision);
  const prefix = flags.sharp ? (upper ? '0X' : '0x') : '';
  const pairs = Array.from(bytes, (b) => b.toString(16).padStart(2, '0'));
  const joined = flags.space ? pairs.map((p, i) => (i > 0 ? prefix : '') + p).join(' ') : pairs.join('');
  const shown = upper ? joined.toUpperCase().replaceAll('0X', prefix) : joined;
  return pad(bytes.length === 0 ? '' : prefix + shown, flags);
}

const truncate = (text: string, flags: Flags): string =>
  flags.precision === undefined ? text : characters(text).slice(0, flags.precision).join('');

/** Prints values with one verb, such as `%d`. */
class Printer {
  readonly flags: Flags;
  #erroring = false;

  constructor(flags: Flags) {
    this.flags = flags;
  }

  #bad(value: Maybe, verb: string): string {
    this.#erroring = true;
    const inner =
      value === null || value === undefined ? '<nil>' : `${typeOf(value)}=${this.argument(value, 'v')}`;
    this.#erroring = false;
    return `%!${verb}(${inner})`;
  }

  argument(value: Maybe, verb: string): string {
    if (value === null || value === undefined) {
      return verb === 'T' || verb === 'v' ? pad('<nil>', this.flags) : this.#bad(value, verb);
    }
    if (verb === 'T') return pad(truncate(typeOf(value), this.flags), this.flags);
    if (verb === 'p') return this.#bad(value, verb);
    return this.#value(value, verb);
  }

  /** Prints an element of a slice or map. */
  #element(value: Maybe, verb: string): string {
    if (value === null || value === undefined) return this.flags.sharpV ? 'interface {}(nil)' : '<nil>';
    return this.#value(value, verb);
  }

  #value(value: Maybe, verb: string): string {
    work(1);
    if (verb === 'w') return this.#bad(value, verb);
    switch (typeof value) {
      case 'string':
        return this.#string(value, verb);
      case 'bigint':
        return this.#integer(value, value, verb);
      case 'number':
        return this.#float(value, verb);
      case 'boolean':
        return verb === 't' || verb === 'v' ? pad(String(value), this.flags) : this.#bad(value, verb);
    }
    if (value instanceof Sized) {
      if (value.named !== undefined && !this.#erroring && !this.flags.sharpV && 'vsxXq'.includes(verb)) {
        return this.#string(value.named.text(value.value), verb);
      }
      return this.#integer(value.value, value, verb);
    }
    if (value instanceof Complex) return this.#complex(value, verb);
    if (value instanceof GoObject) {
      return 'vsxXq'.includes(verb) ? this.#string(value.text(), verb) : this.#bad(value, verb);
    }
    return this.#container(value, verb);
  }

  #container(value: Maybe, verb: string): string {
    const { sharpV } = this.flags;
    const items = itemsOf(value);
    if (items !== undefined) {
      if (sharpV && value instanceof TypedList && value.isNil) return `${typeOf(value)}(nil)`;
      const shown = items.map((item) => this.#element(item, verb));
      return sharpV ? `${typeOf(value)}{${shown.join(', ')}}` : `[${shown.join(' ')}]`;
    }
    const entries = entriesOf(value) ?? new Map<string, Maybe>();
    if (sharpV && value instanceof Map && isNilMap(value)) return `${typeOf(value)}(nil)`;
    const shown = sortedKeys(entries).map(
      (key) => `${this.#value(key, verb)}:${this.#element(entries.get(key), verb)}`,
    );
    return sharpV ? `${typeOf(value)}{${shown.join(', ')}}` : `map[${shown.join(' ')}]`;
  }

  #string(text: string, verb: string): string {
    const { flags } = this;
    switch (verb) {
      case 'v':
        if (flags.sharpV) return pad(quote(truncate(text, flags)), flags);
        return pad(truncate(text, flags), flags);
      case 's':
        return pad(truncate(text, flags), flags);
      case 'x':
      case 'X':
        return hexText(text, flags, verb === 'X');
      case 'q': {
        const kept = truncate(text, flags);
        if (flags.sharp && canBackquote(kept)) return pad(`\`${kept}\``, flags);
        return pad(quote(kept, flags.plus), flags);
      }
      default:
        return this.#bad(text, verb);
    }
  }

  #integer(value: bigint, shown: Maybe, verb: string): string {
    const { flags } = this;
    switch (verb) {
      case 'v':
        if (flags.sharpV && shown instanceof Sized && shown.kind.startsWith('u')) {
          return integer(value, 16, { ...flags, sharp: true }, 'x');
        }
        return integer(value, 10, flags, verb);
      case 'd':
        return integer(value, 10, flags, verb);
      case 'b':
        return integer(value, 2, flags, verb);
      case 'o':
      case 'O':
        return integer(value, 8, flags, verb);
      case 'x':
      case 'X':
        return integer(value, 16, flags, verb);
      case 'c': {
        const valid = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n);
        return pad(valid ? String.fromCodePoint(Number(value)) : '\ufffd', flags);
      }
      case 'q':
        return pad(quoteRune(value, flags.plus), flags);
      case 'U':
        return unicode(value, flags);
      default:
        return this.#bad(shown, verb);
    }
  }

  #float(value: number, verb: string): string {
    switch (verb) {
      case 'v':
        return float(value, 'g', -1, this.flags);
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X':
        return float(value, verb, -1, this.flags);
      case 'f':
      case 'e':
      case 'E':
        return float(value, verb, 6, this.flags);
      case 'F':
        return float(value, 'f', 6, this.flags);
      default:
        return this.#bad(value, verb);
    }
  }

  #complex(value: Complex, verb: string): string {
    if (!'vbgGxXfFeE'.includes(verb)) return this.#bad(value, verb);
    const re = this.#float(value.re, verb);
    const { plus } = this.flags;
    this.flags.plus = true;
    const im = this.#float(value.im, verb);
    this.flags.plus = plus;
    return `(${re}${im}i)`;
  }
}

/** Prints one value with one verb. */
export function printWith(value: Maybe, verb: string, flags: Flags): string {
  return new Printer(flags).argument(value, verb);
}

/** Prints a value as `%v` does. */
export function print(value: Maybe): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  return printWith(value, 'v', noFlags());
}

/** Prints values as Go's fmt.Sprint does: with a space between two values if neither is a string. */
export function sprint(values: readonly Maybe[]): string {
  let text = '';
  values.forEach((value, i) => {
    const before = values[i - 1];
    if (i > 0 && typeof value !== 'string' && typeof before !== 'string') text += ' ';
    text += print(value);
  });
  return text;
}

/** Prints values as Go's fmt.Sprintln does. */
export const sprintln = (values: readonly Maybe[]): string => `${values.map(print).join(' ')}\n`;
