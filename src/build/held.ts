import type { Engine, ListedImage } from '../engine/index.ts';
import type { BuildOptions } from './types.ts';

/**
 * Packages up to which each image is asked for by its name. An engine answers that in 1 to 10 ms, and Docker 29 takes 5 ms for every image that it
 * holds to list any of them.
 */
const FEW = 64;

/** The images of packages that the engine holds: asked for once, and not at all where nobody wants to know. */
export class HeldImages {
  readonly #engine: Pick<Engine, 'list'>;
  readonly #repository: string;
  readonly #isFew: boolean;
  #listing: Promise<ReadonlyMap<string, ListedImage>> | undefined;
  readonly #known = new Map<string, Promise<ListedImage | undefined>>();

  /** `count` is for how many images it may be asked. */
  constructor(engine: Pick<Engine, 'list'>, repository: string, count: number) {
    this.#engine = engine;
    this.#repository = repository;
    this.#isFew = count <= FEW;
  }

  /** The image of a key under the repository, as it was when that was asked first; undefined where there is none. */
  get(key: string): Promise<ListedImage | undefined> {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = this.#isFew ? this.#one(key) : this.#all().then((all) => all.get(key));
    this.#known.set(key, found);
    // What the engine failed may go well the next time.
    found.catch(() => this.#known.delete(key));
    return found;
  }

  async #one(key: string): Promise<ListedImage | undefined> {
    return (await this.#engine.list(this.#repository, key)).get(key);
  }

  #all(): Promise<ReadonlyMap<string, ListedImage>> {
    this.#listing ??= this.#engine.list(this.#repository).catch((error: unknown) => {
      this.#listing = undefined;
      throw error;
    });
    return this.#listing;
  }

  /** An image is not there any more. */
  forget(reference: string): void {
    if (!reference.startsWith(`${this.#repository}:`)) return;
    this.#known.set(reference.slice(this.#repository.length + 1), Promise.resolve(undefined));
  }
}

/** Under what name an image of this build is made: by its key where it is kept, by this run's where not. */
export function referenceOf(
  key: string,
  { imageRepository, keepImages, runId }: Pick<BuildOptions, 'imageRepository' | 'keepImages' | 'runId'>,
): string {
  return `${imageRepository}:${keepImages ? key : `tmp-${runId}-${key.slice(0, 16)}`}`;
}
