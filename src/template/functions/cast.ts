/** Conversions that never fail, as in sprig's number functions: a value that is not a number becomes 0. */

import { print } from '../fmt/print.ts';
import { parseFloat64, parseInteger } from '../literals.ts';
import { type Maybe, Sized } from '../value.ts';

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;

/** Converts a floating-point number to an int64, as amd64 processors do. */
export function truncate(value: number): bigint {
  if (!Number.isFinite(value)) return INT_MIN;
  const whole = BigInt(Math.trunc(value));
  return whole < INT_MIN || whole > INT_MAX ? INT_MIN : whole;
}

/** The number of a wrapped integer; 0 for a duration. */
function sizedNumber(value: Sized): bigint {
  return value.named?.name === 'time.Duration' ? 0n : value.value;
}

/** The nearest 64-bit integer. Go's integer parsers return it together with the out-of-range error. */
export const clamp = (value: bigint): bigint =>
  value > INT_MAX ? INT_MAX : value < INT_MIN ? INT_MIN : value;

/** Go's strconv.ParseInt with base 0. */
function readInt(text: string): bigint | undefined {
  const value = parseInteger(text);
  return value === undefined || value < INT_MIN || value > INT_MAX ? undefined : value;
}

/** Converts a value to a 64-bit integer. */
export function toInt64(value: Maybe): bigint {
  switch (typeof value) {
    case 'bigint':
      return value;
    case 'number':
      return truncate(value);
    case 'boolean':
      return value ? 1n : 0n;
    case 'string':
      return readInt(value.replace(/\.0+$/, '')) ?? 0n;
  }
  return value instanceof Sized ? BigInt.asIntN(64, sizedNumber(value)) : 0n;
}

/** Converts a value to a floating-point number. */
export function toFloat64(value: Maybe): number {
  switch (typeof value) {
    case 'bigint':
      return Number(value);
    case 'number':
      return value;
    case 'boolean':
      return value ? 1 : 0;
    case 'string':
      return parseFloat64(value) ?? 0;
  }
  return value instanceof Sized ? Number(sizedNumber(value)) : 0;
}

/** Converts a value to text, as sprig's string functions do. */
export const toText = (value: Maybe): string => (typeof value === 'string' ? value : print(value));
