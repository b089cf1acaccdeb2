/**
 * Runs work once for each key, and shares its result with everybody who asks for that key. A failure that is
 * worth another try is forgotten, so that the next caller runs the work again; other failures are kept.
 */
export class PromiseCache<K, V> {
  readonly #entries = new Map<K, Promise<V>>();
  readonly #isWorthRetry: (error: unknown) => boolean;

  /**
   * `isWorthRetry` says of a failure whether the next caller should run the work again; by default none is.
   */
  constructor(isWorthRetry: (error: unknown) => boolean = () => false) {
    this.#isWorthRetry = isWorthRetry;
  }

  /** The result for a key. `work` is called at most once while its result is kept. */
  get(key: K, work: () => Promise<V>): Promise<V> {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = work();
    this.#entries.set(key, entry);
    entry.catch((error: unknown) => {
      // Another call may have replaced it since.
      if (this.#isWorthRetry(error) && this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry;
  }

  /** The result for a key, where somebody asked for it already. */
  peek(key: K): Promise<V> | undefined {
    return this.#entries.get(key);
  }

  /** Whether somebody asked for a key already. */
  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Lets the next caller run the work for a key again. */
  forget(key: K): void {
    this.#entries.delete(key);
  }

  /** Lets the next callers run all work again. */
  clear(): void {
    this.#entries.clear();
  }
}
