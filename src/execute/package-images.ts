import { PromiseCache } from '../async/index.ts';
import type { CachedImage, ImageCache, Offered, OfferedImage } from '../cache/index.ts';
import type { Diagnostic } from '../diagnostic/index.ts';
import type { ResolvedPlan } from '../resolve/index.ts';

/**
 * Which images of packages the cache holds. All keys that the plan knows are asked for at once, and not at all where nobody
 * wants to know; keys that become known later are asked for one by one.
 */
export class PackageImages {
  readonly #cache: ImageCache;
  readonly #planned: ReadonlySet<string>;
  // A cache that failed may answer the next time.
  readonly #found = new PromiseCache<string, ReadonlyMap<string, CachedImage>>(() => true);
  readonly #lost = new Set<string>();

  constructor(cache: ImageCache, plan: Pick<ResolvedPlan, 'nodes'>) {
    this.#cache = cache;
    this.#planned = new Set(plan.nodes.flatMap(keysOf));
  }

  /** The image of a key, as it was when that was asked first; undefined where the cache does not hold it. */
  async find(key: string): Promise<CachedImage | undefined> {
    if (this.#lost.has(key)) return undefined;
    const found = this.#planned.has(key)
      ? await this.#found.get('', () => this.#cache.find([...this.#planned]))
      : await this.#found.get(key, () => this.#cache.find([key]));
    return found.get(key);
  }

  /** The reference by which the engine opens the image of a key; undefined where the cache does not hold it. */
  async fetch(key: string): Promise<string | undefined> {
    if ((await this.find(key)) === undefined) return undefined;
    const reference = await this.#cache.fetch(key);
    if (reference === undefined) this.lose(key);
    return reference;
  }

  /** Offers an image that was made. */
  offer(image: OfferedImage): Promise<Offered> {
    return this.#cache.offer(image);
  }

  /** Offers images that this run did not make. */
  share(images: readonly OfferedImage[]): Promise<void> {
    return this.#cache.share(images);
  }

  /** Waits for what is on its way to the cache; resolves to what did not arrive. */
  settle(): Promise<readonly Diagnostic[]> {
    return this.#cache.settle();
  }

  /** The image of a key is not there any more. */
  lose(key: string): void {
    this.#lost.add(key);
  }
}

/** The keys of a node's image, and of its parent's where no other node makes that. */
function keysOf({ identity, parent, passesThrough }: ResolvedPlan['nodes'][number]): string[] {
  if (identity.state !== 'known') return [];
  const isMade = parent.kind === 'final' || parent.kind === 'dockerfile';
  return [...(passesThrough ? [] : [identity.key]), ...(isMade ? [identity.parentKey] : [])];
}
