import type { Value } from '../template/index.ts';

const isMap = (value: Value | undefined): value is Map<string, Value> => value instanceof Map;

/** A copy that shares nothing with its original: templates may change the maps that they are given. */
function copy(value: Value): Value {
  if (isMap(value)) return overlay(value, new Map());
  return Array.isArray(value) ? value.map(copy) : value;
}

/**
 * `base` with the values of `over` laid on it: maps merge key by key, all else is replaced. The result shares no
 * map or list with either.
 */
export function overlay(
  base: ReadonlyMap<string, Value>,
  over: ReadonlyMap<string, Value>,
): Map<string, Value> {
  const merged = new Map<string, Value>();
  for (const [key, value] of base) if (!over.has(key)) merged.set(key, copy(value));
  for (const [key, value] of over) {
    const below = base.get(key);
    merged.set(key, isMap(value) && isMap(below) ? overlay(below, value) : copy(value));
  }
  return merged;
}
