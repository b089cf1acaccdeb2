import { Slots, type SlotWaiting } from '../async/index.ts';
import type { ResolvedPackage } from '../resolve/index.ts';
import { engineFault, type PackageFailure, Stopped } from './failure.ts';
import { failureOf } from './failure-of.ts';
import { Failures } from './failures.ts';
import { isolationNotice } from './isolation.ts';
import { Recovery } from './recovery.ts';
import type { ExecuteOptions } from './types.ts';

/** Maximum number of workspaces to open before there is a slot for them. */
const MOST_AHEAD = 1;

/** Decides what runs next, and what to retry after a failure of the engine. One for each build. */
export class WorkQueue {
  readonly #options: ExecuteOptions;
  readonly #failures: Failures;
  readonly #recovery: Recovery;
  readonly #slots: Slots;
  /** Limits how many packages are being written after their commands have run. */
  readonly finishing: Slots;
  /** Reports missing isolation once, before the first command runs. */
  readonly reportIsolation: () => Promise<void>;
  #working = 0;

  constructor(options: ExecuteOptions) {
    this.#options = options;
    this.#failures = new Failures(options);
    this.#recovery = new Recovery(options);
    const count = Math.max(1, options.concurrency);
    this.#slots = new Slots(count, Math.min(count, MOST_AHEAD));
    this.finishing = new Slots(count);
    this.reportIsolation = isolationNotice(options);
  }

  /** The packages that failed. */
  get failed(): ReadonlyMap<string, PackageFailure> {
    return this.#failures.failed;
  }

  /** Rejects all work that has not started. */
  close(reason: unknown): void {
    this.#slots.close(reason);
  }

  /** Reports a package's failure once, and rejects work that has not started if the build must stop. */
  report(error: unknown): unknown {
    if (this.#failures.report(error)) this.#slots.close(new Stopped(error.package));
    return error;
  }

  /**
   * Runs work for a package; its errors become failures of the package. Retries it after a failure of the
   * engine if that can help. `onLost` is called before a retry with the reference of an image that the engine
   * does not find.
   */
  async attempt<T>(
    pack: ResolvedPackage,
    work: () => Promise<T>,
    onLost: (reference: string) => Promise<void>,
  ): Promise<T> {
    const { signal } = this.#options;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        signal.throwIfAborted();
        const again = await this.#recovers(error, pack, onLost).catch(() => false);
        signal.throwIfAborted();
        if (!again) throw this.report(await failureOf(error, pack, this.#options));
      }
    }
  }

  async #recovers(
    error: unknown,
    pack: ResolvedPackage,
    onLost: (reference: string) => Promise<void>,
  ): Promise<boolean> {
    const fault = engineFault(error);
    if (fault === undefined) return false;
    if (fault.image !== undefined) await onLost(fault.image);
    return await this.#recovery.after(fault, pack.key, this.#working > 0);
  }

  /** Runs work for a package in a slot. A failure is reported before the slot is given to others. */
  inSlot<T>(pack: ResolvedPackage, waiting: SlotWaiting, work: () => Promise<T>): Promise<T> {
    if (this.#slots.full) this.#options.onEvent({ type: 'queued', package: pack.key });
    return this.#slots.run(async () => {
      this.#working++;
      try {
        return await work();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        // Failures that may be retried are reported later, if they remain.
        if (engineFault(error) !== undefined) throw error;
        throw this.report(await failureOf(error, pack, this.#options));
      } finally {
        this.#working--;
      }
    }, waiting);
  }
}
