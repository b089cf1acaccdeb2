import type { Diagnostic } from '../diagnostic/index.ts';
import type { ImageRecord } from './record.ts';

/** An image of a package that a cache holds. */
export interface CachedImage {
  /** Its content key: 64 hexadecimal digits. */
  readonly key: string;
  /**
   * What its steps did; undefined where the image does not say, so that no package can be cut from it. Read when it is asked for:
   * a registry needs requests for it.
   */
  record(): Promise<ImageRecord | undefined>;
}

/** What became of an image that was offered to a cache. */
export type Offered =
  /** The image is, or will be, in the cache as it was offered. */
  | { readonly kind: 'taken' }
  /**
   * Another machine made an image of this key meanwhile, and its bytes differ. That image has replaced the one that was offered,
   * under the same reference: all machines go on with the same bytes.
   */
  | { readonly kind: 'replaced'; readonly record: ImageRecord | undefined };

/**
 * Where images of packages are kept, by their content keys. The executor does not know which kind of cache it has: the
 * images of the engine itself, a registry, or several behind each other.
 */
export interface ImageCache {
  /** Which of these images there are, now. Rejects where that cannot be found out. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedImage>>;
  /**
   * Brings an image that `find` named into the engine; the reference by which the engine opens it. Undefined where it is not
   * there any more, or is not the image of that key: the cache has reported why, and the package has to be built.
   */
  fetch(key: string): Promise<string | undefined>;
  /**
   * Offers an image that was made in the engine under this reference to all who use the cache. Resolves as soon as it is known
   * whose image counts; bytes may still be on their way until `settle` resolves.
   */
  offer(key: string, reference: string): Promise<Offered>;
  /** Waits for what is on its way. Resolves to what did not arrive, and why: nothing of it makes the build itself fail. */
  settle(): Promise<readonly Diagnostic[]>;
}
