import { fail } from './value.ts';

/**
 * The step budget of the current rendering. A step takes about 0.1 µs: a statement, a call, or an element or
 * characters that a function processes. Counting steps instead of time makes the limit independent of how
 * busy the machine is. A module variable is sufficient, because rendering is synchronous; a nested rendering
 * restores the outer budget when it ends.
 */
let left = Number.POSITIVE_INFINITY;
let limit = left;

/** Number of characters that are copied or compared in one step. */
const CHARACTERS = 16;

/** Takes steps from the budget of the current rendering. False if the budget is used up. */
export function spend(steps: number): boolean {
  left -= steps;
  return left >= 0;
}

/** The message for a rendering that exceeds its budget. */
export const stepLimitMessage = (): string => `rendering exceeds the limit of ${limit} steps for one file`;

/** Takes steps from the budget of the current rendering. Fails if the budget is used up. */
export function work(steps: number): void {
  if (!spend(steps)) fail(stepLimitMessage());
}

/** Number of steps needed to process a text. */
export const textWork = (length: number): number => Math.ceil(length / CHARACTERS);

/** Renders with a budget of steps. */
export function withStepBudget<T>(steps: number, render: () => T): T {
  const outer = [left, limit] as const;
  left = steps;
  limit = steps;
  try {
    return render();
  } finally {
    [left, limit] = outer;
  }
}
