import { PromiseCache, Slots } from '../../async/index.ts';
import type { Engine } from '../../engine/index.ts';
import { type Image, ImageError, type Platform, type Registry } from '../../image/index.ts';
import { KEY_SCHEME, type KeyInputs, nodeKey } from '../../resolve/index.ts';
import { decodeInputs, decodeRecord, type ImageRecord, labels } from '../record.ts';

/** An image under the name of a key that it was not made for: a tag may be moved, or be set by mistake. */
export class WrongKeyError extends ImageError {}

/** Images that are fetched at once. */
const AT_ONCE = 4;

/** What fetching takes. */
export interface FetchOptions {
  readonly engine: Pick<Engine, 'write'>;
  readonly registry: Pick<Registry, 'image'>;
  readonly platform?: Platform | undefined;
  readonly signal: AbortSignal;
}

/** Reads images of packages from a registry and brings them into the engine. */
export class Fetcher {
  readonly #options: FetchOptions;
  readonly #slots = new Slots(AT_ONCE);
  readonly #images = new PromiseCache<string, Image>(() => true);

  constructor(options: FetchOptions) {
    this.#options = options;
  }

  /** The image of a key under a name. Rejects with an `ImageError` where it is not there, or is that of another key. */
  image(name: string, key: string): Promise<Image> {
    return this.#images.get(name, async () => {
      const { registry, platform, signal } = this.#options;
      const image = await registry.image(name, platform === undefined ? { signal } : { platform, signal });
      if (image === undefined) throw new ImageError(`image ${name} is not in its registry any more`);
      await checkKey(image, name, key);
      return image;
    });
  }

  /** What the image of a key says of its steps. */
  async record(name: string, key: string): Promise<ImageRecord | undefined> {
    const { config } = await (await this.image(name, key)).configuration();
    return decodeRecord(config?.Labels?.[labels.record]);
  }

  /** Brings the image of a key into the engine, under a name there. */
  async fetch(name: string, key: string, reference: string): Promise<void> {
    const { engine, signal } = this.#options;
    const image = await this.image(name, key);
    await this.#slots.run(() => engine.write([{ name: reference, image }], { signal }));
  }
}

/** Rejects with a `WrongKeyError` where an image does not say that it is that of a key. */
async function checkKey(image: Image, name: string, key: string): Promise<void> {
  const { config } = await image.configuration();
  const found = config?.Labels?.[labels.key];
  if (found === undefined)
    throw new WrongKeyError(`image ${name} does not say which key it was made for, and is not used`);
  if (found !== key)
    throw new WrongKeyError(`image ${name} was made for the key ${found.slice(0, 64)}, and is not used`);
  const inputs = decodeInputs(config?.Labels?.[labels.inputs]);
  if (inputs === undefined || inputs.scheme !== KEY_SCHEME || inputs.context === null) return;
  if (nodeKey(inputs as KeyInputs) !== key)
    throw new WrongKeyError(`image ${name} has a key that was not made of its inputs, and is not used`);
}
