import type { BuildEvent, EventSink } from '../events/index.ts';
import { PackageFailure } from './failure.ts';

/** The packages that failed: each is reported once. */
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

  /** Reports a package's failure, where it is one and was not reported yet; whether the build is to stop for it. */
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
    // A failure that is not the package's fault does not keep others from finishing, as long as there is an engine.
    return !(this.#keepGoing || (fault !== undefined && fault !== 'gone'));
  }
}
