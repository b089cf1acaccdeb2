import type { CachedImage, ImageCache, Offered, OfferedImage } from './types.ts';

/**
 * Caches behind each other: an image is taken from the first one that has it, and is offered to all of them.
 */
export function stackedCache(caches: readonly ImageCache[]): ImageCache {
  const holders = new Map<string, ImageCache>();
  return {
    async find(keys) {
      const found = new Map<string, CachedImage>();
      for (const cache of caches) {
        const open = keys.filter((key) => !found.has(key));
        if (open.length === 0) break;
        for (const [key, image] of await cache.find(open)) {
          found.set(key, image);
          holders.set(key, cache);
        }
      }
      return found;
    },
    fetch: async (key) => await holders.get(key)?.fetch(key),
    async offer(image: OfferedImage): Promise<Offered> {
      let answer: Offered = { kind: 'taken' };
      for (const cache of caches) {
        const offered = await cache.offer(image);
        if (offered.kind === 'replaced') answer = offered;
      }
      return answer;
    },
    async share(images) {
      for (const cache of caches) await cache.share(images);
    },
    begin(key) {
      const ends = caches.flatMap((cache) => cache.begin?.(key) ?? []);
      return async () => void (await Promise.all(ends.map((end) => end())));
    },
    async wait(key, pack, isExpected) {
      for (const cache of caches) {
        const image = await cache.wait?.(key, pack, isExpected);
        if (image === undefined) continue;
        holders.set(key, cache);
        return image;
      }
      return undefined;
    },
    settle: async () => (await Promise.all(caches.map((cache) => cache.settle()))).flat(),
  };
}
