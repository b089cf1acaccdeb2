import type { Value } from '../../src/template/index.ts';

/** JSON as template values: a number without point and exponent is Go's int, any other its float64. */
export function goValue(json: string): Value {
  const parsed: unknown = JSON.parse(json, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number') return value;
    const source = context?.source ?? String(value);
    return /^-?[0-9]+$/.test(source) ? BigInt(source) : value;
  });
  return toValue(parsed);
}

function toValue(value: unknown): Value {
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value === 'object' && value !== null) {
    return new Map(Object.entries(value).map(([key, item]) => [key, toValue(item)]));
  }
  if (value === null || ['string', 'boolean', 'number', 'bigint'].includes(typeof value))
    return value as Value;
  throw new Error(`no value: ${String(value)}`);
}

/** A map of values, as rendering takes it. */
export function mapOf(json: string): Map<string, Value> {
  const value = goValue(json);
  if (!(value instanceof Map)) throw new Error('not a map');
  return value;
}
