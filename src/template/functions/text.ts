/** sprig's text functions. */

import { byteLength, normalize, sliceBytes, toBytes } from '../bytes.ts';
import { print } from '../fmt/print.ts';
import { sprintf } from '../fmt/printf.ts';
import { quote } from '../fmt/quote.ts';
import {
  type Context,
  fail,
  fn,
  type GoFunction,
  itemsOf,
  type Maybe,
  strings,
  TextMap,
  TypedList,
  type Value,
  variadic,
  withContext,
} from '../value.ts';
import { toText } from './cast.ts';
import {
  camelCase,
  connectWords,
  isSpace,
  swapCase,
  toLower,
  toTitle,
  toUpper,
  trimSpace,
  untitle,
} from './letters.ts';

/** The elements of a list as text, without nil elements. Any other value counts as a list of one element. */
export function textsOf(value: Maybe): string[] {
  const items = itemsOf(value);
  if (items !== undefined) return items.filter((item) => item !== null).map(toText);
  return value === null || value === undefined ? [] : [toText(value)];
}

/** Decodes each byte as one character, as sprig's oldest functions do. */
const latin1 = (text: string): string[] => Array.from(toBytes(text), (byte) => String.fromCharCode(byte));

function nospace(text: string): string {
  const all = latin1(text);
  const kept = all.filter((c) => !isSpace(c));
  return kept.length === all.length ? text : kept.join('');
}

function initials(text: string): string {
  let start = true;
  let result = '';
  for (const c of latin1(text)) {
    if (isSpace(c)) start = true;
    else if (start) {
      result += c;
      start = false;
    }
  }
  return result;
}

function abbreviate(text: string, left: number, width: number): string {
  const length = byteLength(text);
  if (text === '' || width < 4) return '';
  if (length <= width) return text;
  const room = width - 3;
  const offset = Math.min(left, length, Math.max(length - room, 0) < left ? length - room : left);
  if (offset <= 4) return `${sliceBytes(text, 0, room)}...`;
  if (width < 7) return '';
  if (offset + room < length) return `...${abbreviate(sliceBytes(text, offset), 0, room)}`;
  return `...${sliceBytes(text, length - room)}`;
}

/** Wraps text at spaces. With `breakWords`, words longer than a line are split too. */
function wrap(text: string, width: number, separator: string, breakWords: boolean): string {
  const bytes = toBytes(text);
  const limit = Math.max(width, 1);
  const part = (from: number, to?: number): string => asText(bytes, from, to);
  let result = '';
  let at = 0;
  while (bytes.length - at > limit) {
    if (bytes[at] === 0x20) {
      at++;
      continue;
    }
    const blank = bytes.subarray(0, at + limit + 1).lastIndexOf(0x20);
    if (blank >= at) {
      result += part(at, blank) + separator;
      at = blank + 1;
    } else if (breakWords) {
      result += part(at, at + limit) + separator;
      at += limit;
    } else {
      const next = bytes.indexOf(0x20, at + limit);
      if (next < 0) break;
      result += part(at, next) + separator;
      at = next + 1;
    }
  }
  return normalize(result + part(at));
}

/** Decodes bytes to a string with one raw byte for each non-ASCII byte. The result must be normalized. */
function asText(bytes: Buffer, from: number, to?: number): string {
  return Array.from(bytes.subarray(from, to), (b) => String.fromCharCode(b < 0x80 ? b : 0xdc00 + b)).join('');
}

function indent(context: Context, count: bigint, text: string): string {
  if (count < 0n) fail(`indentation ${count} is negative`);
  context.reserve(count * BigInt(text.split('\n').length) + BigInt(text.length));
  const pad = ' '.repeat(Number(count));
  return pad + text.replaceAll('\n', `\n${pad}`);
}

/** Go's strings.SplitN. */
export function splitText(text: string, separator: string, count: number): string[] {
  if (count === 0) return [];
  if (separator === '') {
    const all = Array.from(text);
    return count < 0 || all.length <= count
      ? all
      : [...all.slice(0, count - 1), all.slice(count - 1).join('')];
  }
  const parts = text.split(separator);
  return count < 0 || parts.length <= count
    ? parts
    : [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)];
}

const numbered = (parts: readonly string[]): TextMap =>
  new TextMap(new Map(parts.map((part, i) => [`_${i}`, part])));

/** Go's strings.Trim: the characters of `cutset` at both ends. */
function trimAll(cutset: string, text: string): string {
  const cut = new Set(cutset);
  const all = Array.from(text);
  let start = 0;
  let end = all.length;
  while (start < end && cut.has(all[start] ?? '')) start++;
  while (end > start && cut.has(all[end - 1] ?? '')) end--;
  return all.slice(start, end).join('');
}

/** Go's strings.ReplaceAll. An empty `old` matches around every character. */
function replace(context: Context, old: string, by: string, text: string): string {
  const pieces =
    old === '' ? Array.from(text).length + 1 : by.length > old.length ? text.split(old).length : 0;
  context.reserve(pieces * by.length + text.length);
  if (old === '') return by + Array.from(text, (c) => c + by).join('');
  return text.replaceAll(old, () => by);
}

function trunc(count: bigint, text: string): string {
  const length = byteLength(text);
  const n = Number(count);
  if (n < 0 && length + n > 0) return sliceBytes(text, length + n);
  return n >= 0 && length > n ? sliceBytes(text, 0, n) : text;
}

function substr(start: bigint, end: bigint, text: string): string {
  const length = byteLength(text);
  const from = start < 0n ? 0 : Number(start);
  let to = Number(end);
  if (start >= 0n && (end < 0n || to > length)) to = length;
  if (to < 0 || to > length || from > to)
    fail(`range ${start} to ${end} is outside a text of ${length} bytes`);
  return sliceBytes(text, from, to);
}

/** `fmt.Sprintf` with one `%v ` for each value, without the last space. */
function cat(...values: Value[]): string {
  const given = values.filter((v) => v !== null);
  return sprintf(trimSpace('%v '.repeat(given.length)), given);
}

const trimall = fn(['string', 'string'], trimAll);

export const textFunctions: Readonly<Record<string, GoFunction>> = {
  hello: fn([], () => 'Hello!'),
  abbrev: fn(['int', 'string'], (width, text) => (width < 4n ? text : abbreviate(text, 0, Number(width)))),
  abbrevboth: fn(['int', 'int', 'string'], (left, width, text) =>
    width < 4n || (left > 0n && width < 7n) ? text : abbreviate(text, Number(left), Number(width)),
  ),
  trunc: fn(['int', 'string'], trunc),
  trim: fn(['string'], trimSpace),
  upper: fn(['string'], toUpper),
  lower: fn(['string'], toLower),
  title: fn(['string'], toTitle),
  untitle: fn(['string'], untitle),
  substr: fn(['int', 'int', 'string'], substr),
  repeat: withContext(['int', 'string'], (context, count, text) => {
    if (count < 0n) fail(`repeat count ${count} is negative`);
    context.reserve(count * BigInt(text.length));
    return text.repeat(Number(count));
  }),
  trimall,
  trimAll: trimall,
  trimSuffix: fn(['string', 'string'], (end, text) =>
    text.endsWith(end) ? text.slice(0, text.length - end.length) : text,
  ),
  trimPrefix: fn(['string', 'string'], (start, text) =>
    text.startsWith(start) ? text.slice(start.length) : text,
  ),
  nospace: fn(['string'], nospace),
  initials: fn(['string'], initials),
  swapcase: fn(['string'], swapCase),
  snakecase: fn(['string'], (text) => connectWords(text, '_')),
  camelcase: fn(['string'], camelCase),
  kebabcase: fn(['string'], (text) => connectWords(text, '-')),
  wrap: fn(['int', 'string'], (width, text) => wrap(text, Number(width), '\n', false)),
  wrapWith: fn(['int', 'string', 'string'], (width, separator, text) =>
    wrap(text, Number(width), separator === '' ? '\n' : separator, true),
  ),
  contains: fn(['string', 'string'], (part, text) => text.includes(part)),
  hasPrefix: fn(['string', 'string'], (part, text) => text.startsWith(part)),
  hasSuffix: fn(['string', 'string'], (part, text) => text.endsWith(part)),
  quote: variadic([], 'any', (...values) =>
    values
      .filter((v) => v !== null)
      .map((v) => quote(toText(v)))
      .join(' '),
  ),
  squote: variadic([], 'any', (...values) =>
    values
      .filter((v) => v !== null)
      .map((v) => `'${print(v)}'`)
      .join(' '),
  ),
  cat: variadic([], 'any', cat),
  indent: withContext(['int', 'string'], indent),
  nindent: withContext(['int', 'string'], (context, count, text) => `\n${indent(context, count, text)}`),
  replace: withContext(['string', 'string', 'string'], replace),
  plural: fn(['string', 'string', 'int'], (one, many, count) => (count === 1n ? one : many)),
  toString: fn(['any'], toText),
  toStrings: fn(['any'], (value) =>
    value instanceof TypedList && value.element === 'string' ? value : strings(textsOf(value)),
  ),
  join: fn(['string', 'any'], (separator, value) => textsOf(value).join(separator)),
  split: fn(['string', 'string'], (separator, text) => numbered(splitText(text, separator, -1))),
  splitList: fn(['string', 'string'], (separator, text) => strings(splitText(text, separator, -1))),
  splitn: fn(['string', 'int', 'string'], (separator, count, text) =>
    numbered(splitText(text, separator, Number(count))),
  ),
};
