/** Milliseconds without a byte after which a connection counts as broken. */
export const IDLE = 60_000;

/** That a connection was silent for too long. */
export class IdleError extends Error {
  override readonly name = 'IdleError';
}

/**
 * Watches one request: where it is waited for the other end, and nothing comes of that for too long, its signal aborts with an
 * `IdleError`. What this end takes its time for does not count.
 */
export class Watch {
  /** Aborts where the request is to be given up, for whatever reason. */
  readonly signal: AbortSignal;
  readonly #timer: NodeJS.Timeout;
  #isWaiting = false;

  /** `limit` in milliseconds; `outer` ends the request for other reasons. */
  constructor(limit: number, outer: AbortSignal | undefined) {
    const over = new AbortController();
    this.signal = outer === undefined ? over.signal : AbortSignal.any([outer, over.signal]);
    const text = `nothing came of it for ${limit / 1000} s`;
    this.#timer = setTimeout(() => {
      if (this.#isWaiting) over.abort(new IdleError(text));
    }, limit);
    this.#timer.unref();
  }

  /** From now on it is waited for the other end. */
  wait(): void {
    this.#isWaiting = true;
    this.#timer.refresh();
  }

  /** The other end has done its part. */
  rest(): void {
    this.#isWaiting = false;
  }

  /** The request is over. */
  end(): void {
    this.#isWaiting = false;
    clearTimeout(this.#timer);
  }

  /** The chunks of a stream, each of which is waited for. */
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
