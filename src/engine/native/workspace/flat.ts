import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { RecordLayer, Store } from '../../../store/index.ts';
import type { Way } from '../find/probe.ts';
import { architecture } from '../report.ts';
import { flattenMounted, flattenRead } from './flatten.ts';

/**
 * With more layers, each lookup of a missing file costs too much: a workspace then stands on a copy of one
 * layer.
 */
const MOST_LAYERS = 100;

/** Copies of one layer of images that have too many layers. */
export class FlatImages {
  readonly #store: Store;
  readonly #keepImages: boolean;
  readonly #temporary: Set<string>;
  readonly #flat = new Map<string, Promise<readonly RecordLayer[]>>();

  /** Copies are temporary images where images are not kept; the names of those are added to `temporary`. */
  constructor(store: Store, keepImages: boolean, temporary: Set<string>) {
    this.#store = store;
    this.#keepImages = keepImages;
    this.#temporary = temporary;
  }

  /** The layers to start from: those of the image, or a copy of one layer where they are too many. */
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
    const folders = this.#store.layers.lowersOf(layers);
    const { id } =
      way.kind === 'overlay'
        ? await flattenMounted(this.#store, folders, emptyFolder(this.#store))
        : await flattenRead(this.#store, folders);
    const temporary = !this.#keepImages;
    const configuration = { os: 'linux', architecture: architecture() };
    const { layers: made } = this.#store.put(reference, { configuration, layers: [{ id }] }, temporary);
    this.#store.layers.finish(id);
    if (temporary) this.#temporary.add(reference);
    return made;
  }
}

/** Creates an empty folder for this run. */
export function emptyFolder(store: Store): string {
  const empty = store.freshPath('empty');
  mkdirSync(empty);
  return empty;
}
