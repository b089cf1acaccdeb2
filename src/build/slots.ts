/** Lets a bounded number of pieces of work run at once, in the order in which they asked. */
export class Slots {
  #free: number;
  readonly #waiting: { enter: () => void; refuse: (error: unknown) => void }[] = [];
  #refusal: { readonly error: unknown } | undefined;

  constructor(count: number) {
    this.#free = count;
  }

  /** Whether work that comes now has to wait. */
  get full(): boolean {
    return this.#free === 0;
  }

  /** Runs the work when a slot is free. Rejects where the doors were closed before that. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) throw this.#refusal.error;
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((enter, refuse) => this.#waiting.push({ enter, refuse }));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next.enter();
    }
  }

  /** Refuses everything that has not begun. What runs goes on. */
  close(error: unknown): void {
    this.#refusal ??= { error };
    for (const { refuse } of this.#waiting.splice(0)) refuse(this.#refusal.error);
  }
}
