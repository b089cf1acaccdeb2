import { type Measured, measure } from '../image/index.ts';
import { join, pack } from './archive.ts';
import { layerUses } from './collect.ts';
import type { RecordLayer } from './records.ts';
import type { Store } from './store.ts';

/** The result for one layer. */
export interface VerifiedLayer {
  readonly id: string;
  /** The images that have it. */
  readonly images: readonly string[];
  /**
   * `verified`: it is as recorded. `recorded`: nothing was recorded before, and it is now. `damaged`: it
   * differs from the record, or cannot be read.
   */
  readonly state: 'verified' | 'recorded' | 'damaged';
  /** What is wrong with it. */
  readonly reason?: string;
}

/** Reads every layer that an image has, and compares it with what is recorded of it. */
export async function* verifyStore(
  store: Store,
  signal: AbortSignal,
  onBytes: (count: number) => void,
): AsyncGenerator<VerifiedLayer, void, undefined> {
  const meant = new Map<string, RecordLayer>();
  for (const { layers } of store.images()) for (const layer of layers) meant.set(layer.id, layer);
  const uses = new Map(layerUses(store).map(({ id, images }) => [id, images]));
  for (const [id, layer] of meant) {
    signal.throwIfAborted();
    const images = uses.get(id) ?? [];
    const known = store.layers.knownArchive(id, 'packed');
    let found: Measured;
    let joined: Measured | undefined;
    try {
      found = await measure(counted(pack(store, layer, signal), onBytes));
      const archive = known === undefined ? join(store, layer, signal) : undefined;
      joined = archive && (await measure(counted(archive, onBytes)));
    } catch (error) {
      signal.throwIfAborted();
      yield { id, images, state: 'damaged', reason: (error as Error).message };
      continue;
    }
    if (known === undefined) {
      const { diffId } = layer;
      if (joined !== undefined && joined.digest !== diffId) {
        const reason = `it came as ${diffId}, and is put together to ${joined.digest}`;
        yield { id, images, state: 'damaged', reason };
        continue;
      }
      store.layers.rememberArchive(id, 'packed', found);
      // Archives of other programs have other bytes for the same files, so a difference proves nothing.
      yield {
        id,
        images,
        state: [found, joined].some((one) => one?.digest === diffId) ? 'verified' : 'recorded',
      };
    } else if (found.digest === known.digest) yield { id, images, state: 'verified' };
    else {
      const reason = `it is ${found.digest}, and ${known.digest} was recorded`;
      yield { id, images, state: 'damaged', reason };
    }
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (count: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    onBytes(chunk.length);
    yield chunk;
  }
}
