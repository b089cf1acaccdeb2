/** How a piece of work waits for a slot. */
export interface SlotWaiting {
  /**
   * Whose is greater is let in before; those of the same in the order in which they asked. 0 where absent.
   */
  readonly priority?: number;
  /**
   * Called when the work has to wait and would be let in soon, at most once and never after it was let in or
   * refused. What this does is for the work to use, and for the caller to take back where the work is
   * refused.
   */
  readonly prepare?: () => void;
}

interface Waiter extends SlotWaiting {
  readonly enter: () => void;
  readonly refuse: (error: unknown) => void;
  prepared: boolean;
}

/**
 * Lets a bounded number of pieces of work run at once, by priority, and a bounded number prepare themselves
 * meanwhile.
 */
export class Slots {
  #free: number;
  readonly #ahead: number;
  /** The first is let in next. */
  readonly #waiting: Waiter[] = [];
  #refusal: { readonly error: unknown } | undefined;

  /** `ahead` is how many of those that wait may have prepared themselves. */
  constructor(count: number, ahead = 0) {
    this.#free = count;
    this.#ahead = ahead;
  }

  /** Whether work that comes now has to wait. */
  get full(): boolean {
    return this.#free === 0;
  }

  /** Runs the work when a slot is free. Rejects where the doors were closed before that. */
  async run<T>(work: () => Promise<T>, waiting: SlotWaiting = {}): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal.error;
    if (this.#free > 0) this.#free--;
    else
      await new Promise<void>((enter, refuse) =>
        this.#enqueue({ ...waiting, enter, refuse, prepared: false }),
      );
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next.enter();
      this.#prepareSome();
    }
  }

  #enqueue(waiter: Waiter): void {
    const { priority = 0 } = waiter;
    const at = this.#waiting.findIndex((other) => (other.priority ?? 0) < priority);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiter);
    this.#prepareSome();
  }

  /**
   * Those that others have overtaken since they prepared themselves count as well: what they hold is held.
   */
  #prepareSome(): void {
    let left = this.#ahead - this.#waiting.filter(({ prepared }) => prepared).length;
    for (const waiter of this.#waiting) {
      if (left <= 0) return;
      if (waiter.prepare === undefined || waiter.prepared) continue;
      waiter.prepared = true;
      left--;
      waiter.prepare();
    }
  }

  /** Refuses everything that has not begun. What runs goes on. */
  close(error: unknown): void {
    this.#refusal ??= { error };
    for (const { refuse } of this.#waiting.splice(0)) refuse(this.#refusal.error);
  }
}
