/** The positive literal of a variable: `variable * 2`. Its negation is one more. */
export const positive = (variable: number): number => variable << 1;
/** The negation of a literal. */
export const negate = (literal: number): number => literal ^ 1;

/** Copies an array to a larger one if it has fewer than `size` elements. */
export function grown<T extends Int8Array | Int32Array>(array: T, size: number, make: (n: number) => T): T {
  if (array.length >= size) return array;
  const larger = make(Math.max(size, array.length * 2));
  larger.set(array);
  return larger;
}
