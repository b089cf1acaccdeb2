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
  type Measured,
  measure,
  packFolder,
  type WriteOptions,
} from '../../../image/index.ts';
import { diskError } from './disk.ts';
import type { RecordLayer } from './records.ts';
import type { Store } from './store.ts';

/** What this process can give files. */
export interface Means {
  /** Whether files can have any owner, or all have this process's. */
  readonly owners: 'keep' | 'none';
  readonly devices: 'make' | 'skip';
}

const TAR = 'application/vnd.oci.image.layer.v1.tar';

/** The images of a store as a place to copy from and to. */
export class StoreImages implements ImageSource, ImageSink {
  readonly #store: Store;
  readonly #means: Means;

  constructor(store: Store, means: Means) {
    this.#store = store;
    this.#means = means;
  }

  /**
   * The image of a name. Its layers are packed when they are asked for, and their digests are those of what is packed: an image that came from
   * elsewhere has other digests here than there, unless it was packed in the same way.
   */
  async image(name: string): Promise<Image | undefined> {
    const record = this.#store.find(name);
    if (record === undefined) return undefined;
    const layers = record.layers.map((layer) => this.#layer(layer));
    const ids: Digest[] = [];
    for (const layer of layers) ids.push(await layer.diffId());
    const whole: Configuration = { ...record.configuration, rootfs: { type: 'layers', diff_ids: ids } };
    // What tells how layers came about would have to tell of as many as there are.
    const { history: _, ...bare } = whole as Configuration & { history?: unknown };
    return assembleImage(Buffer.from(JSON.stringify(bare)), layers);
  }

  /** The digest of the archive that a layer is packed to; found out once. */
  diffId(layer: RecordLayer): Promise<Digest> {
    return this.#layer(layer).diffId();
  }

  #layer(layer: RecordLayer): Layer {
    let known: Promise<Measured> | undefined;
    const bytes = (): AsyncIterable<Uint8Array> =>
      packFolder(this.#store.layer(layer.id).files, {
        form: 'overlay',
        ...(layer.hidesAll === undefined ? {} : { hidesAll: layer.hidesAll }),
        scratch: this.#store.freshPath('scratch'),
      });
    const size = (): Promise<Measured> => (known ??= this.#measure(layer.id, bytes));
    return {
      descriptor: async () => ({ mediaType: TAR, ...(await size()) }),
      diffId: async () => (await size()).digest,
      compressed: bytes,
      uncompressed: bytes,
    };
  }

  async #measure(id: string, bytes: () => AsyncIterable<Uint8Array>): Promise<Measured> {
    const known = this.#store.knownArchive(id);
    if (known !== undefined) return known;
    const found = await measure(bytes());
    this.#store.rememberArchive(id, found);
    return found;
  }

  /**
   * As in `ImageSink`; layers that another image has, on the same layers, are left alone, and the record comes last. Rejects with an
   * `ImageError` for archives that are damaged or hostile, and with an `EngineError` for a disk that is full.
   */
  async write(name: string, image: Image, options: WriteOptions = {}): Promise<Descriptor> {
    const { rootfs, ...configuration }: Configuration = await image.configuration();
    const known = this.#chains();
    const layers: RecordLayer[] = [];
    const made: string[] = [];
    let chain = '';
    try {
      for (const [i, layer] of (await image.layers()).entries()) {
        const diffId = rootfs.diff_ids[i] ?? (await layer.diffId());
        chain += ` ${diffId}`;
        let found = known.get(chain);
        if (found === undefined) {
          found = { diffId, ...(await this.#unpack(layer, layers, options)) };
          made.push(found.id);
        }
        layers.push(found);
      }
      this.#store.put(name, { configuration, layers });
      for (const id of made) this.#store.settle(id);
      return await image.descriptor();
    } catch (error) {
      for (const id of made) await this.#store.dropLayer(id).catch(() => {});
      throw diskError(this.#store.folder, error);
    }
  }

  /** The layers that images have, by their digests and those of all below them. */
  #chains(): Map<string, RecordLayer> {
    const chains = new Map<string, RecordLayer>();
    for (const { layers } of this.#store.images()) {
      let chain = '';
      for (const layer of layers) {
        if (layer.diffId === undefined) break;
        chain += ` ${layer.diffId}`;
        chains.set(chain, layer);
      }
    }
    return chains;
  }

  async #unpack(
    layer: Layer,
    below: readonly RecordLayer[],
    { signal, onBytes }: WriteOptions,
  ): Promise<Pick<RecordLayer, 'id' | 'hidesAll'>> {
    const { id, files } = this.#store.newLayer();
    try {
      const { hidesAll } = await extractLayer(counted(layer.uncompressed(signal), onBytes), files, {
        form: this.#store.form === 'user' ? 'overlay-user' : 'overlay',
        lowers: this.#store.lowersOf(below),
        ...this.#means,
        ...(signal === undefined ? {} : { signal }),
      });
      return { id, ...(hidesAll ? { hidesAll } : {}) };
    } catch (error) {
      await this.#store.dropLayer(id).catch(() => {});
      throw error;
    }
  }
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
