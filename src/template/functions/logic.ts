/** sprig's functions for defaults, types and control flow. */

import { fail, fn, type GoFunction, isTrue, kindOf, typeOf, variadic } from '../value.ts';
import { deepEqual } from './equal.ts';

export const logicFunctions: Readonly<Record<string, GoFunction>> = {
  default: variadic(['any'], 'any', (fallback, ...given) => (isTrue(given[0]) ? given[0] : fallback)),
  empty: fn(['any'], (value) => !isTrue(value)),
  coalesce: variadic([], 'any', (...values) => values.find(isTrue) ?? null),
  all: variadic([], 'any', (...values) => values.every(isTrue)),
  any: variadic([], 'any', (...values) => values.some(isTrue)),
  ternary: fn(['any', 'any', 'bool'], (yes, no, condition) => (condition ? yes : no)),
  typeOf: fn(['any'], typeOf),
  typeIs: fn(['string', 'any'], (type, value) => type === typeOf(value)),
  typeIsLike: fn(['string', 'any'], (type, value) => type === typeOf(value) || `*${type}` === typeOf(value)),
  kindOf: fn(['any'], kindOf),
  kindIs: fn(['string', 'any'], (kind, value) => kind === kindOf(value)),
  deepEqual: fn(['any', 'any'], deepEqual),
  fail: fn(['string'], (message) => fail(message)),
};
