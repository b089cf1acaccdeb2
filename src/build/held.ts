import type { Engine, ListedImage } from '../engine/index.ts';
import type { BuildOptions } from './types.ts';

/** The images of packages that the engine holds: asked for once, and not at all where nobody wants to know. */
export class HeldImages {
  readonly #engine: Pick<Engine, 'list'>;
  readonly #repository: string;
  #listing: Promise<Map<string, ListedImage>> | undefined;

  constructor(engine: Pick<Engine, 'list'>, repository: string) {
    this.#engine = engine;
    this.#repository = repository;
  }

  /** The images under the repository, by their keys. */
  all(): Promise<ReadonlyMap<string, ListedImage>> {
    this.#listing ??= this.#engine.list(this.#repository).then(
      (held) => new Map(held),
      (error: unknown) => {
        this.#listing = undefined;
        throw error;
      },
    );
    return this.#listing;
  }

  /** An image is not there any more. */
  forget(reference: string): void {
    if (!reference.startsWith(`${this.#repository}:`)) return;
    this.#listing?.then(
      (held) => held.delete(reference.slice(this.#repository.length + 1)),
      () => {},
    );
  }
}

/** Under what name an image of this build is made: by its key where it is kept, by this run's where not. */
export function referenceOf(
  key: string,
  { imageRepository, keepImages, runId }: Pick<BuildOptions, 'imageRepository' | 'keepImages' | 'runId'>,
): string {
  return `${imageRepository}:${keepImages ? key : `tmp-${runId}-${key.slice(0, 16)}`}`;
}
