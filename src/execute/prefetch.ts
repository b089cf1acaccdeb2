import type { Workspace } from '../engine/index.ts';

/** A workspace that may be opened before it is needed. */
export class PrefetchedWorkspace {
  readonly #open: () => Promise<Workspace>;
  #started: Promise<Workspace> | undefined;

  constructor(open: () => Promise<Workspace>) {
    this.#open = open;
  }

  /** Starts to open it. A failure is reported to the caller of `take`. */
  start(): void {
    this.#started ??= this.#open();
    // Without this, a failure that nobody takes would end the process as an unhandled rejection.
    this.#started.catch(() => {});
  }

  /** Gives the workspace away: the one that was started first, and to later callers a new one. */
  take(): Promise<Workspace> {
    const started = this.#started ?? this.#open();
    this.#started = undefined;
    return started;
  }

  /** Closes what was started and nobody took. Never rejects. */
  async discard(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await started?.then((workspace) => workspace.close()).catch(() => {});
  }
}
