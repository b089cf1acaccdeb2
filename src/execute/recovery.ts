import { setTimeout as delay } from 'node:timers/promises';
import { Tries } from '../async/index.ts';
import type { Engine, EngineError, EngineFault } from '../engine/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';

/** What doing work again needs. */
export interface RecoveryOptions {
  readonly engine: Pick<Engine, 'report'>;
  /** How long an engine that is gone is waited for, in milliseconds; a minute where absent. */
  readonly engineWait?: number | undefined;
  readonly onEvent: EventSink<BuildEvent>;
  readonly signal: AbortSignal;
  readonly clock: () => number;
}

/** How often a package's work is done again after each kind of failure. */
const AGAIN: Readonly<Record<EngineFault, number>> = {
  gone: 3,
  'image-missing': 2,
  killed: 2,
  'out-of-memory': 1,
  // Nobody has made room meanwhile.
  'no-space': 0,
  // Only what may pass.
  other: 1,
};

/** The first pause before work is done again, in milliseconds; each later one is twice as long. */
const PAUSE: Readonly<Partial<Record<EngineFault, number>>> = {
  // An engine that is about to end answers for a moment still.
  gone: 1000,
  killed: 500,
  'out-of-memory': 2000,
  other: 1000,
};

/** Between two questions whether an engine is back, in milliseconds: at first, and at most. */
const ASK_FIRST = 250;
const ASK_LAST = 5000;

/** How long an engine may take to answer, in milliseconds, before it counts as gone still. */
const ANSWER = 5000;

/** Decides which work is done again after its engine failed, and waits until it can be. One for a build. */
export class Recovery {
  readonly #options: RecoveryOptions;
  /** How often that was done already, by package and kind. */
  readonly #count = new Map<string, number>();
  #waiting: Promise<boolean> | undefined;
  /** The engine was waited for in vain. */
  #lost = false;

  constructor(options: RecoveryOptions) {
    this.#options = options;
  }

  /**
   * Resolves to whether a package's work is to be done again, when it is time for that. `shared` is whether other packages
   * ran beside it: memory that a package alone does not get it does not get the next time. Rejects on an abort.
   */
  async after(fault: EngineError, pack: string, shared: boolean): Promise<boolean> {
    const { kind } = fault;
    const key = `${kind} ${pack}`;
    const count = (this.#count.get(key) ?? 0) + 1;
    if (count > AGAIN[kind]) return false;
    // What is beside it takes nothing from a limit of its own.
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

  /** Waits for an engine that is gone, for all packages at once; resolves to whether it is back. */
  async #untilBack(message: string): Promise<boolean> {
    const { engineWait = 60_000, onEvent, signal, clock } = this.#options;
    const start = clock();
    const pauses = { pause: ASK_FIRST, longest: ASK_LAST, patience: engineWait };
    const tries = new Tries({ ...pauses, now: clock, signal });
    for (;;) {
      if (await this.#answers()) {
        // Where only a connection broke, there was nothing to wait for.
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
