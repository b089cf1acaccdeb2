import { Complex, GoObject, type Maybe, Sized, TextMap, TypedList, typeOf, type Value } from '../value.ts';
import { work } from '../work.ts';

/** Go's reflect.DeepEqual: same types and same content, at every level. */
export function deepEqual(a: Maybe, b: Maybe): boolean {
  work(1);
  if (a === null || a === undefined || b === null || b === undefined) return (a ?? null) === (b ?? null);
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (typeOf(a) !== typeOf(b)) return false;
  if (a === b) return !(a instanceof Complex && (Number.isNaN(a.re) || Number.isNaN(a.im)));
  if (Array.isArray(a) && Array.isArray(b)) return sameItems(a, b);
  if (a instanceof Map && b instanceof Map) return sameEntries(a, b);
  if (a instanceof TypedList && b instanceof TypedList)
    return a.isNil === b.isNil && sameItems(a.items, b.items);
  if (a instanceof TypedList || b instanceof TypedList) {
    // Both have type []interface {}, but only the wrapped list can be nil.
    const wrapped = a instanceof TypedList ? a : (b as TypedList);
    const plain = (a instanceof TypedList ? b : a) as Value[];
    return !wrapped.isNil && sameItems(wrapped.items, plain);
  }
  if (a instanceof TextMap && b instanceof TextMap) return sameEntries(a.entries, b.entries);
  if (a instanceof Sized && b instanceof Sized) return a.value === b.value;
  if (a instanceof Complex && b instanceof Complex) return a.re === b.re && a.im === b.im;
  return a instanceof GoObject && b instanceof GoObject && a.equals(b);
}

function sameItems(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((item, i) => deepEqual(item, b[i]));
}

function sameEntries(a: ReadonlyMap<string, Value>, b: ReadonlyMap<string, Value>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !deepEqual(value, b.get(key))) return false;
  return true;
}
