import { existsSync } from 'node:fs';
import {
  assembleImage,
  type Configuration,
  type Descriptor,
  type Digest,
  extractLayer,
  type Image,
  type ImageSink,
  type ImageSource,
  type Layer,
  SplitRecorder,
  type WriteOptions,
} from '../image/index.ts';
import { archiveOf, type LayerArchive } from './archive.ts';
import { LayerChains } from './chains.ts';
import { storeFailure } from './disk.ts';
import type { RecordLayer } from './records.ts';
import type { Store } from './store.ts';

/** What this process can give to files. */
export interface Means {
  /** Whether files can have any owner, or only this process's. */
  readonly owners: 'keep' | 'none';
  readonly devices: 'make' | 'skip';
}

const TAR = 'application/vnd.oci.image.layer.v1.tar';

/** The images of a store as data, to be copied from and to other places. */
export class StoreImages implements ImageSource, ImageSink {
  readonly #store: Store;
  readonly #means: Means;
  #chains: LayerChains | undefined;

  constructor(store: Store, means: Means) {
    this.#store = store;
    this.#means = means;
  }

  /**
   * The image of a name. A layer that came as an archive leaves as the same archive, with the same digest. A
   * layer that was made here is packed when it is asked for; so is one whose archive cannot be put together
   * again, which then has another digest than where it came from.
   */
  async image(name: string): Promise<Image | undefined> {
    const record = this.#store.find(name);
    if (record === undefined) return undefined;
    const layers = record.layers.map((layer) => this.#layer(layer));
    const ids: Digest[] = [];
    for (const layer of layers) ids.push(await layer.diffId());
    const whole: Configuration = { ...record.configuration, rootfs: { type: 'layers', diff_ids: ids } };
    const { history, ...bare } = whole as Configuration & { history?: unknown };
    // A history must have as many entries as there are layers.
    const kept = tellsOf(history) === layers.length ? whole : bare;
    return assembleImage(Buffer.from(JSON.stringify(kept)), layers);
  }

  /** The digest of the archive with which a layer leaves. Found out once. */
  diffId(layer: RecordLayer): Promise<Digest> {
    return this.#layer(layer).diffId();
  }

  #layer(layer: RecordLayer): Layer {
    let known: Promise<LayerArchive> | undefined;
    const archive = (): Promise<LayerArchive> =>
      (known ??= archiveOf(this.#store, layer).catch((error: unknown) => {
        known = undefined;
        throw error;
      }));
    const bytes = async function* (signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
      yield* (await archive()).read(signal);
    };
    return {
      descriptor: async () => ({ mediaType: TAR, ...(await archive()).measured }),
      diffId: async () => (await archive()).measured.digest,
      compressed: bytes,
      uncompressed: bytes,
    };
  }

  /**
   * As in `ImageSink`. Layers that another image already has on the same layers are not written again, and
   * the record is written last. Rejects with an `ImageError` for archives that are damaged or hostile, and
   * with a `StoreError` for a full disk.
   */
  async write(name: string, image: Image, options: WriteOptions = {}): Promise<Descriptor> {
    const { rootfs, ...configuration }: Configuration = await image.configuration();
    const chains = this.#knownChains();
    const layers: RecordLayer[] = [];
    const made: string[] = [];
    const ended = Promise.withResolvers<void>();
    let chain = '';
    try {
      for (const [i, layer] of (await image.layers()).entries()) {
        const diffId = rootfs.diff_ids[i] ?? (await layer.diffId());
        chain = LayerChains.on(chain, diffId);
        let found = await chains.find(chain);
        if (found === undefined) {
          chains.write(chain, ended.promise);
          found = { diffId, ...(await this.#unpack(layer, layers, options)) };
          made.push(found.id);
        }
        layers.push(found);
      }
      this.#store.put(name, { configuration, layers });
      for (const id of made) this.#store.layers.finish(id);
      chains.learn([{ layers }]);
      return await image.descriptor();
    } catch (error) {
      for (const id of made) await this.#store.layers.drop(id).catch(() => {});
      throw storeFailure(this.#store.folder, error);
    } finally {
      ended.resolve();
    }
  }

  /** What layers there are. Reading the records of all images for each of many images would take long. */
  #knownChains(): LayerChains {
    if (this.#chains === undefined) {
      this.#chains = new LayerChains(({ id }) => existsSync(this.#store.layers.layer(id).files));
      this.#chains.learn(this.#store.images());
    }
    return this.#chains;
  }

  async #unpack(
    layer: Layer,
    below: readonly RecordLayer[],
    { signal, onBytes }: WriteOptions,
  ): Promise<Pick<RecordLayer, 'id'>> {
    const { id, files } = this.#store.newLayer();
    const split = new SplitRecorder(this.#store.freshPath('split'));
    try {
      await extractLayer(counted(layer.uncompressed(signal), onBytes), files, {
        form: this.#store.form === 'user' ? 'overlay-user' : 'overlay',
        lowers: this.#store.layers.lowersOf(below),
        ...this.#means,
        split,
        ...(signal === undefined ? {} : { signal }),
      });
      if (await split.finish()) this.#store.layers.keepSplit(id, split.file);
      return { id };
    } catch (error) {
      await this.#store.layers.drop(id).catch(() => {});
      throw error;
    } finally {
      split.close();
    }
  }
}

/**
 * The number of layers in an image's history (OCI image configuration); undefined where it is not a valid
 * one.
 */
function tellsOf(history: unknown): number | undefined {
  if (!Array.isArray(history)) return undefined;
  if (!history.every((one: unknown) => typeof one === 'object' && one !== null)) return undefined;
  return history.filter((one: { empty_layer?: unknown }) => one.empty_layer !== true).length;
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: ((count: number) => void) | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    onBytes?.(chunk.length);
    yield chunk;
  }
}
