import type { ImageRecord } from './record.ts';

/** An image of a package that a cache holds. */
export interface CachedImage {
  /** Its content key: 64 hexadecimal digits. */
  readonly key: string;
  /** What its steps did; undefined where the image does not say, so that no package can be cut from it. */
  readonly record: ImageRecord | undefined;
}

/**
 * Where images of packages are kept, by their content keys. The executor does not know which kind of cache it has: the
 * images of the engine itself, a registry, or several behind each other.
 */
export interface ImageCache {
  /** Which of these images there are, now. Rejects where that cannot be found out. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedImage>>;
  /** Brings an image that `find` named into the engine; the reference by which the engine opens it. */
  fetch(key: string): Promise<string>;
  /** Offers an image that was made in the engine under this reference to all who use the cache. */
  offer(key: string, reference: string): Promise<void>;
}
