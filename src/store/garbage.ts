import { join } from 'node:path';
import { layersInUse, leftBehind } from './collect.ts';
import { fromFileName } from './names.ts';
import type { Store } from './store.ts';
import { type ImageUse, type StoreUse, sizeOrNothing, usageOf } from './usage.ts';

/** Which images are removed. */
export interface StoreLimits {
  /** Bytes that the layers of images may take. */
  readonly keep?: number;
  /** Milliseconds since 1970; images that were last used before are removed. */
  readonly before?: number;
}

/** An image that can be removed. */
export interface SurplusImage extends ImageUse {
  /** Bytes that its removal frees after the images before it in the list are removed. */
  readonly frees: number;
}

/** What can be removed from a store. All sizes are bytes on disk. */
export interface Garbage {
  /** What is in the store now. */
  readonly use: StoreUse;
  /** The least recently used first. */
  readonly images: readonly SurplusImage[];
  /** Sizes of layers that no image has and no run uses, by id. */
  readonly layers: ReadonlyMap<string, number>;
  /** Sizes of what dead runs left besides layers, by run. */
  readonly runs: ReadonlyMap<string, number>;
  /** The sum: what is freed if all of it is removed. */
  readonly size: number;
}

/**
 * Finds what a store does not need: layers that no image has, what dead runs left, and, with limits, images.
 * Removes nothing.
 */
export function garbageOf(store: Store, limits: StoreLimits = {}): Garbage {
  const left = leftBehind(store);
  const isInUse = layersInUse(store, new Set(left.runs));
  const use = usageOf(store);
  const gone = new Set(left.images);
  const stored = use.images.filter(({ name }) => !gone.has(name));
  const users = new Map<string, number>();
  for (const { layers } of stored) for (const id of layers) users.set(id, (users.get(id) ?? 0) + 1);
  const unused = [...use.layers].filter(([id]) => !users.has(id) && !isInUse(id));
  const images = surplus(stored, users, use.layers, limits).map(({ image, layers }) => {
    const free = layers.filter((id) => !isInUse(id));
    return { ...image, frees: sum(free.map((id) => use.layers.get(id) ?? 0)) };
  });
  const folder = join(store.folder, 'runs');
  const runs = new Map(left.runs.map((run) => [fromFileName(run), sizeOrNothing(join(folder, run))]));
  const sizes = [...unused.map(([, size]) => size), ...runs.values(), ...images.map(({ frees }) => frees)];
  return { use, images, layers: new Map(unused), runs, size: sum(sizes) };
}

/**
 * The images that must be removed to keep the limits, each with the layers that no image has after that: the
 * least recently used ones, and only as many as needed.
 */
function surplus(
  images: readonly ImageUse[],
  users: ReadonlyMap<string, number>,
  sizes: ReadonlyMap<string, number>,
  { keep, before }: StoreLimits,
): readonly { readonly image: ImageUse; readonly layers: readonly string[] }[] {
  const left = new Map(users);
  const sizeOf = (ids: readonly string[]): number => sum(ids.map((id) => sizes.get(id) ?? 0));
  let total = sizeOf([...users.keys()]);
  return images.flatMap((image) => {
    const isOld = before !== undefined && image.used < before;
    if (!isOld && !(keep !== undefined && total > keep)) return [];
    for (const id of image.layers) left.set(id, (left.get(id) ?? 0) - 1);
    const layers = image.layers.filter((id) => left.get(id) === 0);
    total -= sizeOf(layers);
    return [{ image, layers }];
  });
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
