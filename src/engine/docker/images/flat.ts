import { EngineError } from '../../errors.ts';
import type { Images } from './images.ts';

/**
 * Docker's limit is about 125 layers. Each workspace adds two, and a chain goes on above its flattened copy.
 */
const MOST_LAYERS = 100;

/** What making copies of one layer needs. */
export interface FlatOptions {
  readonly images: Images;
  readonly runId: string;
  /** Whether the copies stay when the run ends. */
  readonly keepImages: boolean;
  /** Reads all files of an image, in a container that exists while `use` works. */
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

/** Decides which images can be started as they are, and makes copies of one layer of the others. */
export class FlatImages {
  readonly #options: FlatOptions;
  readonly #flat = new Map<string, Promise<string>>();
  /** The number of layers of images that can be started as they are. */
  readonly #layers = new Map<string, number>();

  constructor(options: FlatOptions) {
    this.#options = options;
  }

  /** Remembers that an image was made of a container of another: it has one layer more. */
  grew(image: string, made: string): void {
    const below = this.#layers.get(image);
    if (below !== undefined) this.#layers.set(made, below + 1);
  }

  /** Forgets an image, which may be another one now. */
  forget(reference: string): void {
    this.#layers.delete(reference);
  }

  /**
   * The image to start: the image itself, or a copy of one layer where it has too many layers, or volumes, in
   * which what commands write would be lost. Rejects with an `EngineError` where the engine has no such
   * image.
   */
  async startable(reference: string): Promise<string> {
    // This run made it from an image that could be started: it has no volumes, and one layer more.
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
