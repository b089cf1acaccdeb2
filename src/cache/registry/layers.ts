import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PromiseCache } from '../../async/index.ts';
import { compressLayer, type Digest, type Image, type Layer } from '../../image/index.ts';

/**
 * The layers that images are pushed with, in the form in which the registry has them. Each layer is compressed once for all
 * images of a build, and not at all where a registry has it already: the layers of base images and of images that others pushed.
 */
export class PushedLayers {
  readonly #temporary: string;
  readonly #signal: AbortSignal;
  readonly #forms = new PromiseCache<Digest, Layer>(() => true);
  /** Compressed here, and not pushed yet. */
  readonly #fresh = new Set<Digest>();
  /** Known to be in the repository. */
  readonly #there = new Set<Digest>();

  /** `temporary` is an existing folder for compressed layers; each is removed when it has been pushed. */
  constructor(temporary: string, signal: AbortSignal) {
    this.#temporary = temporary;
    this.#signal = signal;
  }

  /** Takes the layers of an image as a registry has them; `isThere` is whether that is the repository that is pushed to. */
  async learn(image: Image, isThere: boolean): Promise<void> {
    const { rootfs } = await image.configuration();
    for (const [at, layer] of (await image.layers()).entries()) {
      const diffId = rootfs.diff_ids[at];
      if (diffId === undefined) continue;
      void this.#forms.get(diffId, () => Promise.resolve(layer));
      if (isThere) this.#there.add((await layer.descriptor()).digest);
    }
  }

  /** Whether the form of a layer is known, so that it need not be compressed. */
  knows(diffId: Digest): boolean {
    return this.#forms.has(diffId);
  }

  /** A layer of an engine's image in the form of the registry; compressed now where that is not known. */
  async formOf(layer: Layer): Promise<Layer> {
    const diffId = await layer.diffId();
    return await this.#forms.get(diffId, async () => {
      const { mediaType } = await layer.descriptor();
      // Some engines hand out layers as they came from a registry.
      if (!mediaType.endsWith('.tar')) return layer;
      const compressed = compressLayer(layer, 'gzip', this.#file(diffId), this.#signal);
      const { digest } = await compressed.descriptor();
      this.#fresh.add(digest);
      return compressed;
    });
  }

  /** What is known of a blob in the repository, as `Registry.write` asks. */
  readonly blob = (digest: Digest): 'there' | 'new' | undefined => {
    if (this.#there.has(digest)) return 'there';
    return this.#fresh.has(digest) ? 'new' : undefined;
  };

  /** Says that layers are in the repository now: what was kept for pushing them goes. */
  async pushed(layers: readonly Layer[]): Promise<void> {
    for (const layer of layers) {
      const { digest } = await layer.descriptor();
      this.#there.add(digest);
      if (this.#fresh.delete(digest)) await rm(this.#file(await layer.diffId()), { force: true });
    }
  }

  #file(diffId: Digest): string {
    return join(this.#temporary, diffId.slice('sha256:'.length));
  }
}
