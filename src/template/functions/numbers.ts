/** sprig's number functions. */

import { print } from '../fmt/print.ts';
import {
  type Context,
  fail,
  fn,
  type GoFunction,
  int64,
  TypedList,
  type Value,
  variadic,
  withContext,
} from '../value.ts';
import { work } from '../work.ts';
import { clamp, toFloat64, toInt64 } from './cast.ts';
import {
  addDecimals,
  type Decimal,
  divideDecimals,
  fromFloat,
  multiplyDecimals,
  subtractDecimals,
  toFloat,
} from './decimal.ts';

function steps(context: Context, start: bigint, stop: bigint, step: bigint): bigint[] {
  const up = stop >= start;
  if (up ? step <= 0n : step >= 0n) return [];
  context.reserve((stop - start) / step);
  work(Number((stop - start) / step));
  const found: bigint[] = [];
  // A sum beyond 64 bits wraps around, as in Go.
  for (let i = start; up ? i < stop : i > stop; i = BigInt.asIntN(64, i + step)) {
    found.push(i);
    if (found.length % 4096 === 0) context.reserve(found.length);
  }
  return found;
}

/** Counts as the shell command `seq` does: LAST; FIRST LAST; or FIRST STEP LAST. */
function seq(context: Context, given: readonly bigint[]): string {
  const [a, b, c] = given;
  if (a === undefined || given.length > 3) return '';
  const start = b === undefined ? 1n : a;
  const end = c ?? b ?? a;
  const down = end < start;
  const towards = down ? -1n : 1n;
  const step = c === undefined || b === undefined ? towards : b;
  if (c !== undefined && down && step > 0n) return '';
  return steps(context, start, end + towards, step).join(' ');
}

function round(value: Value, places: bigint, on = 0.5): number {
  const power = 10 ** Number(places);
  const digit = power * toFloat64(value);
  const fraction = digit - Math.trunc(digit);
  return (fraction >= on ? Math.ceil(digit) : Math.floor(digit)) / power;
}

function calculate(
  operation: (a: Decimal, b: Decimal) => Decimal,
  first: Decimal,
  others: readonly Value[],
): number {
  return toFloat(others.reduce<Decimal>((sum, value) => operation(sum, fromFloat(toFloat64(value))), first));
}

const decimal = (value: Value): Decimal => fromFloat(toFloat64(value));
const ofDecimals = (operation: (a: Decimal, b: Decimal) => Decimal): GoFunction =>
  variadic(['any'], 'any', (first, ...others) => calculate(operation, decimal(first), others));

function divisor(value: Value): bigint {
  const by = toInt64(value);
  return by === 0n ? fail('division by 0') : by;
}

/**
 * Go's math.Max and math.Min. JavaScript's functions treat infinities, NaN and signed zero in the same way.
 */
const extreme = (pick: (a: number, b: number) => number): GoFunction =>
  variadic(['any'], 'any', (first, ...others) =>
    others.reduce<number>((a, b) => pick(a, toFloat64(b)), toFloat64(first)),
  );

/** Returns the number that comes first by `order`. */
const first64 = (order: (a: bigint, b: bigint) => boolean): GoFunction =>
  variadic(['any'], 'any', (...values) => {
    const [first = 0n, ...others] = values.map(toInt64);
    let found = first;
    for (const other of others) if (order(other, found)) found = other;
    return int64(found);
  });
const largest = first64((a, b) => a > b);

function octal(text: string): bigint {
  const match = /^[+-]?[0-7]+$/.exec(text);
  if (match === null) return 0n;
  const sign = text.startsWith('-') ? -1n : 1n;
  const value = sign * BigInt(`0o${text.replace(/^[+-]/, '')}`);
  return BigInt.asIntN(64, value) === value ? value : 0n;
}

export const numberFunctions: Readonly<Record<string, GoFunction>> = {
  atoi: fn(['string'], (text) => (/^[+-]?[0-9]+$/.test(text) ? clamp(BigInt(text.replace('+', ''))) : 0n)),
  int: fn(['any'], toInt64),
  int64: fn(['any'], (value) => int64(toInt64(value))),
  float64: fn(['any'], toFloat64),
  toDecimal: fn(['any'], (value) => int64(octal(print(value)))),
  seq: { params: [], rest: 'int', call: (args, context) => seq(context, args as bigint[]) },
  until: withContext(
    ['int'],
    (context, count) => new TypedList('int', steps(context, 0n, count, count < 0n ? -1n : 1n)),
  ),
  untilStep: withContext(
    ['int', 'int', 'int'],
    (context, start, stop, step) => new TypedList('int', steps(context, start, stop, step)),
  ),
  add1: fn(['any'], (value) => int64(toInt64(value) + 1n)),
  add: variadic([], 'any', (...values) =>
    int64(values.reduce<bigint>((sum, value) => sum + toInt64(value), 0n)),
  ),
  sub: fn(['any', 'any'], (a, b) => int64(toInt64(a) - toInt64(b))),
  div: fn(['any', 'any'], (a, b) => int64(toInt64(a) / divisor(b))),
  mod: fn(['any', 'any'], (a, b) => int64(toInt64(a) % divisor(b))),
  mul: variadic(['any'], 'any', (first, ...others) =>
    int64(
      others.reduce<bigint>((product, value) => BigInt.asIntN(64, product * toInt64(value)), toInt64(first)),
    ),
  ),
  add1f: fn(['any'], (value) => calculate(addDecimals, decimal(value), [1n])),
  addf: variadic([], 'any', (...values) => calculate(addDecimals, fromFloat(0), values)),
  subf: ofDecimals(subtractDecimals),
  divf: ofDecimals(divideDecimals),
  mulf: ofDecimals(multiplyDecimals),
  biggest: largest,
  max: largest,
  min: first64((a, b) => a < b),
  maxf: extreme(Math.max),
  minf: extreme(Math.min),
  ceil: fn(['any'], (value) => Math.ceil(toFloat64(value))),
  floor: fn(['any'], (value) => Math.floor(toFloat64(value))),
  round: variadic(['any', 'int'], 'float64', (value, places, on) => round(value, places, on)),
};
