import { ImageError, joinSplit, type Measured, measure, packFolder, verified } from '../image/index.ts';
import type { RecordLayer } from './records.ts';
import type { Store } from './store.ts';

/** A layer as an archive. */
export interface LayerArchive {
  readonly measured: Measured;
  /** The bytes; the stream fails with an `ImageError` where they are not what was measured. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The archive that a layer's folder packs to. */
export function pack(store: Store, layer: RecordLayer, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  return packFolder(store.layers.layer(layer.id).files, {
    form: 'overlay',
    scratch: store.freshPath('scratch'),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** The archive that a layer came from, put together again; undefined where there is nothing to do that with. */
export function join(
  store: Store,
  layer: RecordLayer,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> | undefined {
  const split = layer.diffId === undefined ? undefined : store.layers.splitOf(layer.id);
  return split === undefined ? undefined : joinSplit(split, store.layers.layer(layer.id).files, signal);
}

/**
 * The archive that a layer leaves as: the one that it came from, where putting that together was seen to give its digest, else what its folder packs
 * to. Which of the two it is has to be known before anybody is told a digest, so the first time all of it is read.
 */
export async function archiveOf(store: Store, layer: RecordLayer): Promise<LayerArchive> {
  const joined = await joinedArchive(store, layer);
  if (joined !== undefined) {
    const again = (signal?: AbortSignal): AsyncIterable<Uint8Array> => {
      const bytes = join(store, layer, signal);
      if (bytes === undefined) throw new ImageError(`the layer ${layer.id} went while it was read`);
      return verified(bytes, joined);
    };
    return { measured: joined, read: again };
  }
  let measured = store.layers.knownArchive(layer.id, 'packed');
  if (measured === undefined) {
    measured = await measure(pack(store, layer));
    store.layers.rememberArchive(layer.id, 'packed', measured);
  }
  return { measured, read: (signal) => pack(store, layer, signal) };
}

async function joinedArchive(store: Store, layer: RecordLayer): Promise<Measured | undefined> {
  const bytes = join(store, layer);
  if (bytes === undefined) return undefined;
  const known = store.layers.knownArchive(layer.id, 'joined');
  if (known !== undefined && known.digest === layer.diffId) return known;
  try {
    const found = await measure(bytes);
    if (found.digest !== layer.diffId) return undefined;
    store.layers.rememberArchive(layer.id, 'joined', found);
    return found;
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}
