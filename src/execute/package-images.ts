import { PromiseCache } from '../async/index.ts';
import type { CachedImage, ImageCache, Offered, OfferedImage } from '../cache/index.ts';
import type { Diagnostic } from '../diagnostic/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';

/**
 * The package images in the cache. All keys known in the plan are looked up in a single request, at the first
 * use; keys that become known later are looked up one by one.
 */
export class PackageImages {
  readonly #cache: ImageCache;
  readonly #planned: ReadonlySet<string>;
  // A cache that failed may work at the next attempt.
  readonly #found = new PromiseCache<string, ReadonlyMap<string, CachedImage>>(() => true);
  readonly #lost = new Set<string>();
  readonly #waits = new PromiseCache<string, CachedImage | undefined>(() => true);
  /** Images that other machines made meanwhile. */
  readonly #arrived = new Map<string, CachedImage>();

  constructor(cache: ImageCache, plan: Pick<ResolvedPlan, 'nodes'>) {
    this.#cache = cache;
    this.#planned = new Set(plan.nodes.flatMap(keysOf));
  }

  /** The image of a key, as it was at the first lookup; undefined if the cache does not have it. */
  async find(key: string): Promise<CachedImage | undefined> {
    if (this.#lost.has(key)) return undefined;
    const arrived = this.#arrived.get(key);
    if (arrived !== undefined) return arrived;
    const found = this.#planned.has(key)
      ? await this.#found.get('', () => this.#cache.find([...this.#planned]))
      : await this.#found.get(key, () => this.#cache.find([key]));
    return found.get(key);
  }

  /**
   * The reference under which the engine opens the image of a key; undefined if the cache does not have it.
   */
  async fetch(key: string): Promise<string | undefined> {
    if ((await this.find(key)) === undefined) return undefined;
    const reference = await this.#cache.fetch(key);
    if (reference === undefined) this.lose(key);
    return reference;
  }

  /** Offers a new image to the cache. */
  offer(image: OfferedImage): Promise<Offered> {
    return this.#cache.offer(image);
  }

  /** Says to other machines that an image is being made; what it answers is called where that fails. */
  begin(key: string): () => Promise<void> {
    return this.#cache.begin?.(key) ?? (async () => {});
  }

  /** Waits for another machine to make an image, as the cache does; what came is found from then on. */
  wait(key: string, pack: string, isExpected: boolean): Promise<CachedImage | undefined> {
    return this.#waits.get(key, async () => {
      const image = await this.#cache.wait?.(key, pack, isExpected);
      if (image !== undefined) this.#arrived.set(key, image);
      return image;
    });
  }

  /** Offers images to the cache that this run did not make. */
  share(images: readonly OfferedImage[]): Promise<void> {
    return this.#cache.share(images);
  }

  /** Waits for pending transfers to the cache; resolves to the problems of those that failed. */
  settle(): Promise<readonly Diagnostic[]> {
    return this.#cache.settle();
  }

  /** Records that the image of a key no longer exists. */
  lose(key: string): void {
    this.#lost.add(key);
  }
}

/** The keys of a node's image, and of its parent's image if no other node makes that. */
function keysOf({ identity, parent, passesThrough }: ResolvedPlan['nodes'][number]): string[] {
  if (identity.state !== 'known') return [];
  const isMade = parent.kind === 'final' || parent.kind === 'dockerfile';
  return [...(passesThrough ? [] : [identity.key]), ...(isMade ? [identity.parentKey] : [])];
}
