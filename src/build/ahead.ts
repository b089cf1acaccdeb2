import type { Workspace } from '../engine/index.ts';

/** A workspace that may be opened before it is needed. */
export class Ahead {
  readonly #open: () => Promise<Workspace>;
  #begun: Promise<Workspace> | undefined;

  constructor(open: () => Promise<Workspace>) {
    this.#open = open;
  }

  /** Begins to open it. What stands in the way of that is told to who takes it. */
  begin(): void {
    this.#begun ??= this.#open();
    this.#begun.catch(() => {});
  }

  /** Gives the workspace away: the one that was begun, and to who asks again another. */
  take(): Promise<Workspace> {
    const begun = this.#begun ?? this.#open();
    this.#begun = undefined;
    return begun;
  }

  /** Closes what was begun and nobody took. Never rejects. */
  async discard(): Promise<void> {
    const begun = this.#begun;
    this.#begun = undefined;
    await begun?.then((workspace) => workspace.close()).catch(() => {});
  }
}
