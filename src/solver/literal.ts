/** The literal that a variable is true. A literal is `variable * 2`, and one more where it is negated. */
export const positive = (variable: number): number => variable << 1;
/** The opposite of a literal. */
export const negate = (literal: number): number => literal ^ 1;

/** The same numbers in an array of at least this size. */
export function grown<T extends Int8Array | Int32Array>(array: T, size: number, make: (n: number) => T): T {
  if (array.length >= size) return array;
  const larger = make(Math.max(size, array.length * 2));
  larger.set(array);
  return larger;
}
