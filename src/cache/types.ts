import type { Diagnostic } from '../diagnostic/index.ts';
import type { KeyInputs } from '../resolve/index.ts';
import type { ImageRecord } from './record.ts';

/** An image of a package that a cache holds. */
export interface CachedImage {
  /** Its content key: 64 hexadecimal digits. */
  readonly key: string;
  /**
   * What its steps did; undefined where the image does not say, so that no package can be cut from it. Read
   * when it is asked for: a registry needs requests for it.
   */
  record(): Promise<ImageRecord | undefined>;
}

/** An image that was made, and is offered to a cache. */
export interface OfferedImage {
  readonly key: string;
  /** The reference under which the engine has it. */
  readonly reference: string;
  /** `category/name-version`. */
  readonly package: string;
  /** What the key was made of; absent for a package that passes through. */
  readonly inputs?: KeyInputs | undefined;
}

/** What became of an image that was offered to a cache. */
export type Offered =
  /** The image is, or will be, in the cache as it was offered. */
  | { readonly kind: 'taken' }
  /**
   * Another machine made an image of this key meanwhile, and its bytes differ. That image has replaced the
   * one that was offered, under the same reference: all machines go on with the same bytes.
   */
  | { readonly kind: 'replaced'; readonly record: ImageRecord | undefined };

/**
 * Where images of packages are kept, by their content keys. The executor does not know which kind of cache it
 * has: the images of the engine itself, a registry, or several behind each other.
 */
export interface ImageCache {
  /** Which of these images there are, now. Rejects where that cannot be found out. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedImage>>;
  /**
   * Brings an image that `find` named into the engine; the reference by which the engine opens it. Undefined
   * where it is not there any more, or is not the image of that key: the cache has reported why, and the
   * package has to be built.
   */
  fetch(key: string): Promise<string | undefined>;
  /**
   * Offers an image that was made to all who use the cache. Resolves as soon as it is known whose image
   * counts; bytes may still be on their way until `settle` resolves.
   */
  offer(image: OfferedImage): Promise<Offered>;
  /**
   * Offers images that this run did not make: those that the engine holds and the cache lacks. Bytes as with
   * `offer`.
   */
  share(images: readonly OfferedImage[]): Promise<void>;
  /**
   * Says to other machines that this one is making the image of a key. What it answers is called where the
   * image is not made after all; an image that is offered ends it as well. Absent where nobody could be told.
   */
  begin?(key: string): () => Promise<void>;
  /**
   * Waits for the image of a key that another machine is making: for as long as allowed where `isExpected`,
   * and else only where a machine says that it is making it. Undefined where this machine is to make it.
   * Absent where there are no other machines.
   */
  wait?(key: string, pack: string, isExpected: boolean): Promise<CachedImage | undefined>;
  /**
   * Waits for what is on its way. Resolves to what did not arrive, and why: nothing of it makes the build
   * itself fail.
   */
  settle(): Promise<readonly Diagnostic[]>;
}
