import { PromiseCache, Slots } from '../../async/index.ts';
import type { Digest, Registry } from '../../image/index.ts';

/** More keys than this are looked up in a list of all tags, unless that turns out to be long. */
const FEW = 64;

/** Requests that are under way at once. */
const AT_ONCE = 24;

/** Reading a page of tags may cost about as much as looking up this many tags one by one. */
const PAGE_WORTH = 50;

/** How many tags are looked up: what registries are asked. */
type Lookups = Pick<Registry, 'head' | 'tagPages'>;

/**
 * Which tags a repository has. Many are looked up in the list of its tags, which is one request for each thousand; where that
 * list is longer than asking for each tag, and for few tags, each is asked for by itself.
 */
export class TagLookup {
  readonly repository: string;
  readonly #registry: Lookups;
  readonly #signal: AbortSignal;
  readonly #heads = new PromiseCache<string, Digest | '' | undefined>(() => true);
  /** What is known of tags from lists. */
  readonly #listed = new Set<string>();
  #isWhole = false;
  readonly #slots = new Slots(AT_ONCE);
  #list: Promise<void> | undefined;

  constructor(registry: Lookups, repository: string, signal: AbortSignal) {
    this.#registry = registry;
    this.repository = repository;
    this.#signal = signal;
  }

  /** Those of the tags that are there. Rejects with a `RegistryError` where the registry does not say. */
  async find(tags: readonly string[]): Promise<ReadonlySet<string>> {
    if (tags.length > FEW) {
      this.#list ??= this.#readList(tags.length);
      await this.#list;
    }
    const found = new Set<string>(tags.filter((tag) => this.#listed.has(tag)));
    const open = this.#isWhole ? [] : tags.filter((tag) => !found.has(tag));
    const asked = open.map(async (tag) => {
      if ((await this.head(tag)) !== undefined) found.add(tag);
    });
    await Promise.all(asked);
    return found;
  }

  /** The digest under a tag as it is now, or was when it was asked for first; empty where the registry does not say it. */
  head(tag: string): Promise<Digest | '' | undefined> {
    return this.#heads.get(tag, () => this.headNow(tag));
  }

  /** The digest under a tag as it is now. */
  headNow(tag: string): Promise<Digest | '' | undefined> {
    return this.#slots.run(() => this.#registry.head(`${this.repository}:${tag}`, this.#signal));
  }

  /** Reads tags until all are known, or until asking for each would have been cheaper. */
  async #readList(count: number): Promise<void> {
    let pages = 0;
    for await (const page of this.#registry.tagPages(this.repository, this.#signal)) {
      for (const tag of page) this.#listed.add(tag);
      if (++pages * PAGE_WORTH > count) return;
    }
    this.#isWhole = true;
  }
}
