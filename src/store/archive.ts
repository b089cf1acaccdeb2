import { ImageError, joinSplit, type Measured, measure, packFolder, verified } from '../image/index.ts';
import type { RecordLayer } from './records.ts';
import type { Store } from './store.ts';

/** A layer as an archive. */
export interface LayerArchive {
  readonly measured: Measured;
  /** The bytes. The stream fails with an `ImageError` where they are not what was measured. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Packs the folder of a layer as an archive. */
export function pack(store: Store, layer: RecordLayer, signal?: AbortSignal): AsyncIterable<Uint8Array> {
  return packFolder(store.layers.layer(layer.id).files, {
    form: 'overlay',
    scratch: store.freshPath('scratch'),
    ...(signal === undefined ? {} : { signal }),
  });
}

/**
 * Puts the archive together again that a layer came from; undefined where what is needed for that is missing.
 */
export function join(
  store: Store,
  layer: RecordLayer,
  signal?: AbortSignal,
): AsyncIterable<Uint8Array> | undefined {
  const split = layer.diffId === undefined ? undefined : store.layers.splitOf(layer.id);
  return split === undefined ? undefined : joinSplit(split, store.layers.layer(layer.id).files, signal);
}

/**
 * The archive with which a layer leaves the store: the one that it came from, if that can be put together
 * again with the same digest; else the packed folder. Which one it is must be known before anybody sees a
 * digest, so the first time all of it is read.
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
