/** sprig's functions on dictionaries. */

import {
  entriesOf,
  fail,
  fn,
  type GoFunction,
  isNilMap,
  isTrue,
  sortedKeys,
  strings,
  TextMap,
  TypedList,
  type Value,
  variadic,
} from '../value.ts';
import { textWork, work } from '../work.ts';
import { toText } from './cast.ts';

type Dict = Map<string, Value>;

function dict(...values: Value[]): Dict {
  const made: Dict = new Map();
  for (let i = 0; i < values.length; i += 2)
    made.set(toText(values[i]), values[i + 1] ?? (i + 1 < values.length ? null : ''));
  return made;
}

function writable(map: Dict): Dict {
  return isNilMap(map) ? fail('cannot set a key in a missing dictionary') : map;
}

/**
 * Merges `from` into `into`. Existing keys keep their values unless `overwrite` is set. Maps on both sides
 * are merged recursively. A null value in `from` is used only with `overwrite`.
 */
function mergeInto(into: Dict, from: Dict, overwrite: boolean): void {
  // Copies the keys first: if maps contain each other, merging can add keys to the map that is being read.
  for (const key of [...from.keys()]) {
    work(1);
    const value = from.get(key) ?? null;
    const present = into.get(key);
    const source = entriesOf(value);
    if (value === null) {
      if (overwrite) into.set(key, value);
    } else if (source !== undefined && present instanceof Map) {
      mergeInto(present, value instanceof Map ? value : new Map(source), overwrite);
      if (present.size === 0) into.set(key, value);
    } else if (overwrite || !isTrue(present)) into.set(key, value);
  }
}

const merging = (overwrite: boolean): GoFunction =>
  variadic(['map'], 'map', (first, ...others) => {
    let into = first;
    for (const from of others) {
      if (isNilMap(into) && !isNilMap(from)) into = new Map();
      mergeInto(into, from, overwrite);
    }
    return into;
  });
const merge = merging(false);
const mergeOverwrite = merging(true);

function deepCopy(value: Value): Value {
  work(1);
  if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, deepCopy(item)]));
  if (Array.isArray(value)) return value.map(deepCopy);
  if (value instanceof TypedList) return new TypedList(value.element, value.items.map(deepCopy), value.isNil);
  return value instanceof TextMap ? new TextMap(new Map(value.entries)) : value;
}

function copy(value: Value): Value {
  return value === null ? fail('cannot copy a missing value') : deepCopy(value);
}

/** Reads a value through nested dictionaries; returns the default if a key is missing. */
function dig(...given: Value[]): Value {
  const from = given.at(-1) ?? null;
  const fallback = given.at(-2) ?? null;
  const keys = given.slice(0, -2);
  if (keys.length === 0) fail('dig expects at least one key, a default value and a dictionary');
  let at: Value = from;
  for (const key of keys) if (typeof key !== 'string') fail('the keys of dig must be strings');
  for (const key of keys) {
    if (!(at instanceof Map))
      fail(`dig expects a dictionary, but the value that should contain ${JSON.stringify(key)} is not one`);
    if (!at.has(key as string)) return fallback;
    at = at.get(key as string) ?? null;
  }
  return at;
}

export const dictFunctions: Readonly<Record<string, GoFunction>> = {
  dict: variadic([], 'any', dict),
  get: fn(['map', 'string'], (map, key) => (map.has(key) ? map.get(key) : '')),
  set: fn(['map', 'string', 'any'], (map, key, value) => writable(map).set(key, value)),
  unset: fn(['map', 'string'], (map, key) => {
    map.delete(key);
    return map;
  }),
  hasKey: fn(['map', 'string'], (map, key) => map.has(key)),
  pluck: variadic(['string'], 'map', (key, ...maps) =>
    maps.filter((map) => map.has(key)).map((map) => map.get(key) ?? null),
  ),
  keys: variadic([], 'map', (...maps) => strings(maps.flatMap(sortedKeys))),
  values: fn(['map'], (map) => sortedKeys(map).map((key) => map.get(key) ?? null)),
  pick: variadic(['map'], 'string', (map, ...keys) => {
    const picked: Dict = new Map();
    for (const key of keys) if (map.has(key)) picked.set(key, map.get(key) ?? null);
    return picked;
  }),
  omit: variadic(['map'], 'string', (map, ...keys) => {
    work(map.size * (1 + textWork(keys.length)));
    return new Map(Array.from(map).filter(([key]) => !keys.includes(key)));
  }),
  merge,
  mustMerge: merge,
  mergeOverwrite,
  mustMergeOverwrite: mergeOverwrite,
  deepCopy: fn(['any'], copy),
  mustDeepCopy: fn(['any'], copy),
  dig: variadic([], 'any', dig),
};
