import { PromiseCache } from '../async/index.ts';
import type { CachedImage, ImageCache } from '../cache/index.ts';
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

  /** The reference by which the engine opens an image that was found. */
  fetch(key: string): Promise<string> {
    return this.#cache.fetch(key);
  }

  /** Offers an image that was made. */
  offer(key: string, reference: string): Promise<void> {
    return this.#cache.offer(key, reference);
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
