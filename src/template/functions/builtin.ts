/** The functions that Go's text/template itself provides. */

import { byteLength, toBytes } from '../bytes.ts';
import { sprint, sprintln } from '../fmt/print.ts';
import { sprintf } from '../fmt/printf.ts';
import { isPrintable } from '../fmt/quote.ts';
import {
  Complex,
  compareText,
  entriesOf,
  fail,
  fn,
  type GoFunction,
  GoObject,
  integerOf,
  isNilMap,
  isTrue,
  itemsOf,
  kindOf,
  type Maybe,
  Sized,
  TextMap,
  TypedList,
  typeOf,
  variadic,
} from '../value.ts';

type Basic = 'bool' | 'int' | 'uint' | 'float' | 'complex' | 'string' | undefined;

function basicKind(value: Maybe): Basic {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'string';
  }
  if (value instanceof Sized) return value.kind.startsWith('u') ? 'uint' : 'int';
  return value instanceof Complex ? 'complex' : undefined;
}

const isNil = (value: Maybe): boolean =>
  value === null ||
  value === undefined ||
  (value instanceof TypedList && value.isNil) ||
  (value instanceof Map && isNilMap(value));

function incompatible(a: Maybe, b: Maybe): never {
  fail(`cannot compare ${typeOf(a)} with ${typeOf(b)}`);
}

/** Whether two values are equal. Fails if their types cannot be compared. */
function equal(a: Maybe, b: Maybe): boolean {
  const kind = basicKind(a);
  const other = basicKind(b);
  if (kind !== other) {
    const integers = (kind === 'int' && other === 'uint') || (kind === 'uint' && other === 'int');
    if (integers) return integerOf(a) === integerOf(b);
    if (a !== null && a !== undefined && b !== null && b !== undefined) incompatible(a, b);
    return false;
  }
  if (kind === 'int' || kind === 'uint') return integerOf(a) === integerOf(b);
  if (a instanceof Complex && b instanceof Complex) return a.re === b.re && a.im === b.im;
  if (kind !== undefined) return a === b;
  const x = kindOf(a);
  const y = kindOf(b);
  if (x !== y && x !== 'invalid' && y !== 'invalid') incompatible(a, b);
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (a instanceof GoObject && b instanceof GoObject) return a.kind === 'ptr' ? a === b : a.equals(b);
  fail(`cannot compare ${typeOf(a)} with ${typeOf(b)}; use deepEqual for lists and maps`);
}

function equalsAny(a: Maybe, others: readonly Maybe[]): boolean {
  if (others.length === 0) fail('expected at least two values to compare');
  return others.some((b) => equal(a, b));
}

function less(a: Maybe, b: Maybe): boolean {
  const kind = basicKind(a);
  const other = basicKind(b);
  if (kind === undefined || other === undefined) {
    const odd = kind === undefined ? a : b;
    fail(
      odd === null || odd === undefined
        ? 'cannot compare a missing value'
        : `values of type ${typeOf(odd)} have no order`,
    );
  }
  const x = integerOf(a);
  const y = integerOf(b);
  if (x !== undefined && y !== undefined) return x < y;
  if (kind !== other) incompatible(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a < b;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b) < 0;
  fail(`values of type ${typeOf(a)} have no order`);
}

const lessOrEqual = (a: Maybe, b: Maybe): boolean => less(a, b) || equal(a, b);

function element(value: Maybe, index: Maybe): Maybe {
  if (value === null || value === undefined) fail('cannot read an element of a missing value');
  if (value instanceof Map || value instanceof TextMap) {
    if (typeof index !== 'string') {
      fail(
        `expected a string as map key, got ${index === null || index === undefined ? 'no value' : typeOf(index)}`,
      );
    }
    return entriesOf(value)?.get(index) ?? (value instanceof TextMap ? '' : null);
  }
  const items = itemsOf(value);
  if (items === undefined && typeof value !== 'string') fail(`type ${typeOf(value)} has no elements`);
  const at = integerOf(index);
  if (at === undefined) {
    fail(
      index === null || index === undefined
        ? 'expected an integer as list index, got nil'
        : `expected an integer as list index, got ${typeOf(index)}`,
    );
  }
  const length = items?.length ?? byteLength(value as string);
  if (at < 0n || at >= BigInt(length)) fail(`index ${at} is out of range; the length is ${length}`);
  if (items !== undefined) return items[Number(at)];
  return new Sized('uint8', BigInt(toBytes(value as string)[Number(at)] ?? 0));
}

function length(value: Maybe): bigint {
  if (typeof value === 'string') return BigInt(byteLength(value));
  const items = itemsOf(value);
  if (items !== undefined) return BigInt(items.length);
  const entries = entriesOf(value);
  if (entries !== undefined) return BigInt(entries.size);
  if (value === null || value === undefined) fail('cannot get the length of a missing value');
  fail(`type ${typeOf(value)} has no length`);
}

const HTML: Readonly<Record<string, string>> = {
  '\0': '\ufffd',
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

const hex = (code: number, width: number): string => code.toString(16).toUpperCase().padStart(width, '0');

function escapeScript(text: string): string {
  return Array.from(text, (c) => {
    if (c === '\\' || c === "'" || c === '"') return `\\${c}`;
    const code = c.codePointAt(0) ?? 0;
    if (code < 0x20 || '<>&='.includes(c)) return `\\u${hex(code, 4)}`;
    if (code < 0x80) return c;
    // Invalid characters are escaped as U+FFFD.
    if (code >= 0xd800 && code < 0xe000) return '\\uFFFD';
    return isPrintable(c) ? c : `\\u${hex(code, 4)}`;
  }).join('');
}

/** Go's url.QueryEscape. */
export function escapeQuery(text: string): string {
  if (/^[\w.~-]*$/.test(text)) return text;
  return Array.from(toBytes(text), (byte) => {
    const c = String.fromCharCode(byte);
    if (c === ' ') return '+';
    return /[A-Za-z0-9_.~-]/.test(c) ? c : `%${hex(byte, 2)}`;
  }).join('');
}

/** Arguments as text; a missing value is printed as an action would print it. */
const joined = (values: readonly Maybe[]): string =>
  sprint(values.map((value) => (value === null || value === undefined ? '<no value>' : value)));

export const builtinFunctions: Readonly<Record<string, GoFunction>> = {
  // The evaluator implements `and` and `or`, because they evaluate only as many arguments as needed.
  and: variadic(['value'], 'value', (first) => first),
  or: variadic(['value'], 'value', (first) => first),
  not: fn(['value'], (value) => !isTrue(value)),
  call: variadic(['value'], 'value', (value) =>
    fail(
      value === null || value === undefined
        ? 'cannot call a missing value'
        : `type ${typeOf(value)} is not a function`,
    ),
  ),
  html: variadic([], 'any', (...values) => joined(values).replace(/[\0"'&<>]/g, (c) => HTML[c] ?? c)),
  js: variadic([], 'any', (...values) => escapeScript(joined(values))),
  urlquery: variadic([], 'any', (...values) => escapeQuery(joined(values))),
  index: variadic(['value'], 'value', (value, ...indexes) => {
    if (value === null || value === undefined) fail('cannot read an element of a missing value');
    return indexes.reduce<Maybe>(element, value);
  }),
  len: fn(['value'], length),
  print: variadic([], 'any', (...values) => sprint(values)),
  printf: variadic(['string'], 'any', (format, ...values) => sprintf(format, values)),
  println: variadic([], 'any', (...values) => sprintln(values)),
  eq: variadic(['value'], 'value', (a, ...others) => equalsAny(a, others)),
  ne: fn(['value', 'value'], (a, b) => !equal(a, b)),
  lt: fn(['value', 'value'], less),
  le: fn(['value', 'value'], lessOrEqual),
  gt: fn(['value', 'value'], (a, b) => !lessOrEqual(a, b)),
  ge: fn(['value', 'value'], (a, b) => !less(a, b)),
};
