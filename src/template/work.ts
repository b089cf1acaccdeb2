import { fail } from './value.ts';

/*
 * What one rendering may do, counted in steps that take some 0.1 µs each: statements, calls, elements and characters that functions
 * go through. The same template does the same work everywhere, however busy the machine is. Rendering is synchronous and never
 * interrupted by another one, except by one that it is inside of.
 */
let left = Number.POSITIVE_INFINITY;
let limit = left;

/** Characters that are copied or compared in one step. */
const CHARACTERS = 16;

/** Takes steps from what is left of the rendering that goes on; false where that is not enough. */
export function spend(steps: number): boolean {
  left -= steps;
  return left >= 0;
}

/** What is said of a rendering that does too much. */
export const tooMuch = (): string =>
  `rendering this takes more than ${limit} steps, which is all that one file may take`;

/** Takes steps from what is left of the rendering that goes on; fails where that is not enough. */
export function work(steps: number): void {
  if (!spend(steps)) fail(tooMuch());
}

/** The steps that it takes to go through a text. */
export const textWork = (length: number): number => Math.ceil(length / CHARACTERS);

/** Renders within so many steps. */
export function within<T>(steps: number, render: () => T): T {
  const outer = [left, limit] as const;
  left = steps;
  limit = steps;
  try {
    return render();
  } finally {
    [left, limit] = outer;
  }
}
