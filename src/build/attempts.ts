import type { TreePackage } from '../tree/index.ts';
import { engineFault, failureOf, PackageFailure, Stopped } from './failure.ts';
import type { ImagesInUse } from './lost.ts';
import { Recovery } from './retry.ts';
import type { Slots, Waiting } from './slots.ts';
import type { BuildOptions } from './types.ts';

/** Does the work of packages, again where that can help, and tells of those that fail. One for a build. */
export class Attempts {
  readonly #options: BuildOptions;
  readonly #slots: Slots;
  readonly #inUse: ImagesInUse;
  readonly #recovery: Recovery;
  readonly #failed = new Map<string, PackageFailure>();
  /** How many slots are taken. */
  #working = 0;

  constructor(options: BuildOptions, slots: Slots, inUse: ImagesInUse) {
    this.#options = options;
    this.#slots = slots;
    this.#inUse = inUse;
    this.#recovery = new Recovery(options);
  }

  /** The failures that were told of, by package (`category/name-version`). */
  get failed(): ReadonlyMap<string, PackageFailure> {
    return this.#failed;
  }

  /** Tells of a failure once, and stops what has not begun where that is wanted. */
  note(error: unknown): unknown {
    if (error instanceof PackageFailure && !this.#failed.has(error.package)) {
      this.#failed.set(error.package, error);
      const { package: name, diagnostics, fault } = error;
      const because = fault === undefined ? {} : { fault };
      this.#options.onEvent({ type: 'failed', package: name, diagnostics, ...because });
      // What is no package's fault does not keep others from being finished, as long as there is an engine.
      const goesOn = this.#options.keepGoing || (fault !== undefined && fault !== 'gone');
      if (!goesOn) this.#slots.close(new Stopped(name));
    }
    return error;
  }

  /** Work for a package, whose failures are the package's; done again where the engine failed it and that can help. */
  async for<T>(pack: TreePackage, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const { signal } = this.#options;
        signal.throwIfAborted();
        const again = await this.#recovers(error, pack).catch(() => false);
        signal.throwIfAborted();
        if (!again) throw this.note(await failureOf(error, pack, this.#options));
      }
    }
  }

  async #recovers(error: unknown, pack: TreePackage): Promise<boolean> {
    const fault = engineFault(error);
    if (fault === undefined) return false;
    if (fault.image !== undefined) await this.#inUse.missed(fault.image);
    return await this.#recovery.after(fault, pack.key, this.#working > 0);
  }

  /** Work for a package when a slot is free; a failure is known before the slot is given to others. */
  inSlot<T>(pack: TreePackage, waiting: Waiting, work: () => Promise<T>): Promise<T> {
    if (this.#slots.full) this.#options.onEvent({ type: 'queued', package: pack.key });
    return this.#slots.run(async () => {
      this.#working++;
      try {
        return await work();
      } catch (error) {
        this.#options.signal.throwIfAborted();
        // What may be done again is told of when it is not.
        if (engineFault(error) !== undefined) throw error;
        throw this.note(await failureOf(error, pack, this.#options));
      } finally {
        this.#working--;
      }
    }, waiting);
  }
}
