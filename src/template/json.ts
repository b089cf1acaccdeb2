/**
 * Writes and reads JSON as Go's encoding/json does. Templates can see the error messages, so these are Go's.
 */

import { normalize, toBytes } from './bytes.ts';
import { formatFloat } from './fmt/float.ts';
import { quoteRune } from './fmt/quote.ts';
import { parseFloat64 } from './literals.ts';
import {
  Complex,
  entriesOf,
  fail,
  GoObject,
  isNilMap,
  itemsOf,
  type Maybe,
  Sized,
  sortedKeys,
  TypedList,
  typeOf,
  type Value,
} from './value.ts';
import { work } from './work.ts';

/** JSON formatting. */
export interface JsonStyle {
  /** Whether to escape `<`, `>` and `&`, as Go does by default. */
  readonly html: boolean;
  /** Text for one level of indentation; undefined writes everything on one line. */
  readonly indent: string | undefined;
}

/** Formats a float as Go does in JSON. */
export function jsonNumber(value: number): string {
  if (!Number.isFinite(value)) fail(`JSON cannot represent ${formatFloat(value, 'g', -1)}`);
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-6 || size >= 1e21))
    return formatFloat(value, 'e', -1).replace(/e-0(\d)$/, 'e-$1');
  return formatFloat(value, 'f', -1);
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** Formats a text as a JSON string. */
export function jsonString(text: string, html: boolean): string {
  const special = html
    ? /["\\\x00-\x1f\u2028\u2029<>&]|[\ud800-\udfff]/gu
    : /["\\\x00-\x1f\u2028\u2029]|[\ud800-\udfff]/gu;
  const escaped = text.replace(special, (c) => {
    const code = c.charCodeAt(0);
    // A raw byte. The pattern matches only lone surrogates.
    if (code >= 0xd800 && code < 0xe000) return '\\ufffd';
    return SHORT[c] ?? `\\u${code.toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

function write(value: Maybe, style: JsonStyle, lead: string, open: Set<Value>): string {
  work(1);
  switch (typeof value) {
    case 'string':
      return jsonString(value, style.html);
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      return jsonNumber(value);
  }
  if (value === null || value === undefined) return 'null';
  if (value instanceof Sized) return String(value.value);
  if (value instanceof Complex) fail(`JSON cannot represent ${typeOf(value)}`);
  if (value instanceof GoObject) return write(value.json(), style, lead, open);
  if (open.has(value)) fail('JSON cannot represent a value that contains itself');
  open.add(value);
  const text = writeContainer(value, style, lead, open);
  open.delete(value);
  return text;
}

function writeContainer(value: Value, style: JsonStyle, lead: string, open: Set<Value>): string {
  const inner = style.indent === undefined ? lead : lead + style.indent;
  const items = itemsOf(value);
  if (items !== undefined) {
    if (value instanceof TypedList && value.isNil) return 'null';
    return enclose(
      '[',
      ']',
      items.map((item) => write(item, style, inner, open)),
      style,
      lead,
    );
  }
  if (value instanceof Map && isNilMap(value)) return 'null';
  const entries = entriesOf(value) ?? new Map<string, Value>();
  const gap = style.indent === undefined ? ':' : ': ';
  const members = sortedKeys(entries).map(
    (key) => jsonString(key, style.html) + gap + write(entries.get(key), style, inner, open),
  );
  return enclose('{', '}', members, style, lead);
}

function enclose(
  open: string,
  close: string,
  parts: readonly string[],
  style: JsonStyle,
  lead: string,
): string {
  if (parts.length === 0) return open + close;
  if (style.indent === undefined) return open + parts.join(',') + close;
  const line = `\n${lead}${style.indent}`;
  return `${open}${line}${parts.join(`,${line}`)}\n${lead}${close}`;
}

/** Formats a value as JSON. Fails if JSON cannot represent it. */
export const toJson = (value: Maybe, style: JsonStyle): string => write(value, style, '', new Set());

/** Nesting depth above which Go's parser fails. */
const MAX_DEPTH = 10_000;

/** A character as shown in Go's messages. */
const shown = (c: string): string => (c === '"' ? "'\"'" : quoteRune(BigInt(c.charCodeAt(0))));

class JsonReader {
  readonly text: string;
  #at = 0;
  constructor(text: string) {
    this.text = text;
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.text[this.#at] ?? '')) this.#at++;
  }

  #fail(context: string): never {
    if (this.#at >= this.text.length) {
      // At the end of the text, Go reports as if a space followed.
      if (/literal|escape/.test(context)) fail(`invalid character ' ' ${context}`);
      fail('unexpected end of JSON input');
    }
    // Go reports the first byte as if it were a character.
    const [byte = 0] = toBytes(String.fromCodePoint(this.text.codePointAt(this.#at) ?? 0));
    fail(`invalid character ${shown(String.fromCharCode(byte))} ${context}`);
  }

  document(): Value {
    const value = this.value(0);
    this.#space();
    if (this.#at < this.text.length) this.#fail('after top-level value');
    return value;
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) fail('exceeded max depth');
    this.#space();
    const c = this.text[this.#at];
    if (c === '{') return this.#object(depth);
    if (c === '[') return this.#array(depth);
    if (c === '"') return this.#string();
    if (c !== undefined && /[-0-9]/.test(c)) return this.#number();
    for (const [word, value] of [
      ['true', true],
      ['false', false],
      ['null', null],
    ] as const) {
      if (c === word[0]) {
        this.#word(word);
        return value;
      }
    }
    return this.#fail('looking for beginning of value');
  }

  #word(word: string): void {
    for (const letter of word) {
      if (this.text[this.#at] !== letter) this.#fail(`in literal ${word} (expecting '${letter}')`);
      this.#at++;
    }
  }

  #number(): number {
    const start = this.#at;
    if (this.text[this.#at] === '-') this.#at++;
    if (this.text[this.#at] === '0') this.#at++;
    else this.#digits('in numeric literal');
    if (this.text[this.#at] === '.') {
      this.#at++;
      this.#digits('after decimal point in numeric literal');
    }
    if (/[eE]/.test(this.text[this.#at] ?? '')) {
      this.#at++;
      if (/[-+]/.test(this.text[this.#at] ?? '')) this.#at++;
      this.#digits('in exponent of numeric literal');
    }
    const digits = this.text.slice(start, this.#at);
    const value = parseFloat64(digits);
    if (value === undefined) fail(`json: cannot unmarshal number ${digits} into Go value of type float64`);
    return value;
  }

  #digits(where: string): void {
    if (!/[0-9]/.test(this.text[this.#at] ?? '')) this.#fail(where);
    while (/[0-9]/.test(this.text[this.#at] ?? '')) this.#at++;
  }

  #string(): string {
    let result = '';
    this.#at++;
    for (;;) {
      const c = this.text[this.#at];
      if (c === undefined) this.#fail('in string');
      if (c === '"') {
        this.#at++;
        // Lone surrogates and raw bytes become U+FFFD.
        return result.toWellFormed();
      }
      if (c < ' ') this.#fail('in string literal');
      this.#at++;
      result += c === '\\' ? this.#escape() : c;
    }
  }

  #escape(): string {
    const c = this.text[this.#at] ?? '';
    const simple = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }[c];
    if (simple !== undefined) {
      this.#at++;
      return simple;
    }
    if (c !== 'u') this.#fail('in string escape code');
    this.#at++;
    const start = this.#at;
    while (this.#at < start + 4) {
      if (!/[0-9a-fA-F]/.test(this.text[this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape');
      this.#at++;
    }
    return String.fromCharCode(Number.parseInt(this.text.slice(start, this.#at), 16));
  }

  #array(depth: number): Value[] {
    const items: Value[] = [];
    this.#at++;
    this.#space();
    if (this.text[this.#at] === ']') {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.value(depth + 1));
      this.#space();
      const c = this.text[this.#at];
      if (c !== ',' && c !== ']') this.#fail('after array element');
      this.#at++;
      if (c === ']') return items;
    }
  }

  #object(depth: number): Map<string, Value> {
    const entries = new Map<string, Value>();
    this.#at++;
    this.#space();
    if (this.text[this.#at] === '}') {
      this.#at++;
      return entries;
    }
    for (;;) {
      this.#space();
      if (this.text[this.#at] !== '"') {
        this.#fail(`looking for beginning of object key string`);
      }
      const key = this.#string();
      this.#space();
      if (this.text[this.#at] !== ':') this.#fail('after object key');
      this.#at++;
      entries.set(key, this.value(depth + 1));
      this.#space();
      const c = this.text[this.#at];
      if (c !== ',' && c !== '}') this.#fail('after object key:value pair');
      this.#at++;
      if (c === '}') return entries;
    }
  }
}

/** Parses JSON; all numbers become floats. Fails with Go's messages, because templates can see them. */
export function fromJson(text: string): Value {
  work(text.length);
  return new JsonReader(text.isWellFormed() ? text : normalize(text).toWellFormed()).document();
}
