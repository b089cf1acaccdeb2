import { EngineError } from '../engine/index.ts';

/** What is worked out once, under names. */
export class Memory {
  readonly #known = new Map<string, Promise<unknown>>();

  /** What `work` gave under a name, now or earlier. The same name must always be for work of the same kind. */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const fresh = work();
    this.#known.set(key, fresh);
    // What only the engine failed may go well the next time.
    fresh.catch((error: unknown) => {
      if (error instanceof EngineError && this.#known.get(key) === fresh) this.#known.delete(key);
    });
    return fresh;
  }

  /** The next time the work is done again. */
  forget(key: string): void {
    this.#known.delete(key);
  }
}
