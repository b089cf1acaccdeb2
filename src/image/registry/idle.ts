/** Milliseconds without any data after which a connection counts as broken. */
export const IDLE = 60_000;

/** Thrown if a connection had no traffic for too long. */
export class IdleError extends Error {
  override readonly name = 'IdleError';
}

/**
 * Watches one request: if this end waits for the other one for too long without receiving data, its signal
 * aborts with an `IdleError`. Time that this end needs is not counted.
 */
export class IdleWatch {
  /** Aborts if the request must stop, for any reason. */
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #isWaiting = false;

  /** `limit` is in milliseconds; `outer` is the caller's own signal. */
  constructor(limit: number, outer: AbortSignal | undefined) {
    const over = new AbortController();
    this.signal = outer === undefined ? over.signal : AbortSignal.any([outer, over.signal]);
    const text = `no data for ${limit / 1000} s`;
    this.#timer = setTimeout(() => {
      if (this.#isWaiting) over.abort(new IdleError(text));
    }, limit);
    this.#timer.unref();
  }

  /** Call this when the request starts waiting for the other end. */
  wait(): void {
    this.#isWaiting = true;
    this.#timer.refresh();
  }

  /** Call this when the other end has responded. */
  rest(): void {
    this.#isWaiting = false;
  }

  /** Call this when the request is finished. */
  end(): void {
    this.#isWaiting = false;
    clearTimeout(this.#timer);
  }

  /** Passes a stream through, and watches the waiting time for each chunk. */
  async *watched(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const chunks = stream[Symbol.asyncIterator]();
    try {
      for (;;) {
        this.wait();
        const { done, value } = await chunks.next();
        this.rest();
        if (done) return;
        yield value;
      }
    } finally {
      this.end();
      await chunks.return?.();
    }
  }
}
