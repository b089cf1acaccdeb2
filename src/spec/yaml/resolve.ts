import type { Value } from '../../template/index.ts';
import type { YamlNode, YamlScalar } from './node.ts';

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

/** The values of plain scalars that are words; other plain scalars are numbers or text. */
const WORDS = new Map<string, Value>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  // Luet reads definitions and values files as YAML 1.1, which has more words for booleans than YAML 1.2.
  ...['true', 'True', 'TRUE', 'y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON'].map(
    (word) => [word, true] as const,
  ),
  ...['false', 'False', 'FALSE', 'n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF'].map(
    (word) => [word, false] as const,
  ),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF'].flatMap((word) => [
    [word, Number.POSITIVE_INFINITY] as const,
    [`+${word}`, Number.POSITIVE_INFINITY] as const,
    [`-${word}`, Number.NEGATIVE_INFINITY] as const,
  ]),
]);

/** Parses an integer in Go's base 0 notation with at most 64 bits; undefined if it is not one. */
function integer(text: string): bigint | undefined {
  const parts = /^([-+]?)(?:(0[xX])([0-9a-fA-F]+)|(0[bB])([01]+)|(0[oO]?)([0-7]+)|([1-9][0-9]*|0))$/.exec(
    text,
  );
  if (parts === null) return undefined;
  const [, sign, hex, hexDigits, binary, binaryDigits, octal, octalDigits, decimal] = parts;
  const magnitude =
    hex !== undefined
      ? BigInt(`0x${hexDigits}`)
      : binary !== undefined
        ? BigInt(`0b${binaryDigits}`)
        : octal !== undefined
          ? BigInt(`0o${octalDigits}`)
          : BigInt(decimal ?? 0);
  if (sign === '-') return magnitude <= INT64_MAX + 1n ? -magnitude : undefined;
  return magnitude <= (sign === '+' ? INT64_MAX : UINT64_MAX) ? magnitude : undefined;
}

/**
 * The value of a plain scalar where any type is allowed, as Go's YAML library reads it: integers (also `0x`,
 * `0o`, `0b`, `0777` and `1_000`) are bigint, other numbers are number, and `true`, `yes`, `on`, `null` and
 * their spellings are booleans and null. Everything else is text, including dates, although newer versions of
 * that library parse dates.
 */
export function resolvePlain(text: string): Value {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text) || text.length > 400) return text;
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '');
  const whole = integer(digits);
  if (whole !== undefined) return whole;
  if (!/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(digits)) return text;
  const value = Number(digits);
  return Number.isFinite(value) ? value : text;
}

/**
 * The value of a scalar where any type is allowed. A known tag determines the type; with an unknown tag it is
 * text.
 */
export function resolveScalar(scalar: YamlScalar): Value {
  if (scalar.plain) return resolvePlain(scalar.text);
  switch (scalar.tag) {
    case '!!null':
      return null;
    case '!!int':
    case '!!bool':
      return resolvePlain(scalar.text);
    case '!!float': {
      const value = resolvePlain(scalar.text);
      return typeof value === 'bigint' ? Number(value) : value;
    }
    case '!!binary':
      return Buffer.from(scalar.text, 'base64').toString();
    default:
      return scalar.text;
  }
}

/**
 * Converts a node to a value for templates. Each alias becomes a separate copy, because templates can change
 * maps (`compose` has limited the growth).
 */
export function toValue(node: YamlNode): Value {
  if (node.kind === 'scalar') return resolveScalar(node);
  if (node.kind === 'sequence') return node.items.map(toValue);
  const map = new Map<string, Value>();
  for (const [key, { value }] of node.pairs) map.set(key, toValue(value));
  return map;
}
