import type { Connection } from '../connection/connection.ts';
import { type Images, RUN_LABEL } from './images.ts';

/**
 * Images that lost their names. Runs that make the same image at the same time give it the same name, its
 * key, and the last one keeps it. The images of the others are removed when nothing uses them any more.
 */
export class NamelessImages {
  readonly #images: Images;
  readonly #connection: Connection;
  readonly #runId: string;
  /** Images that this run made, or whose names it took. */
  readonly #own = new Set<string>();
  /** Images that containers of this run were created from. */
  readonly #used = new Set<string>();

  constructor(images: Images, connection: Connection, runId: string) {
    this.#images = images;
    this.#connection = connection;
    this.#runId = runId;
  }

  /** Remembers an image, by its id, that this run made or whose name it took. */
  own(id: string): void {
    this.#own.add(digestOf(id));
  }

  /**
   * Remembers an image, by its id, that a container of this run was created from. That may have kept others
   * from removing it.
   */
  used(id: string): void {
    this.#used.add(digestOf(id));
  }

  /**
   * Removes those of this run; and those of all runs, if no other run goes on. Must be called when this run
   * has no containers any more: of runs that end at the same time, the last one can remove all of them.
   */
  async removeOwn(): Promise<void> {
    if (this.#own.size === 0 && this.#used.size === 0) return;
    // An image can be removed when those built on it are gone.
    for (let removed = true; removed; ) {
      removed = false;
      const nameless = await this.#images.nameless();
      if (nameless.length === 0) return;
      // Listed after the images: a run that is about to name one of them still has its container.
      const isAlone = !(await this.#othersRun());
      for (const { Id, Labels } of nameless) {
        const id = digestOf(Id);
        const isOurs = Labels?.[RUN_LABEL] !== undefined;
        if (this.#own.has(id) || (isOurs && (isAlone || this.#used.has(id))))
          removed = (await this.#images.drop(Id)) || removed;
      }
    }
  }

  async #othersRun(): Promise<boolean> {
    const containers = await this.#connection.json<{ Labels: Readonly<Record<string, string>> }[]>(
      'GET',
      '/containers/json',
      { query: { filters: JSON.stringify({ label: [RUN_LABEL] }) } },
    );
    return containers.some(({ Labels }) => Labels[RUN_LABEL] !== this.#runId);
  }
}

/** Podman leaves out the algorithm in some answers. */
function digestOf(id: string): string {
  return id.replace(/^sha256:/, '');
}
