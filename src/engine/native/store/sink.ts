import type {
  Configuration,
  Descriptor,
  Image,
  ImageSink,
  Layer,
  WriteOptions,
} from '../../../image/index.ts';
import { readTar } from '../../../tar/index.ts';
import { LayerView } from '../../overlay/layers.ts';
import { toPath } from '../native-workspace.ts';
import { place } from '../place.ts';
import { opaqueName } from '../stack.ts';
import { UpperTree } from '../upper-tree.ts';
import type { RecordLayer } from './records.ts';
import { diskError, type Store } from './store.ts';

/** Writes images into a store: their layers unpacked, those that are there already by their digests left alone. */
export class StoreSink implements ImageSink {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** As in `ImageSink`; the record comes last, when all layers lie there. */
  async write(name: string, image: Image, options: WriteOptions = {}): Promise<Descriptor> {
    const { rootfs, ...configuration }: Configuration = await image.configuration();
    const known = new Map<string, string>();
    for (const { id, diffId } of this.#store.layers()) if (diffId !== undefined) known.set(diffId, id);
    const layers: RecordLayer[] = [];
    const made: string[] = [];
    try {
      for (const [i, layer] of (await image.layers()).entries()) {
        const diffId = rootfs.diff_ids[i] ?? (await layer.diffId());
        let id = known.get(diffId);
        if (id === undefined) {
          id = await this.#unpack(layer, options);
          made.push(id);
        }
        layers.push({ id, diffId });
      }
      this.#store.put(name, { configuration, layers });
      for (const id of made) this.#store.settle(id);
      return await image.descriptor();
    } catch (error) {
      for (const id of made) await this.#store.dropLayer(id).catch(() => {});
      throw diskError(this.#store.folder, error);
    }
  }

  async #unpack(layer: Layer, { signal, onBytes }: WriteOptions): Promise<string> {
    const { id, files } = this.#store.newLayer();
    try {
      const tree = new UpperTree(toPath(files), new LayerView([]), opaqueName(this.#store.form));
      await place(tree, readTar(counted(layer.uncompressed(signal), onBytes)));
      return id;
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
