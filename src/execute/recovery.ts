import { setTimeout as delay } from 'node:timers/promises';
import { Tries } from '../async/index.ts';
import type { Engine, EngineError, EngineFault } from '../engine/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';

/** Options of `Recovery`. */
export interface RecoveryOptions {
  readonly engine: Pick<Engine, 'report'>;
  /** Milliseconds to wait for an engine that is not available. Default: one minute. */
  readonly engineWait?: number | undefined;
  readonly onEvent: EventSink<BuildEvent>;
  readonly signal: AbortSignal;
  readonly clock: () => number;
}

/** Number of retries of a package's work for each kind of failure. */
const AGAIN: Readonly<Record<EngineFault, number>> = {
  gone: 3,
  'image-missing': 2,
  killed: 2,
  'out-of-memory': 1,
  // Retrying does not free any space.
  'no-space': 0,
  // Only for failures that may be temporary.
  other: 1,
};

/** Milliseconds before the first retry; each later pause is twice as long. */
const PAUSE: Readonly<Partial<Record<EngineFault, number>>> = {
  // An engine that is shutting down still answers for a moment.
  gone: 1000,
  killed: 500,
  'out-of-memory': 2000,
  other: 1000,
};

/** Milliseconds between two checks whether an engine is back: the first and the maximum pause. */
const ASK_FIRST = 250;
const ASK_LAST = 5000;

/** Milliseconds that an engine may take to answer before it counts as unavailable. */
const ANSWER = 5000;

/**
 * Decides which work to retry after a failure of the engine, and waits until it can be retried. One for each
 * build.
 */
export class Recovery {
  readonly #options: RecoveryOptions;
  /** Number of retries so far, by package and kind of failure. */
  readonly #count = new Map<string, number>();
  #waiting: Promise<boolean> | undefined;
  /** Whether waiting for the engine has timed out. */
  #lost = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /**
   * Resolves to whether to retry a package's work, when it is time to do so. `shared` says whether other
   * packages ran at the same time: if not, a retry after running out of memory is useless. Rejects if
   * aborted.
   */
  async after(fault: EngineError, pack: string, shared: boolean): Promise<boolean> {
    const { kind } = fault;
    const key = `${kind} ${pack}`;
    const count = (this.#count.get(key) ?? 0) + 1;
    if (count > AGAIN[kind]) return false;
    // Other packages do not use the memory of the package's own limit.
    if (kind === 'out-of-memory' && (!shared || fault.limit !== undefined)) return false;
    if (kind === 'other' && !fault.mayPass) return false;
    this.#count.set(key, count);
    if (kind === 'gone') {
      if (this.#lost) return false;
      this.#waiting ??= this.#untilBack(fault.message).finally(() => {
        this.#waiting = undefined;
      });
      if (!(await this.#waiting)) return false;
    }
    const { onEvent, signal } = this.#options;
    const milliseconds = (PAUSE[kind] ?? 0) * 2 ** (count - 1);
    onEvent({
      type: 'retrying',
      package: pack,
      fault: kind,
      message: fault.message,
      attempt: count + 1,
      attempts: AGAIN[kind] + 1,
      milliseconds,
    });
    if (milliseconds > 0) await delay(milliseconds, undefined, { signal });
    return true;
  }

  /** Waits for an engine that is not available, once for all packages. Resolves to whether it is back. */
  async #untilBack(message: string): Promise<boolean> {
    const { engineWait = 60_000, onEvent, signal, clock } = this.#options;
    const start = clock();
    const pauses = { pause: ASK_FIRST, longest: ASK_LAST, patience: engineWait };
    const tries = new Tries({ ...pauses, now: clock, signal });
    for (;;) {
      if (await this.#answers()) {
        // If only a connection broke, there was no waiting time to report.
        if (!tries.isFirst) onEvent({ type: 'engine-back', milliseconds: clock() - start });
        return true;
      }
      signal.throwIfAborted();
      if (tries.isFirst) onEvent({ type: 'engine-gone', message, milliseconds: engineWait });
      if (await tries.again()) continue;
      this.#lost = true;
      return false;
    }
  }

  async #answers(): Promise<boolean> {
    const late = new AbortController();
    try {
      return await Promise.race([
        this.#options.engine.report().then(
          () => true,
          () => false,
        ),
        delay(ANSWER, false, { signal: AbortSignal.any([late.signal, this.#options.signal]) }),
      ]);
    } finally {
      late.abort();
    }
  }
}
