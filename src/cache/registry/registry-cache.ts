import type { Diagnostic } from '../../diagnostic/index.ts';
import type { Engine } from '../../engine/index.ts';
import type { Platform, Registry } from '../../image/index.ts';
import type { CachedImage, ImageCache, Offered, OfferedImage } from '../types.ts';
import { imageDifference, isImageError, isSameImage, isTransferError } from './difference.ts';
import { Fetcher, WrongKeyError } from './fetch.ts';
import { type LeaseOptions, Leases } from './leases.ts';
import { TagLookup } from './lookup.ts';
import { Pusher } from './push.ts';

/** What a registry cache reports while it works. */
export type CacheEvent =
  /** A repository does not answer: the build goes on without it. */
  | { readonly type: 'cache-lost'; readonly repository: string; readonly message: string }
  /** An image was found and is not used: its package is built instead. */
  | { readonly type: 'cache-refused'; readonly key: string; readonly message: string }
  /** An image is waited for that another machine builds, or is not waited for any longer. */
  | {
      readonly type: 'cache-waits';
      readonly key: string;
      readonly package: string;
      readonly message: string;
    }
  /** Another machine was faster: its image is used, and its files differ from those that were built here. */
  | {
      readonly type: 'cache-differs';
      readonly key: string;
      readonly package: string;
      readonly message: string;
    };

/** What a registry cache is made of. */
export interface RegistryCacheOptions {
  readonly engine: Pick<Engine, 'list' | 'read' | 'write'>;
  readonly registry: Registry;
  /** The repository that images are pushed to and have their names from, without a tag, as the engine knows it. */
  readonly repository: string;
  /** Where images are looked for, in this order; none where nothing is to be pulled. */
  readonly pullFrom: readonly string[];
  /** Whether images that are offered are pushed. */
  readonly push: boolean;
  /** The names of base images in registries. */
  readonly bases: readonly string[];
  readonly platform?: Platform | undefined;
  /** An existing folder for files that live as long as the run. */
  readonly temporary: string;
  /** How machines tell each other what they are building; absent where nobody waits for another one. */
  readonly waiting?: Waiting | undefined;
  readonly onEvent: (event: CacheEvent) => void;
  readonly signal: AbortSignal;
}

/** How this machine waits for others, and tells them what it builds. */
export type Waiting = Pick<LeaseOptions, 'builder' | 'clock' | 'timeout'>;

/** Images of packages in registries, shared by every machine that uses the same repositories. */
export class RegistryCache implements ImageCache {
  readonly #options: RegistryCacheOptions;
  readonly #lookups: readonly TagLookup[];
  readonly #own: TagLookup;
  readonly #fetcher: Fetcher;
  readonly #pusher: Pusher;
  /** Where each image was found: its name in a registry. */
  readonly #found = new Map<string, string>();
  /** Repositories that do not answer. */
  readonly #lost = new Set<string>();
  /** What became of each push of this run, by key. */
  readonly #pushes = new Map<string, Promise<Diagnostic | undefined>>();
  readonly #leases: Leases | undefined;
  /** Ends what others are told of images that are being made. */
  readonly #begun = new Map<string, () => Promise<void>>();
  readonly #waitedFor = new Map<string, string>();

  constructor(options: RegistryCacheOptions) {
    this.#options = options;
    const { registry, repository, pullFrom, signal } = options;
    this.#own = new TagLookup(registry, repository, signal);
    this.#lookups = pullFrom.map((one) =>
      one === repository ? this.#own : new TagLookup(registry, one, signal),
    );
    this.#fetcher = new Fetcher(options);
    this.#pusher = new Pusher({ ...options, lookup: this.#own });
    if (options.waiting !== undefined)
      this.#leases = new Leases({
        ...options,
        ...options.waiting,
        lookup: this.#own,
        onWait: (key, builder) => this.#reportWaiting(key, builder),
      });
  }

  #reportWaiting(key: string, builder: string | undefined): void {
    const pack = this.#waitedFor.get(key) ?? '';
    const message =
      builder === undefined
        ? 'waits for another machine to push its image'
        : `waits for ${builder}, which builds it`;
    this.#options.onEvent({ type: 'cache-waits', key, package: pack, message });
  }

  /** Tells other machines that this one makes an image, where it is going to push it. */
  begin(key: string): () => Promise<void> {
    if (this.#leases === undefined || !this.#options.push) return async () => {};
    const end = this.#leases.begin(key);
    const once = async (): Promise<void> => {
      if (this.#begun.delete(key)) await end();
    };
    this.#begun.set(key, once);
    return once;
  }

  async wait(key: string, pack: string, isExpected: boolean): Promise<CachedImage | undefined> {
    const { repository, pullFrom, onEvent } = this.#options;
    if (this.#leases === undefined || !pullFrom.includes(repository) || this.#lost.has(repository))
      return undefined;
    this.#waitedFor.set(key, pack);
    const waited = await this.#leases.wait(key, isExpected);
    if (waited === 'there') return this.#at(key, repository);
    if (waited === 'nobody') return undefined;
    const message =
      waited === 'timeout'
        ? 'was waited for long enough and is built here'
        : 'is built here: the machine that built it has stopped';
    onEvent({ type: 'cache-waits', key, package: pack, message });
    return undefined;
  }

  /** Notes that a repository has the image of a key. */
  #at(key: string, repository: string): CachedImage {
    const name = `${repository}:${key}`;
    this.#found.set(key, name);
    return { key, record: () => this.#used(key, () => this.#fetcher.record(name, key)) };
  }

  async find(keys: readonly string[]): Promise<ReadonlyMap<string, CachedImage>> {
    const found = new Map<string, CachedImage>();
    for (const lookup of this.#lookups) {
      const open = keys.filter((key) => !found.has(key));
      if (open.length === 0) break;
      for (const key of await this.#within(lookup.repository, () => lookup.find(open), new Set<string>())) {
        found.set(key, this.#at(key, lookup.repository));
      }
    }
    return found;
  }

  fetch(key: string): Promise<string | undefined> {
    const name = this.#found.get(key);
    if (name === undefined) return Promise.resolve(undefined);
    const reference = `${this.#options.repository}:${key}`;
    return this.#used(key, async () => {
      await this.#fetcher.fetch(name, key, reference);
      return reference;
    });
  }

  async offer(image: OfferedImage): Promise<Offered> {
    if (!this.#options.push) return { kind: 'taken' };
    let mayReplace = false;
    try {
      const replaced = await this.#replaced(image);
      if (replaced !== undefined) {
        await this.#begun.get(image.key)?.();
        return replaced;
      }
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!isImageError(error)) throw error;
      // What the registry does not answer now, it may when the image is pushed; else that fails.
      mayReplace = error instanceof WrongKeyError;
    }
    this.#push(image, mayReplace);
    return { kind: 'taken' };
  }

  async share(images: readonly OfferedImage[]): Promise<void> {
    if (!this.#options.push) return;
    const { repository, engine } = this.#options;
    // A push that failed in this run is not made again, nor told of twice.
    const open = images.filter(({ key }) => !this.#pushes.has(key));
    if (open.length === 0) return;
    const keys = open.map(({ key }) => key);
    const there = await this.#within(repository, () => this.#own.find(keys), new Set(keys));
    const lacking = open.filter(({ key }) => !there.has(key));
    if (lacking.length === 0) return;
    const held = await engine.list(repository);
    for (const image of lacking) if (held.has(image.key)) this.#push(image, false);
  }

  #push(image: OfferedImage, mayReplace: boolean): void {
    const pushing = this.#pusher
      .push(image, mayReplace)
      .finally(() => this.#begun.get(image.key)?.())
      .then(
        () => undefined,
        (error: unknown) => this.#undelivered(image, error),
      );
    pushing.catch(() => {});
    this.#pushes.set(image.key, pushing);
  }

  async settle(): Promise<readonly Diagnostic[]> {
    const all = await Promise.all(this.#pushes.values());
    await Promise.all([...this.#begun.values()].map((end) => end()));
    return all.filter((one) => one !== undefined);
  }

  /** Takes another machine's image of the same key, where one was pushed meanwhile. */
  async #replaced({ key, reference, package: pack }: OfferedImage): Promise<Offered | undefined> {
    const { repository, engine, onEvent, signal } = this.#options;
    if ((await this.#own.headNow(key)) === undefined) return undefined;
    const name = `${repository}:${key}`;
    const theirs = await this.#fetcher.image(name, key);
    const opened = await engine.read([reference], { signal });
    try {
      const ours = await opened.image(reference);
      if (ours === undefined || (await isSameImage(ours, theirs))) return { kind: 'taken' };
      const message = await imageDifference(ours, theirs, signal);
      if (message !== undefined) onEvent({ type: 'cache-differs', key, package: pack, message });
    } finally {
      await opened.close();
    }
    await this.#fetcher.fetch(name, key, reference);
    return { kind: 'replaced', record: await this.#fetcher.record(name, key) };
  }

  /** What a repository answers; `otherwise` where it does not, which is reported once. */
  async #within<T>(repository: string, ask: () => Promise<T>, otherwise: T): Promise<T> {
    if (this.#lost.has(repository)) return otherwise;
    try {
      return await ask();
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!isImageError(error)) throw error;
      if (!this.#lost.has(repository)) {
        this.#lost.add(repository);
        this.#options.onEvent({ type: 'cache-lost', repository, message: error.message });
      }
      return otherwise;
    }
  }

  /** What is read of an image that was found; undefined where it cannot be used, which is reported. */
  async #used<T>(key: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      this.#options.signal.throwIfAborted();
      if (!isImageError(error)) throw error;
      if (this.#found.delete(key))
        this.#options.onEvent({ type: 'cache-refused', key, message: error.message });
      return undefined;
    }
  }

  #undelivered({ key, package: pack }: OfferedImage, error: unknown): Diagnostic {
    this.#options.signal.throwIfAborted();
    // Whatever went wrong with pushing, what was built is not lost for it.
    if (!isTransferError(error)) throw error;
    return {
      code: 'not-pushed',
      severity: 'error',
      message: `its image was built and not pushed to ${this.#options.repository}:${key}: ${error.message}`,
      package: pack,
      hint: 'When that is solved, build again in the same way: only what the registry lacks is pushed',
    };
  }
}
