import { lstatSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { layerUses } from './collect.ts';
import { formatName } from './names.ts';
import type { Store } from './store.ts';

/** A stored image and the room that it takes. */
export interface ImageUse {
  /** `REPOSITORY:TAG`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970 at which it was last used, or made. */
  readonly used: number;
  readonly layers: readonly string[];
  /** Bytes on disk of its layers. */
  readonly size: number;
  /** Bytes that removing this image alone frees: of layers that no other image has. */
  readonly own: number;
}

/** What lies in a store. */
export interface StoreUse {
  /** The least recently used first. */
  readonly images: readonly ImageUse[];
  /** Bytes on disk of every layer, by its id. */
  readonly layers: ReadonlyMap<string, number>;
  /** Bytes of layers that no image has. */
  readonly leftover: number;
  /** Bytes of all layers. */
  readonly total: number;
}

/** The bytes on disk of a folder; a file with several names counts once. */
export function folderSize(folder: string): number {
  const seen = new Set<string>();
  const sizeOf = (path: Buffer): number => {
    const { dev, ino, nlink, blocks } = lstatSync(path);
    if (nlink > 1) {
      const id = `${dev} ${ino}`;
      if (seen.has(id)) return 0;
      seen.add(id);
    }
    return blocks * 512;
  };
  let size = 0;
  const stack = [Buffer.from(folder)];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    size += sizeOf(at);
    for (const entry of readdirSync(at, { withFileTypes: true, encoding: 'buffer' })) {
      const inner = Buffer.concat([at, Buffer.from('/'), entry.name]);
      if (entry.isDirectory()) stack.push(inner);
      else size += sizeOf(inner);
    }
  }
  return size;
}

/** Measures what is in a store, and what uses it. */
export function usageOf(store: Store): StoreUse {
  const layers = new Map<string, number>();
  const users = new Map<string, number>();
  for (const { id, images } of layerUses(store)) {
    layers.set(id, sizeOrNothing(dirname(store.layers.layer(id).files)));
    users.set(id, images.length);
  }
  const images: ImageUse[] = [];
  const sum = (ids: Iterable<string>): number => [...ids].reduce((all, id) => all + (layers.get(id) ?? 0), 0);
  for (const repository of store.records.repositories()) {
    for (const [tag, record] of store.records.list(repository)) {
      const ids = [...new Set(record.layers.map(({ id }) => id))];
      images.push({
        name: formatName({ repository, tag }),
        labels: record.configuration.config?.Labels ?? {},
        used: store.records.used({ repository, tag }),
        layers: ids,
        size: sum(ids),
        own: sum(ids.filter((id) => users.get(id) === 1)),
      });
    }
  }
  images.sort((a, b) => a.used - b.used || (a.name < b.name ? -1 : 1));
  const leftover = sum([...layers.keys()].filter((id) => users.get(id) === 0));
  return { images, layers, leftover, total: sum(layers.keys()) };
}

/** As `folderSize`, but 0 for a folder that another run has removed in the meantime. */
export function sizeOrNothing(folder: string): number {
  try {
    return folderSize(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}
