/** The values of plain YAML 1.1 scalars, as Go's library reads them. */

import { parseFloat64, parseInteger } from './literals.ts';
import type { Value } from './value.ts';

const WORDS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((w) => [w, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (w) => [w, false] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((w) => [w, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((w) => [w, Number.NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((w) => [w, Number.POSITIVE_INFINITY] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((w) => [w, Number.NEGATIVE_INFINITY] as const),
]);

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const DATE =
  /^[0-9]{4}-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12][0-9]|3[01])(?:[Tt](?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})| +(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?)?$/;

/** Whether a text is a date. Dates stay text, but are quoted when written. */
export function isTimestamp(text: string): boolean {
  if (!DATE.test(text)) return false;
  const [year = 0, month = 1, day = 1] = text.split(/[-Tt ]/, 3).map(Number);
  return (
    day <= new Date(Date.UTC(year, month, 0)).getUTCDate() ||
    (day === 29 && month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0))
  );
}

/** The value of a plain scalar. */
export function resolvePlain(text: string): Value {
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  const first = text[0] ?? '';
  if (first === '.') return parseFloat64(text) ?? text;
  if (!/[-+0-9]/.test(first) || isTimestamp(text)) return text;
  const plain = text.replaceAll('_', '');
  const integer = parseInteger(plain);
  const positive = !/^[-+]/.test(plain);
  if (integer !== undefined && integer >= -(2n ** 63n) && integer < (positive ? 2n ** 64n : 2n ** 63n))
    return integer;
  if (FLOAT.test(plain)) return parseFloat64(plain) ?? text;
  return text;
}
