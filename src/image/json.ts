/** A JSON object that has not been checked. */
export type Json = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object. */
export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether a JSON value is a list of strings. */
export const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/**
 * Renames the fields that equal one of these names except for upper and lower case. The engines are written
 * in Go, whose JSON decoder ignores case in the names of fields; of several such fields the last one counts.
 */
export function fieldsOf(object: Json, names: readonly string[]): Json {
  const spelled = new Map(names.map((name) => [name.toLowerCase(), name]));
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => [spelled.get(key.toLowerCase()) ?? key, value]),
  );
}
