import { fromBytes, toBytes } from './bytes.ts';

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
};
const ESCAPE = /\\(?:([abfnrtv\\"'])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/y;

/** The value of a Go string or character constant, given with its quotes. Undefined if it is invalid. */
export function unquote(literal: string): string | undefined {
  const quote = literal[0];
  if (quote === '`') return literal.slice(1, -1).replaceAll('\r', '');
  const body = literal.slice(1, -1);
  if (!body.includes('\\')) return body;
  let text = '';
  let raw = false;
  for (let i = 0; i < body.length; i++) {
    const c = body[i] ?? '';
    if (c !== '\\') {
      text += c;
      continue;
    }
    ESCAPE.lastIndex = i;
    const match = ESCAPE.exec(body);
    if (match === null) return undefined;
    const [whole, simple, octal, byte, short, long] = match;
    i += whole.length - 1;
    if (simple !== undefined) {
      if ((simple === '"' || simple === "'") && simple !== quote) return undefined;
      text += SIMPLE[simple] ?? simple;
    } else if (octal !== undefined || byte !== undefined) {
      const value = octal === undefined ? Number.parseInt(byte ?? '', 16) : Number.parseInt(octal, 8);
      if (value > 0xff) return undefined;
      // In a character constant, such an escape is a code point; in a string, it is a byte.
      text +=
        value < 0x80 || quote === "'" ? String.fromCharCode(value) : String.fromCharCode(0xdc00 + value);
      raw ||= value >= 0x80 && quote !== "'";
    } else {
      const code = Number.parseInt(short ?? long ?? '', 16);
      if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
      text += String.fromCodePoint(code);
    }
  }
  return raw ? fromBytes(toBytes(text)) : text;
}

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 63n - 1n;

const INTEGER =
  /^([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[bB]((?:_?[01])+)|0[oO]?((?:_?[0-7])+)|(0|[1-9](?:_?[0-9])*))$/;

/** Parses an integer as in Go source: prefixes, a leading 0 for octal, underscores. Any size. */
export function parseInteger(text: string): bigint | undefined {
  const match = INTEGER.exec(text);
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : (decimal ?? '');
  const value = BigInt(digits.replaceAll('_', ''));
  return sign === '-' ? -value : value;
}

const DECIMAL =
  /^[+-]?(?:[0-9](?:_?[0-9])*(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?$/;
const HEX =
  /^([+-]?)0[xX](_?[0-9a-fA-F](?:_?[0-9a-fA-F])*)?(?:\.([0-9a-fA-F](?:_?[0-9a-fA-F])*)?)?[pP]([+-]?[0-9](?:_?[0-9])*)$/;

/**
 * Parses a floating-point number as Go's ParseFloat does, including infinities and NaN. Undefined if it is
 * invalid or too large.
 */
export function parseFloat64(text: string): number | undefined {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special !== null) {
    if (special[2]?.toLowerCase() === 'nan') return special[1] === '' ? Number.NaN : undefined;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const hex = HEX.exec(text);
  if (hex !== null) {
    const whole = (hex[2] ?? '').replaceAll('_', '');
    const fraction = (hex[3] ?? '').replaceAll('_', '');
    if (whole === '' && fraction === '') return undefined;
    const exponent = Number((hex[4] ?? '0').replaceAll('_', '')) - 4 * fraction.length;
    const value = scale(BigInt(`0x${whole}${fraction}`), exponent);
    if (!Number.isFinite(value)) return undefined;
    return hex[1] === '-' ? -value : value;
  }
  if (!DECIMAL.test(text)) return undefined;
  const value = Number(text.replaceAll('_', ''));
  return Number.isFinite(value) ? value : undefined;
}

/** Computes mantissa × 2^exponent with a single rounding. */
function scale(mantissa: bigint, exponent: number): number {
  if (mantissa === 0n) return 0;
  if (exponent >= 0) return exponent > 5000 ? Number.POSITIVE_INFINITY : Number(mantissa << BigInt(exponent));
  // Keep 53 bits (fewer for subnormal numbers); round half to even.
  const bits = mantissa.toString(2).length;
  const lowest = Math.max(bits + exponent - 53, -1074);
  const drop = lowest - exponent;
  if (drop <= 0) return Number(mantissa) * 2 ** exponent;
  if (drop > bits + 1) return 0;
  const shift = BigInt(drop);
  let kept = mantissa >> shift;
  const rest = mantissa - (kept << shift);
  const half = 1n << (shift - 1n);
  if (rest > half || (rest === half && (kept & 1n) === 1n)) kept++;
  return Number(kept) * 2 ** lowest;
}

/** A number constant in a template: its value as each type that can hold it. */
export interface NumberLiteral {
  readonly int?: bigint;
  readonly uint?: bigint;
  readonly float?: number;
  readonly complex?: { readonly re: number; readonly im: number };
}

function integral(value: number): { int?: bigint; uint?: bigint } {
  if (!Number.isInteger(value)) return {};
  const exact = BigInt(value);
  return {
    ...(exact >= INT_MIN && exact <= INT_MAX ? { int: exact } : {}),
    ...(exact >= 0n && exact < 2n ** 64n ? { uint: exact } : {}),
  };
}

function complex(re: number, im: number): NumberLiteral {
  return { complex: { re, im }, ...(im === 0 ? { float: re, ...integral(re) } : {}) };
}

/** Parses a number token. Returns an error message if it is invalid. */
export function parseNumber(text: string, type: 'number' | 'rune' | 'complex'): NumberLiteral | string {
  if (type === 'rune') {
    const body = unquote(text);
    const characters = body === undefined ? [] : Array.from(body);
    const code = characters.length === 1 ? characters[0]?.codePointAt(0) : undefined;
    if (code === undefined || text === "'''") return `invalid character constant ${text}`;
    return { int: BigInt(code), uint: BigInt(code), float: code };
  }
  if (type === 'complex') {
    const match = /^(.+?)(?<![eEpP])([+-].*)i$/.exec(text);
    const re = parseFloat64(match?.[1] ?? '');
    const im = parseFloat64(match?.[2] ?? '');
    return re === undefined || im === undefined ? `invalid number ${text}` : complex(re, im);
  }
  if (text.endsWith('i')) {
    const im = parseFloat64(text.slice(0, -1));
    if (im !== undefined) return complex(0, im);
  }
  const integer = parseInteger(text);
  if (integer !== undefined && integer >= INT_MIN && integer < 2n ** 64n) {
    return {
      float: Number(integer),
      ...(integer <= INT_MAX ? { int: integer } : {}),
      ...((integer >= 0n && !/^[+-]/.test(text)) || integer === 0n ? { uint: integer } : {}),
    };
  }
  const float = parseFloat64(text);
  if (float === undefined) return `invalid number ${text}`;
  if (!/[.eEpP]/.test(text)) return `integer ${text} does not fit into 64 bits`;
  return { float, ...integral(float) };
}
