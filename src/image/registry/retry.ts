import { Tries } from '../../async/index.ts';
import { PassingError, RegistryError } from './error.ts';

/** Time and chance, which enter at the edge. */
export interface RetryClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** From 0 to less than 1. */
  readonly random: () => number;
  /** Rejects with the signal's reason where that aborts. */
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/** How often something is asked altogether. */
export const TRIES = 6;

const FIRST = 500;
const LONGEST = 20_000;

/** What a registry may make us wait by `Retry-After`; more than that, and the caller is told. */
export const LONGEST_ASKED = 120_000;

/** The tries of one request to a registry: pauses double, and half of each is random. */
export const triesOf = ({ random, sleep }: RetryClock, signal: AbortSignal | undefined): Tries =>
  new Tries({ pause: FIRST, longest: LONGEST, most: TRIES, random, sleep, signal });

/** The milliseconds that a `Retry-After` asks for, by seconds or by a date; undefined where it asks for nothing that makes sense. */
export function retryAfter(header: string | null, now: number): number | undefined {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return /[A-Za-z]/.test(text) && Number.isFinite(date) ? Math.max(0, date - now) : undefined;
}

/** Whether an answer with this status may be another one later. */
export function isPassing(status: number): boolean {
  return status === 429 || status === 408 || (status >= 500 && status !== 501 && status !== 505);
}

/** Does work again while it fails in a way that may pass, `TRIES` times at most, and not before a registry allows it. */
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
      if (!(error instanceof PassingError) || tries.isLast) throw error;
      const { after = 0 } = error;
      if (after > LONGEST_ASKED)
        throw new RegistryError(
          `${error.message}; it asks to wait for ${Math.ceil(after / 1000)} s, try again then`,
          {
            cause: error,
            ...(error.status === undefined ? {} : { status: error.status }),
          },
        );
      await tries.again(after);
    }
  }
}
