import { PromiseCache, Slots } from '../../async/index.ts';
import type { Engine } from '../../engine/index.ts';
import {
  assembleImage,
  type Descriptor,
  digestOf,
  type Image,
  ImageError,
  type Registry,
} from '../../image/index.ts';
import type { OfferedImage } from '../types.ts';
import { inputsArtifact, inputsTag } from './inputs.ts';
import { PushedLayers } from './layers.ts';
import type { TagLookup } from './lookup.ts';

/** Images that are pushed at once. */
const AT_ONCE = 4;

/** What pushing takes. */
export interface PushOptions {
  readonly engine: Pick<Engine, 'read'>;
  readonly registry: Pick<Registry, 'image' | 'write' | 'writeArtifact'>;
  readonly lookup: TagLookup;
  /** The names of base images in registries: their layers are pushed as they lie there. */
  readonly bases: readonly string[];
  /** An existing folder for files that live as long as the run. */
  readonly temporary: string;
  readonly signal: AbortSignal;
}

/** Pushes images of packages, each with the small manifest that says what its key was made of. */
export class Pusher {
  readonly #options: PushOptions;
  readonly #layers: PushedLayers;
  readonly #slots = new Slots(AT_ONCE);
  readonly #pushes = new PromiseCache<string, void>(() => true);
  readonly #learned = new PromiseCache<string, void>(() => true);

  constructor(options: PushOptions) {
    this.#options = options;
    this.#layers = new PushedLayers(options.temporary, options.signal);
  }

  /**
   * Pushes an image of the engine, once for each key, unless another machine has pushed one of that key before. Rejects where it
   * does not arrive. `mayReplace` is whether what stands under its name now is replaced.
   */
  push(offered: OfferedImage, mayReplace = false): Promise<void> {
    return this.#pushes.get(offered.key, async () => {
      const { parent } = offered.inputs ?? {};
      // What the parent's image is pushed with need not be pushed again.
      await (parent === undefined ? undefined : this.#pushes.peek(parent)?.catch(() => {}));
      const waits = this.#slots.full;
      await this.#slots.run(() => this.#push(offered, !mayReplace && waits));
    });
  }

  async #push(offered: OfferedImage, isLate: boolean): Promise<void> {
    const { engine, registry, lookup, signal } = this.#options;
    const { key, reference } = offered;
    const opened = await engine.read([reference], { signal });
    try {
      const image = await opened.image(reference);
      if (image === undefined) throw new ImageError(`the engine lost ${reference} before it was pushed`);
      await this.#learn(image, offered.inputs?.parent);
      const layers = [];
      for (const layer of await image.layers()) layers.push(await this.#layers.formOf(layer));
      // Another machine may have been faster meanwhile, and the first one counts.
      if (isLate && (await lookup.headNow(key)) !== undefined) return;
      const raw = await image.rawConfiguration();
      const written = await registry.write(`${lookup.repository}:${key}`, assembleImage(raw, layers), {
        signal,
        blob: (digest) => this.#layers.blob(digest) ?? (digest === digestOf(raw) ? 'new' : undefined),
      });
      await this.#layers.pushed(layers);
      await this.#pushInputs(offered, written);
    } finally {
      await opened.close();
    }
  }

  /** Pushes the small manifest that says what the key of a pushed image was made of. */
  async #pushInputs({ key, package: pack, inputs }: OfferedImage, written: Descriptor): Promise<void> {
    if (inputs === undefined) return;
    const { registry, lookup, signal } = this.#options;
    const artifact = inputsArtifact(pack, key, inputs, written);
    await registry.writeArtifact(`${lookup.repository}:${inputsTag(inputs)}`, artifact, {
      signal,
      isFirst: true,
    });
  }

  /** Finds out in which form registries have the layers of an image, as far as they are not known: of its parent, and of bases. */
  async #learn(image: Image, parent: string | undefined): Promise<void> {
    const { rootfs } = await image.configuration();
    // The highest layer is the image's own.
    const below = rootfs.diff_ids.slice(0, -1);
    const isKnown = (): boolean => below.every((diffId) => this.#layers.knows(diffId));
    const { lookup, bases } = this.#options;
    if (isKnown()) return;
    if (parent !== undefined) await this.#learnFrom(`${lookup.repository}:${parent}`, true);
    for (const base of bases) {
      if (isKnown()) return;
      await this.#learnFrom(base, false);
    }
  }

  async #learnFrom(name: string, isThere: boolean): Promise<void> {
    const { registry, signal } = this.#options;
    // Where its registry does not answer, layers are compressed here instead.
    await this.#learned.get(name, async () => {
      const found = await registry.image(name, { signal }).catch(() => undefined);
      if (found !== undefined) await this.#layers.learn(found, isThere);
    });
  }
}
