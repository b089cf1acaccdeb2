import type { RecordLayer } from './records.ts';

/**
 * The layers that a store has, by their digests and those of all layers below them, as this process knows them. Several images can
 * be written at once: a layer that two of them have is written by one, and the other waits for that.
 */
export class LayerChains {
  readonly #isThere: (layer: RecordLayer) => boolean;
  readonly #known = new Map<string, RecordLayer>();
  /** Chains whose layer is being written; they resolve when the image is there, or has failed. */
  readonly #writing = new Map<string, Promise<void>>();

  /** `isThere` says whether the folder of a layer still exists: another process may have removed it. */
  constructor(isThere: (layer: RecordLayer) => boolean) {
    this.#isThere = isThere;
  }

  /** The name of a layer on the layers of another chain; of the lowest layer on an empty one. */
  static on(below: string, diffId: string): string {
    return `${below} ${diffId}`;
  }

  /** Takes the layers of images. */
  learn(images: Iterable<{ readonly layers: readonly RecordLayer[] }>): void {
    for (const { layers } of images) {
      let chain = '';
      for (const layer of layers) {
        if (layer.diffId === undefined) break;
        chain = LayerChains.on(chain, layer.diffId);
        this.#known.set(chain, layer);
      }
    }
  }

  /** The layer of a chain, when nobody in this process is writing it any more; undefined where there is none. */
  async find(chain: string): Promise<RecordLayer | undefined> {
    for (let other = this.#writing.get(chain); other !== undefined; other = this.#writing.get(chain))
      await other;
    const layer = this.#known.get(chain);
    if (layer === undefined || this.#isThere(layer)) return layer;
    this.#known.delete(chain);
    return undefined;
  }

  /** Says that the layer of a chain is being written, until `until` resolves; right after `find` found none. */
  write(chain: string, until: Promise<void>): void {
    this.#writing.set(chain, until);
    void until.then(() => this.#writing.delete(chain));
  }
}
