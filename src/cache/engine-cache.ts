import type { Engine, ListedImage } from '../engine/index.ts';
import { decodeRecord, labels } from './record.ts';
import type { CachedImage, ImageCache } from './types.ts';

/**
 * Up to this many images are looked up by name, more by one listing. An engine answers a name in 1 to 10 ms,
 * and Docker 29 takes 5 ms for every image that it holds to list any of them.
 */
const FEW = 64;

/** The images that the engine holds under a repository (`luet/cache`), each with its key as the tag. */
export function engineCache(engine: Pick<Engine, 'list'>, repository: string): ImageCache {
  return {
    async find(keys) {
      const held = await listed(engine, repository, keys);
      return new Map(keys.flatMap((key) => (held.has(key) ? [[key, cached(key, held.get(key))]] : [])));
    },
    // The image is in the engine already.
    fetch: (key) => Promise.resolve(`${repository}:${key}`),
    // The executor makes images under these names, so making one offers it.
    offer: () => Promise.resolve({ kind: 'taken' }),
    share: () => Promise.resolve(),
    settle: () => Promise.resolve([]),
  };
}

async function listed(
  engine: Pick<Engine, 'list'>,
  repository: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ListedImage>> {
  if (keys.length > FEW) return engine.list(repository);
  const each = await Promise.all(keys.map((key) => engine.list(repository, key)));
  return new Map(each.flatMap((found) => [...found]));
}

const cached = (key: string, image: ListedImage | undefined): CachedImage => ({
  key,
  record: () => Promise.resolve(decodeRecord(image?.labels[labels.record])),
});
