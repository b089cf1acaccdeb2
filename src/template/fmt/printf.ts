import { integerOf, type Maybe, typeOf } from '../value.ts';
import { noFlags, print, printWith } from './print.ts';

/** The largest width or precision that Go accepts. A larger one is an error. */
const MOST = 1_000_000;

/** Reads a format string part by part. */
class FormatReader {
  readonly format: string;
  readonly args: readonly Maybe[];
  at = 0;
  /** Index of the next argument. */
  argument = 0;
  /** Whether the format used any explicit argument index, such as `[2]`. */
  reordered = false;
  /** Whether all explicit indexes of the current verb are valid. */
  good = true;

  constructor(format: string, args: readonly Maybe[]) {
    this.format = format;
    this.args = args;
  }

  number(): number | undefined {
    const match = /[0-9]+/y;
    match.lastIndex = this.at;
    const digits = match.exec(this.format)?.[0];
    if (digits === undefined) return undefined;
    const value = Number(digits);
    this.at = value > MOST * 10 + 9 ? this.format.length : this.at + digits.length;
    return value > MOST * 10 + 9 ? undefined : value;
  }

  /** Reads an explicit argument index, `[n]`. */
  index(): boolean {
    if (this.format[this.at] !== '[') return false;
    this.reordered = true;
    const close = this.format.indexOf(']', this.at);
    if (close < 0 || this.format.length - this.at < 3) {
      this.good = false;
      this.at++;
      return false;
    }
    const digits = this.format.slice(this.at + 1, close);
    this.at = close + 1;
    const valid = /^[0-9]+$/.test(digits);
    const wanted = Number(digits) - 1;
    if (valid && wanted >= 0 && wanted < this.args.length) {
      this.argument = wanted;
      return true;
    }
    this.good = false;
    return valid;
  }

  /** Reads a width or precision from an argument (`*`). */
  star(): number | undefined {
    if (this.argument >= this.args.length) return undefined;
    const value = integerOf(this.args[this.argument++]);
    if (value === undefined || value > BigInt(MOST) || value < -BigInt(MOST)) return undefined;
    return Number(value);
  }
}

/** Prints one verb with its flags. The reader must be just after the percent sign. */
function printVerb(f: FormatReader): { text: string; last: boolean } {
  const flags = noFlags();
  let text = '';
  f.good = true;
  for (; '#0+- '.includes(f.format[f.at] ?? 'x'); f.at++) {
    const c = f.format[f.at];
    if (c === '#') flags.sharp = true;
    else if (c === '0') flags.zero = true;
    else if (c === '+') flags.plus = true;
    else if (c === '-') flags.minus = true;
    else flags.space = true;
  }
  let afterIndex = f.index();
  if (f.format[f.at] === '*') {
    f.at++;
    flags.width = f.star();
    if (flags.width === undefined) text += '%!(BADWIDTH)';
    else if (flags.width < 0) {
      flags.width = -flags.width;
      flags.minus = true;
      flags.zero = false;
    }
    afterIndex = false;
  } else {
    flags.width = f.number();
    if (afterIndex && flags.width !== undefined) f.good = false;
  }
  if (f.at + 1 < f.format.length && f.format[f.at] === '.') {
    f.at++;
    if (afterIndex) f.good = false;
    afterIndex = f.index();
    if (f.format[f.at] === '*') {
      f.at++;
      flags.precision = f.star();
      if (flags.precision !== undefined && flags.precision < 0) flags.precision = undefined;
      if (flags.precision === undefined) text += '%!(BADPREC)';
      afterIndex = false;
    } else flags.precision = f.number() ?? 0;
  }
  if (!afterIndex) f.index();
  const code = f.format.codePointAt(f.at);
  if (code === undefined) return { text: `${text}%!(NOVERB)`, last: true };
  const verb = String.fromCodePoint(code);
  f.at += verb.length;
  if (verb === '%') return { text: `${text}%`, last: false };
  if (!f.good) return { text: `${text}%!${verb}(BADINDEX)`, last: false };
  if (f.argument >= f.args.length) return { text: `${text}%!${verb}(MISSING)`, last: false };
  if (verb === 'v' || verb === 'w') {
    flags.sharpV = flags.sharp;
    flags.sharp = false;
    flags.plus = false;
  }
  return { text: text + printWith(f.args[f.argument++], verb, flags), last: false };
}

/**
 * Formats arguments as Go's fmt.Sprintf does, including Go's notes about wrong verbs and arguments, such as
 * `%!d(string=a)`.
 */
export function sprintf(format: string, args: readonly Maybe[]): string {
  const f = new FormatReader(format, args);
  let text = '';
  for (;;) {
    const percent = format.indexOf('%', f.at);
    if (percent < 0) {
      text += format.slice(f.at);
      break;
    }
    text += format.slice(f.at, percent);
    f.at = percent + 1;
    const verb = printVerb(f);
    text += verb.text;
    if (verb.last) break;
  }
  if (!f.reordered && f.argument < args.length) {
    const extra = args
      .slice(f.argument)
      .map((arg) => (arg === null || arg === undefined ? '<nil>' : `${typeOf(arg)}=${print(arg)}`));
    text += `%!(EXTRA ${extra.join(', ')})`;
  }
  return text;
}
