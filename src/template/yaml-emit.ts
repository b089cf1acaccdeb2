import { rawByte, toBytes } from './bytes.ts';
import { formatFloat } from './fmt/float.ts';
import { jsonNumber } from './json.ts';
import { entriesOf, GoObject, isNilMap, itemsOf, type Maybe, Sized, TypedList, type Value } from './value.ts';
import { work } from './work.ts';
import { isTimestamp, resolvePlain } from './yaml-resolve.ts';

/** Lines are wrapped at the first space after this column. */
const WIDTH = 80;
/** Keys longer than this many bytes are written in the explicit form, with a question mark. */
const LONGEST_KEY = 128;
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const PRINTABLE = /^[\x0a\x20-\x7e\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/;

/** The styles in which a text can be written. */
interface Forms {
  readonly plain: boolean;
  readonly single: boolean;
  readonly literal: boolean;
}

const isBreak = (c: string | undefined): boolean =>
  c === '\n' || c === '\r' || c === '\u0085' || c === '\u2028' || c === '\u2029';
const isBlankOrEnd = (c: string | undefined): boolean =>
  c === undefined || c === ' ' || c === '\t' || isBreak(c);

function formsOf(text: string): Forms {
  if (text === '') return { plain: true, single: true, literal: false };
  const all = Array.from(text);
  let indicators = /^(?:---|\.\.\.)/.test(text);
  let special = false;
  let breaks = false;
  let breakSpace = false;
  let spaceBreak = false;
  all.forEach((c, i) => {
    const before = all[i - 1];
    const next = all[i + 1];
    if (i === 0) {
      if (/[#,[\]{}&*!|>'"%@`]/.test(c)) indicators = true;
      if (/[?:-]/.test(c) && isBlankOrEnd(next)) indicators = true;
    } else if ((c === ':' && isBlankOrEnd(next)) || (c === '#' && isBlankOrEnd(before))) indicators = true;
    if (!PRINTABLE.test(c) && (c.codePointAt(0) ?? 0) <= 0xffff) special = true;
    if ((c.codePointAt(0) ?? 0) > 0xffff) special = true;
    if (isBreak(c)) {
      breaks = true;
      if (before === ' ') spaceBreak = true;
    } else if (c === ' ' && isBreak(before)) breakSpace = true;
  });
  const first = all[0];
  const last = all.at(-1);
  const ends = [first, last].some((c) => c === ' ' || isBreak(c));
  const impossible = spaceBreak || special;
  return {
    plain: !(ends || breakSpace || impossible || breaks || indicators),
    single: !(breakSpace || impossible),
    literal: !(last === ' ' || impossible),
  };
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\u0085': '\\N',
  '\u00a0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeCharacter(c: string): string {
  const plain = PRINTABLE.test(c) && !isBreak(c) && c !== '"' && c !== '\\';
  return plain ? c : escapeAlways(c);
}

function escapeAlways(c: string): string {
  const code = c.codePointAt(0) ?? 0;
  const named = ESCAPES[c];
  if (named !== undefined) return named;
  const digits = code.toString(16).toUpperCase();
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`;
}

/**
 * The character NEL (U+0085) is a line break when JSON is read as YAML: a single one becomes a space, and of
 * several one is dropped.
 */
function foldNextLines(run: string): string {
  const count = run.replaceAll(' ', '').length;
  return count === 1 ? ' ' : '\n'.repeat(count - 1);
}

class Emitter {
  out = '';
  /** Width of the current line, in characters. */
  #column = 0;

  #write(text: string): void {
    this.out += text;
    const line = text.lastIndexOf('\n');
    this.#column =
      line < 0 ? this.#column + Array.from(text).length : Array.from(text.slice(line + 1)).length;
  }

  #newLine(indent: number): void {
    if (this.out !== '' && !this.out.endsWith('\n')) this.#write('\n');
    this.#write(' '.repeat(Math.max(indent, 0)));
  }

  /** Writes a node. `indent` is the indentation of the enclosing collection, -2 at the root. */
  node(value: Maybe, indent: number, place: 'root' | 'item' | 'value'): void {
    work(1);
    const items = itemsOf(value);
    const entries = entriesOf(value);
    const empty = items?.length === 0 || entries?.size === 0;
    const isNull = (value instanceof TypedList && value.isNil) || (value instanceof Map && isNilMap(value));
    if (isNull || (items === undefined && entries === undefined))
      this.#scalar(isNull ? null : value, Math.max(indent + 2, 2), false);
    else if (empty) this.#write(items === undefined ? '{}' : '[]');
    else if (items !== undefined) {
      // A list in a map has the same indentation as its key.
      const at = place === 'value' ? indent : indent + 2;
      items.forEach((item, i) => {
        if (i > 0 || place !== 'item') this.#newLine(at);
        this.#write('- ');
        this.#trimmed(item, at);
      });
    } else this.#map(entries ?? new Map(), indent + 2, place === 'item');
  }

  /** Writes a list element on the line of its dash. */
  #trimmed(item: Value, at: number): void {
    this.node(item, at, 'item');
  }

  #map(entries: ReadonlyMap<string, Value>, indent: number, inLine: boolean): void {
    [...entries.keys()].sort(compareKeys).forEach((key, i) => {
      if (i > 0 || !inLine) this.#newLine(indent);
      const value = entries.get(key);
      const simple = toBytes(key).length <= LONGEST_KEY && !/[\n\r\u0085\u2028\u2029]/.test(key);
      if (simple) {
        this.#scalar(key, indent, true);
        this.#write(':');
      } else {
        this.#write('? ');
        this.#scalar(key, indent + 2, false);
        this.#newLine(indent);
        this.#write(':');
      }
      const block = (itemsOf(value)?.length ?? entriesOf(value)?.size ?? 0) > 0;
      if (!block) this.#write(' ');
      this.node(value, indent, 'value');
    });
  }

  #scalar(value: Maybe, indent: number, isKey: boolean): void {
    if (typeof value === 'string') this.#string(value, indent, isKey);
    else this.#write(plainText(value));
  }

  #string(text: string, indent: number, isKey: boolean): void {
    if (Array.from(text).some((c) => rawByte(c) !== undefined)) {
      this.#string(text.replace(/[\ud800-\udfff]/gu, '\ufffd'), indent, isKey);
      return;
    }
    if (text.includes('\u0085')) {
      this.#string(text.replace(/ *\u0085[ \u0085]*/g, foldNextLines), indent, isKey);
      return;
    }
    const forms = formsOf(text);
    const multiline = text.includes('\n');
    const isText =
      typeof resolvePlain(text) === 'string' &&
      !isTimestamp(text) &&
      !BASE_60.test(text) &&
      !/^[-+]?0b/.test(text);
    if (multiline && forms.literal && !isKey) this.#literal(text, indent);
    else if (multiline || !isText) this.#double(text, indent, isKey);
    else if (forms.plain && !(text === '' && isKey)) this.#folded(text, indent, isKey, '', (c) => c);
    else if (forms.single) this.#folded(text, indent, isKey, "'", (c) => (c === "'" ? "''" : c));
    else this.#double(text, indent, isKey);
  }

  /** Writes plain or single-quoted text, wrapped at single spaces after the maximum width. */
  #folded(text: string, indent: number, isKey: boolean, quote: string, escaped: (c: string) => string): void {
    const all = Array.from(text);
    this.#write(quote);
    let run = '';
    all.forEach((c, i) => {
      const single = c === ' ' && all[i - 1] !== ' ' && all[i + 1] !== ' ';
      const inside = quote === '' || (i > 0 && i < all.length - 1);
      const column = this.#column + run.length;
      if (single && !isKey && inside && column > WIDTH && Array.from(run).length + this.#column > WIDTH) {
        this.#write(`${run}\n${' '.repeat(indent)}`);
        run = '';
      } else run += escaped(c);
    });
    this.#write(run + quote);
  }

  #double(text: string, indent: number, isKey: boolean): void {
    const all = Array.from(text);
    this.#write('"');
    // The library escapes everything after a byte order mark.
    const marked = all[0] === '\ufeff';
    all.forEach((c, i) => {
      const inside = i > 0 && i < all.length - 1;
      if (marked) this.#write(escapeAlways(c));
      else if (c === ' ' && all[i - 1] !== ' ' && !isKey && inside && this.#column > WIDTH) {
        this.#write(`\n${' '.repeat(indent)}${all[i + 1] === ' ' ? '\\' : ''}`);
      } else this.#write(escapeCharacter(c));
    });
    this.#write('"');
  }

  #literal(text: string, indent: number): void {
    const lead = text.startsWith(' ') || isBreak(text[0]) ? '2' : '';
    const end = !text.endsWith('\n') ? '-' : text === '\n' || text.endsWith('\n\n') ? '+' : '';
    this.#write(`|${lead}${end}\n`);
    const lines = text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    this.#write(lines.map((line) => (line === '' ? '' : ' '.repeat(indent) + line)).join('\n'));
    if (text.endsWith('\n')) this.#write('\n');
  }
}

function plainText(value: Maybe): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof Sized) return String(value.value);
  if (typeof value === 'number') {
    const shown = resolvePlain(jsonNumber(value));
    return typeof shown === 'number' ? formatFloat(shown, 'g', -1) : String(shown);
  }
  return String(value);
}

/**
 * Compares keys as the library does: digits in keys compare as numbers, and letters sort after other
 * characters.
 */
export function compareKeys(a: string, b: string): number {
  const x = Array.from(a);
  const y = Array.from(b);
  for (let i = 0; i < x.length && i < y.length; i++) {
    if (x[i] === y[i]) continue;
    return compareAt(x, y, i);
  }
  return x.length - y.length;
}

const isLetter = (c: string): boolean => /\p{L}/u.test(c);
const isDigit = (c: string | undefined): boolean => c !== undefined && /\p{Nd}/u.test(c);

/** The number that starts at `at`, and the index after it. */
function numberAt(text: readonly string[], at: number, lead: bigint): [bigint, number] {
  let value = lead;
  let end = at;
  for (; isDigit(text[end]); end++) value = value * 10n + BigInt((text[end]?.codePointAt(0) ?? 48) - 48);
  return [value, end];
}

function compareAt(x: readonly string[], y: readonly string[], i: number): number {
  const a = x[i] ?? '';
  const b = y[i] ?? '';
  if (isLetter(a) !== isLetter(b)) return isLetter(a) ? 1 : -1;
  const byCode = (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
  if (isLetter(a)) return byCode;
  // A zero inside a number counts together with the digits before it.
  let lead = 0n;
  if (a === '0' || b === '0') {
    for (let j = i - 1; isDigit(x[j]) && lead === 0n; j--) if (x[j] !== '0') lead = 1n;
  }
  const [n, endA] = numberAt(x, i, lead);
  const [m, endB] = numberAt(y, i, lead);
  if (n !== m) return n < m ? -1 : 1;
  return endA - endB || byCode;
}

/** Formats a value as a YAML document. */
export function emitYaml(value: Maybe): string {
  const emitter = new Emitter();
  emitter.node(value instanceof GoObject ? value.json() : value, -2, 'root');
  return emitter.out.endsWith('\n') ? emitter.out : `${emitter.out}\n`;
}
