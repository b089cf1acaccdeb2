import { EngineError } from '../errors.ts';
import type { Images } from './images.ts';

/** Docker's limit is about 125; each workspace adds two, and a chain goes on above what it was flattened to. */
const MOST_LAYERS = 100;

/** What copies of one layer are made with. */
export interface FlatOptions {
  readonly images: Images;
  readonly runId: string;
  /** Whether the copies stay when the run ends. */
  readonly keepImages: boolean;
  /** Reads all files of an image, in a container that is there as long as `use` works. */
  readonly exported: (
    image: string,
    use: (root: AsyncIterable<Uint8Array>) => Promise<unknown>,
  ) => Promise<void>;
  readonly importImage: (
    reference: string,
    root: AsyncIterable<Uint8Array>,
    temporary: boolean,
  ) => Promise<unknown>;
}

/** Which images can be started as they are, and copies of one layer of those that cannot. */
export class FlatImages {
  readonly #options: FlatOptions;
  readonly #flat = new Map<string, Promise<string>>();
  /** How many layers images have that can be started as they are. */
  readonly #layers = new Map<string, number>();

  constructor(options: FlatOptions) {
    this.#options = options;
  }

  /** An image has been made of a container of another: it has one layer more. */
  grew(image: string, made: string): void {
    const below = this.#layers.get(image);
    if (below !== undefined) this.#layers.set(made, below + 1);
  }

  /** What was known of an image may be so no more. */
  forget(reference: string): void {
    this.#layers.delete(reference);
  }

  /**
   * The image to start: itself, or a copy of one layer where its volumes would swallow what commands write, or its layers are
   * too many. Rejects with an `EngineError` where the engine has none.
   */
  async startable(reference: string): Promise<string> {
    // Made by this run of one that could be started: it has no volumes, and one layer more.
    if ((this.#layers.get(reference) ?? Number.POSITIVE_INFINITY) <= MOST_LAYERS) return reference;
    const image = await this.#options.images.present(reference);
    if (image === undefined)
      throw new EngineError(`the engine has no image ${reference}`, {
        kind: 'image-missing',
        image: reference,
      });
    const layers = image.RootFS?.Layers ?? [];
    const volumes = Object.keys(image.Config?.Volumes ?? {});
    if (volumes.length === 0 && layers.length <= MOST_LAYERS) {
      this.#layers.set(reference, layers.length);
      return reference;
    }
    const key = image.Id;
    const known = this.#flat.get(key);
    if (known !== undefined && (await this.#options.images.inspect(await known)) !== undefined) return known;
    const flattened = this.#flatten(reference, key);
    this.#flat.set(key, flattened);
    flattened.catch(() => this.#flat.delete(key));
    return flattened;
  }

  async #flatten(reference: string, id: string): Promise<string> {
    const { images, runId, keepImages, exported, importImage } = this.#options;
    const kept = `luet/flat:${id.replace(/^sha256:/, '')}`;
    if ((await images.inspect(kept)) !== undefined) return kept;
    const flat = keepImages ? kept : `luet/flat:tmp-${runId}-${id.replace(/^sha256:/, '').slice(0, 16)}`;
    await exported(reference, (root) => importImage(flat, root, !keepImages));
    return flat;
  }
}
