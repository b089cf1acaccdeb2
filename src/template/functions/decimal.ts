/** Decimal numbers of any length, for arithmetic on floats without visible binary rounding errors. */

import { fail } from '../value.ts';

/** coefficient × 10^exponent */
export interface Decimal {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** Number of decimal places that a division keeps. */
const DIVISION_DIGITS = 16;

/** The shortest decimal that is read back as the same float. */
export function fromFloat(value: number): Decimal {
  if (!Number.isFinite(value)) fail(`cannot calculate with ${value}`);
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { coefficient: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}

/** The float nearest to a decimal. */
export const toFloat = (d: Decimal): number => Number(`${d.coefficient}e${d.exponent}`);

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const exponent = Math.min(a.exponent, b.exponent);
  return [
    a.coefficient * 10n ** BigInt(a.exponent - exponent),
    b.coefficient * 10n ** BigInt(b.exponent - exponent),
    exponent,
  ];
}

export function addDecimals(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = aligned(a, b);
  return { coefficient: x + y, exponent };
}

export function subtractDecimals(a: Decimal, b: Decimal): Decimal {
  const [x, y, exponent] = aligned(a, b);
  return { coefficient: x - y, exponent };
}

export const multiplyDecimals = (a: Decimal, b: Decimal): Decimal => ({
  coefficient: a.coefficient * b.coefficient,
  exponent: a.exponent + b.exponent,
});

/** Divides; rounds half away from zero. */
export function divideDecimals(a: Decimal, b: Decimal): Decimal {
  if (b.coefficient === 0n) fail('division by 0');
  const shift = a.exponent - b.exponent + DIVISION_DIGITS;
  const x = shift > 0 ? a.coefficient * 10n ** BigInt(shift) : a.coefficient;
  const y = shift < 0 ? b.coefficient * 10n ** BigInt(-shift) : b.coefficient;
  const negative = x < 0n !== y < 0n;
  const over = x < 0n ? -x : x;
  const under = y < 0n ? -y : y;
  const rounded = (over * 2n + under) / (under * 2n);
  return { coefficient: negative ? -rounded : rounded, exponent: -DIVISION_DIGITS };
}
