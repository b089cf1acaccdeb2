import { Tries } from '../../async/index.ts';
import { RegistryError, TransientError } from './error.ts';

/** Sources of time and randomness; tests replace them. */
export interface RetryClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  /** Rejects with the signal's reason if it aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** Maximum number of attempts. */
export const TRIES = 6;

const FIRST = 500;
const LONGEST = 20_000;

/** Longest `Retry-After` in milliseconds to obey. A longer one is reported as an error. */
export const LONGEST_ASKED = 120_000;

/** The attempts of one request to a registry: pauses double, and half of each is random. */
export const triesOf = ({ random, sleep }: RetryClock, signal: AbortSignal | undefined): Tries =>
  new Tries({ pause: FIRST, longest: LONGEST, most: TRIES, random, sleep, signal });

/** The milliseconds in a `Retry-After` header (seconds or a date); undefined if it is missing or invalid. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return /[A-Za-z]/.test(text) && Number.isFinite(date) ? Math.max(0, date - now) : undefined;
}

/** Whether a response with this status may be temporary. */
export function isTransientStatus(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

/**
 * Runs a function, and repeats it with increasing pauses after temporary errors, at most `TRIES` times in
 * total, and not earlier than the registry allows.
 */
export async function retrying<T>(
  clock: RetryClock,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const tries = triesOf(clock, signal);
  for (;;) {
    try {
      signal?.throwIfAborted();
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof TransientError) || tries.isLast) throw error;
      const { after = 0 } = error;
      if (after > LONGEST_ASKED)
        throw new RegistryError(`${error.message}; retry after ${Math.ceil(after / 1000)} s`, {
          cause: error,
          ...(error.status === undefined ? {} : { status: error.status }),
        });
      await tries.again(after);
    }
  }
}
