import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { flattenMounted, flattenRead } from './flatten.ts';
import type { Way } from './probe.ts';
import { architecture } from './report.ts';
import type { RecordLayer } from './store/records.ts';
import type { Store } from './store/store.ts';

/** A stack of more costs at every look for what is not there; a workspace goes on above a copy of one layer. */
const MOST_LAYERS = 100;

/** Copies of one layer of images whose layers are too many to work on. */
export class FlatImages {
  readonly #store: Store;
  readonly #keepImages: boolean;
  readonly #onTemporary: (reference: string) => void;
  readonly #flat = new Map<string, Promise<readonly RecordLayer[]>>();

  /** `onTemporary` hears of each copy that goes with the run, which all do where images are not kept. */
  constructor(store: Store, keepImages: boolean, onTemporary: (reference: string) => void) {
    this.#store = store;
    this.#keepImages = keepImages;
    this.#onTemporary = onTemporary;
  }

  /** The layers to start from: the image's, or one that is a copy of them where they are too many. */
  startable(layers: readonly RecordLayer[], way: Way): Promise<readonly RecordLayer[]> {
    if (layers.length <= (way.kind === 'overlay' ? MOST_LAYERS : 1)) return Promise.resolve(layers);
    const key = createHash('sha256')
      .update(layers.map(({ id }) => id).join())
      .digest('hex');
    const flat = this.#flat.get(key) ?? this.#flatten(layers, key, way);
    this.#flat.set(key, flat);
    return flat;
  }

  async #flatten(layers: readonly RecordLayer[], key: string, way: Way): Promise<readonly RecordLayer[]> {
    const reference = `luet/flat:${key}`;
    const known = this.#store.find(reference);
    if (known !== undefined) return known.layers;
    const folders = this.#store.lowersOf(layers);
    const { id } =
      way.kind === 'overlay'
        ? await flattenMounted(this.#store, folders, emptyFolder(this.#store))
        : await flattenRead(this.#store, folders);
    const temporary = !this.#keepImages;
    const configuration = { os: 'linux', architecture: architecture() };
    const { layers: made } = this.#store.put(reference, { configuration, layers: [{ id }] }, temporary);
    this.#store.settle(id);
    if (temporary) this.#onTemporary(reference);
    return made;
  }
}

/** A fresh empty folder of the run. */
export function emptyFolder(store: Store): string {
  const empty = store.freshPath('empty');
  mkdirSync(empty);
  return empty;
}
