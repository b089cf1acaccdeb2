import type { BuildEvent, EventSink } from '../events/index.ts';
import { PackageFailure } from './failure.ts';

/** The packages that failed. Each is reported only once. */
export class Failures {
  readonly #onEvent: EventSink<BuildEvent>;
  readonly #keepGoing: boolean;
  readonly #failed = new Map<string, PackageFailure>();

  constructor({ onEvent, keepGoing }: { onEvent: EventSink<BuildEvent>; keepGoing: boolean }) {
    this.#onEvent = onEvent;
    this.#keepGoing = keepGoing;
  }

  /** By package (`category/name-version`). */
  get failed(): ReadonlyMap<string, PackageFailure> {
    return this.#failed;
  }

  /** Reports a package's failure, unless it was reported before. Returns whether the build must stop. */
  report(error: unknown): error is PackageFailure {
    if (!(error instanceof PackageFailure) || this.#failed.has(error.package)) return false;
    this.#failed.set(error.package, error);
    const { package: name, diagnostics, fault } = error;
    this.#onEvent({
      type: 'failed',
      package: name,
      diagnostics,
      ...(fault === undefined ? {} : { fault }),
    });
    // A failure that the package did not cause does not stop other packages, as long as the engine is
    // available.
    return !(this.#keepGoing || (fault !== undefined && fault !== 'gone'));
  }
}
