import type { Workspace } from '../engine/index.ts';

/** A workspace that can be opened before it is needed. */
export class PrefetchedWorkspace {
  readonly #open: () => Promise<Workspace>;
  #started: Promise<Workspace> | undefined;

  constructor(open: () => Promise<Workspace>) {
    this.#open = open;
  }

  /** Starts opening it. An error is reported to the caller of `take`. */
  start(): void {
    this.#started ??= this.#open();
    // Prevents an unhandled rejection if nobody takes the workspace.
    this.#started.catch(() => {});
  }

  /** Returns the workspace that was started, or opens a new one for later callers. */
  take(): Promise<Workspace> {
    const started = this.#started ?? this.#open();
    this.#started = undefined;
    return started;
  }

  /** Closes a workspace that was started but not taken. Never rejects. */
  async discard(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    await started?.then((workspace) => workspace.close()).catch(() => {});
  }
}
