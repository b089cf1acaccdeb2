/** sprig's functions on lists. */

import {
  compareText,
  fail,
  fn,
  type GoFunction,
  isTrue,
  itemsOf,
  kindOf,
  strings,
  TypedList,
  type Value,
  variadic,
} from '../value.ts';
import { work } from '../work.ts';
import { toInt64, toText } from './cast.ts';
import { deepEqual } from './equal.ts';
import { textsOf } from './text.ts';

function items(value: Value, what: string): readonly Value[] {
  if (value === null) fail(`${what} expects a list, but the value is missing`);
  return itemsOf(value) ?? fail(`${what} expects a list, got ${kindOf(value)}`);
}

/** sprig's `slice`: elements from `start` (inclusive) to `end` (exclusive). */
function slice(value: Value, indices: readonly Value[]): Value {
  const all = items(value, 'slice');
  if (all.length === 0) return null;
  const [first, second] = indices;
  const start = first === undefined ? 0n : toInt64(first);
  const end = second === undefined ? BigInt(all.length) : toInt64(second);
  if (start < 0n || end < start || end > BigInt(all.length)) {
    fail(`range ${start} to ${end} is outside a list of ${all.length} elements`);
  }
  const part = all.slice(Number(start), Number(end));
  return value instanceof TypedList ? new TypedList(value.element, part) : part;
}

/** Splits a list into lists of `size` elements. Like sprig, it accepts a negative size in a few cases. */
function chunk(size: bigint, value: Value): TypedList {
  const all = items(value, 'chunk');
  const length = Number(size);
  const count = Math.floor((all.length - 1) / length) + 1;
  const last = all.length % length || length;
  if (!Number.isFinite(count) || count < 0 || (count > 0 && last < 0) || (count > 1 && length < 0)) {
    fail(`cannot split a list of ${all.length} elements into lists of ${size}`);
  }
  work(all.length);
  return new TypedList(
    '[]interface {}',
    Array.from({ length: count }, (_, i) =>
      all.slice(i * length, i === count - 1 ? i * length + last : (i + 1) * length),
    ),
  );
}

function uniq(all: readonly Value[]): Value[] {
  const found: Value[] = [];
  for (const item of all) if (!found.some((other) => deepEqual(item, other))) found.push(item);
  return found;
}

function without(all: readonly Value[], omit: readonly Value[]): Value[] {
  return all.filter((item) => !omit.some((other) => deepEqual(item, other)));
}

function concat(lists: readonly Value[]): Value {
  const all = lists.flatMap((list) => items(list, 'concat'));
  return all.length === 0 ? new TypedList('interface {}', [], true) : all;
}

/** A list without its first or last elements; an empty list stays empty. */
function shortened(value: Value, what: string, start: number, end?: number): Value {
  const all = items(value, what);
  return all.length === 0 ? new TypedList('interface {}', [], true) : all.slice(start, end);
}

const append = fn(['any', 'any'], (list, value) => [...items(list, 'append'), value]);
const prepend = fn(['any', 'any'], (list, value) => [value, ...items(list, 'prepend')]);
const first = fn(['any'], (list) => items(list, 'first')[0] ?? null);
const last = fn(['any'], (list) => items(list, 'last').at(-1) ?? null);
const rest = fn(['any'], (list) => shortened(list, 'rest', 1));
const initial = fn(['any'], (list) => shortened(list, 'initial', 0, -1));
const reverse = fn(['any'], (list) => items(list, 'reverse').toReversed());
const unique = fn(['any'], (list) => uniq(items(list, 'uniq')));
const leaveOut = variadic(['any'], 'any', (list, ...omit) => without(items(list, 'without'), omit));
const has = fn(['any', 'any'], (needle, list) =>
  list === null ? false : items(list, 'has').some((item) => deepEqual(needle, item)),
);
const part = variadic(['any'], 'any', (list, ...indices) => slice(list, indices));
const chunks = fn(['int', 'any'], chunk);
const compact = fn(['any'], (list) => {
  const all = items(list, 'compact');
  work(all.length);
  return all.filter(isTrue);
});
const list = variadic([], 'any', (...values) => values);

export const listFunctions: Readonly<Record<string, GoFunction>> = {
  list,
  tuple: list,
  append,
  push: append,
  mustAppend: append,
  mustPush: append,
  prepend,
  mustPrepend: prepend,
  first,
  mustFirst: first,
  last,
  mustLast: last,
  rest,
  mustRest: rest,
  initial,
  mustInitial: initial,
  reverse,
  mustReverse: reverse,
  uniq: unique,
  mustUniq: unique,
  without: leaveOut,
  mustWithout: leaveOut,
  has,
  mustHas: has,
  slice: part,
  mustSlice: part,
  chunk: chunks,
  mustChunk: chunks,
  compact,
  mustCompact: compact,
  concat: variadic([], 'any', (...lists) => concat(lists)),
  sortAlpha: fn(['any'], (value) =>
    strings(itemsOf(value) === undefined ? [toText(value)] : textsOf(value).sort(compareText)),
  ),
};
