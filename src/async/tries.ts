import { setTimeout as delay } from 'node:timers/promises';

/** How often and for how long something is tried again. Times are in milliseconds. */
export interface TryOptions {
  /** The pause after the first try. */
  readonly pause: number;
  /** By how much each pause is longer than the one before; 2 where absent, so that pauses double. */
  readonly factor?: number;
  /** No pause is longer than this. */
  readonly longest?: number;
  /** How many tries there are altogether; any number where absent. */
  readonly most?: number;
  /** No try begins later than this after the first one; at any time where absent. */
  readonly patience?: number;
  /**
   * From 0 to less than 1. Where it is given, half of each pause is random: clients that failed together do
   * not come back together.
   */
  readonly random?: (() => number) | undefined;
  /** Waits, and rejects where the signal aborts; a timer where absent. */
  readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined;
  /** Milliseconds of any clock, for `patience`; `performance.now` where absent. */
  readonly now?: (() => number) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const sleep = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, signal === undefined ? {} : { signal });

/**
 * The tries of one piece of work: counts them, and waits between them with back-off. For work that `retry`
 * and `waitFor` do not fit, such as a download that goes on where it broke off.
 */
export class Tries {
  readonly #options: TryOptions;
  readonly #now: () => number;
  readonly #start: number;
  /** How many tries there were, the present one included. */
  #count = 1;

  constructor(options: TryOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#start = this.#now();
  }

  /** Whether the present try is the first one. */
  get isFirst(): boolean {
    return this.#count === 1;
  }

  /** Whether there are as many tries as there may be. */
  get isLast(): boolean {
    return this.#options.most !== undefined && this.#count >= this.#options.most;
  }

  /** Counts from the beginning: what was tried made progress. */
  restart(): void {
    this.#count = 1;
  }

  /**
   * Waits until it is time for another try, `atLeast` milliseconds. Resolves to false, without waiting, where
   * there is none. Rejects where the signal aborts.
   */
  async again(atLeast = 0): Promise<boolean> {
    const { pause, factor = 2, longest = Number.POSITIVE_INFINITY, patience, random } = this.#options;
    const left = patience === undefined ? Number.POSITIVE_INFINITY : this.#start + patience - this.#now();
    if (this.isLast || left <= 0) return false;
    const whole = Math.min(longest, pause * factor ** (this.#count - 1));
    const milliseconds = random === undefined ? whole : whole * (0.5 + random() / 2);
    await (this.#options.sleep ?? sleep)(
      Math.max(atLeast, Math.min(milliseconds, left)),
      this.#options.signal,
    );
    this.#count++;
    return true;
  }
}

/**
 * Does work again while it fails in a way that `isPassing` takes for one that may pass. Rejects with the last
 * failure.
 */
export async function retry<T>(
  work: () => Promise<T>,
  options: TryOptions & { readonly isPassing: (error: unknown) => boolean },
): Promise<T> {
  const tries = new Tries(options);
  for (;;) {
    try {
      return await work();
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!options.isPassing(error) || !(await tries.again())) throw error;
    }
  }
}

/**
 * Asks until there is an answer other than undefined. Resolves to undefined where there is none in the end.
 */
export async function waitFor<T>(
  ask: () => T | undefined | Promise<T | undefined>,
  options: TryOptions,
): Promise<T | undefined> {
  const tries = new Tries(options);
  for (;;) {
    options.signal?.throwIfAborted();
    const answer = await ask();
    if (answer !== undefined || !(await tries.again())) return answer;
  }
}
