import { existsSync } from 'node:fs';
import type { ReadOptions } from '../../image/index.ts';
import { type Means, type Store, StoreImages } from '../../store/index.ts';
import { EngineError } from '../errors.ts';
import { FixedFolders } from '../overlay/layers.ts';
import type {
  Engine,
  EngineReport,
  HeldImage,
  ImageInfo,
  ListedImage,
  NamedImage,
  OpenedImages,
  PutOptions,
  Reader,
  Workspace,
  WorkspaceOptions,
} from '../types.ts';
import { whyUnfiltered } from './filter/index.ts';
import { type AskedWay, knownWay, type ProbeResult, probe, type Way } from './find/probe.ts';
import { importImage, type Pull, pullImage, readImages, writeImages } from './images.ts';
import { infoOf, listed, listedAll } from './listing.ts';
import { reportOf } from './report.ts';
import { guard } from './sandbox/guard.ts';
import { gaps } from './sandbox/jail.ts';
import { isMount } from './sandbox/sandbox.ts';
import { PATH, Starters } from './sandbox/starter.ts';
import { closeOpened, type EngineState, onStore, recordOf } from './state.ts';
import { FlatImages } from './workspace/flat.ts';
import { openReader, openWorkspace } from './workspace/open.ts';
import type { RunContext } from './workspace/overlay.ts';
import { StackFolders } from './workspace/stack.ts';

/** What makes a native engine. */
export interface NativeEngineOptions {
  readonly store: Store;
  readonly now: () => Date;
  /** Whether the copies of one layer that some images must be started from stay; they do where absent. */
  readonly keepImages?: boolean | undefined;
  /** What this process can give files. */
  readonly means: Means;
  /** Forces a way of working; the best that works here where absent. */
  readonly way?: AskedWay | undefined;
  /** Fetches an image that the store does not hold; absent where none can be fetched. */
  readonly pull?: Pull | undefined;
}

/** Workspaces on this machine itself, without a daemon, on the images of a store. */
export class NativeEngine implements Engine {
  /** The store's images, to be copied to and from other places. */
  readonly images: StoreImages;
  readonly #options: NativeEngineOptions;
  readonly #state: EngineState;
  readonly #context: RunContext;
  readonly #flat: FlatImages;
  #probed: Promise<ProbeResult> | undefined;
  #endGuard: (() => Promise<void>) | undefined;
  #swept: Promise<void> | undefined;

  constructor(options: NativeEngineOptions) {
    const { store, means, now, keepImages } = options;
    this.#options = options;
    this.images = new StoreImages(store, means);
    const temporary = new Set<string>();
    this.#state = { store, images: this.images, now, temporary, opened: new Set() };
    this.#flat = new FlatImages(store, keepImages !== false, temporary);
    this.#context = {
      store,
      namespaced: new Starters('namespace', () => store.freshPath('pipe')),
      starters: new Starters('none', () => store.freshPath('pipe')),
      stackFolders: new StackFolders(() => store.freshPath('s')),
      folders: new FixedFolders(),
      isThere: remembered(existsSync),
      isMount: remembered(isMount),
      hasOneId: means.owners === 'none',
    };
  }

  /** Does work on the store, whose failures become the engine's. */
  #do<T>(work: () => T | Promise<T>): Promise<T> {
    return onStore(this.#state.store.folder, work);
  }

  async report(): Promise<EngineReport> {
    return reportOf(this.#state.store.folder, (await this.#probed)?.way?.kind);
  }

  resolve(
    reference: string,
    options: { readonly pull?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ImageInfo | undefined> {
    return this.#do(async () => {
      const { store, now, images } = this.#state;
      const { pull } = this.#options;
      let record = store.use(reference, now());
      if (record === undefined && options.pull !== false && pull !== undefined)
        record = await pullImage(this.#state, pull, reference, options.signal);
      return record === undefined ? undefined : await infoOf(images, reference, record);
    });
  }

  list(repository: string, only?: string): Promise<ReadonlyMap<string, ListedImage>> {
    return this.#do(() => listed(this.#state.store, repository, only));
  }

  listAll(): Promise<readonly HeldImage[]> {
    return this.#do(() => listedAll(this.#state.store));
  }

  read(references: readonly string[], options: ReadOptions = {}): Promise<OpenedImages> {
    return this.#do(() => readImages(this.#state, references, options));
  }

  write(images: readonly NamedImage[], options: PutOptions = {}): Promise<void> {
    return this.#do(async () => {
      // A program that only pulls never calls `sweep`, and would keep what pulls that were killed left.
      this.#swept ??= this.#state.store.sweep().catch(() => {});
      await this.#swept;
      await writeImages(this.#state, images, options);
    });
  }

  open(options: WorkspaceOptions): Promise<Workspace> {
    return this.#do(async () => {
      options.signal?.throwIfAborted();
      const record = recordOf(this.#state, options.image);
      const way = await this.#way();
      if (way.kind === 'bare') this.#endGuard ??= guard(this.#state.store.layers.ownPaths);
      const opening = { context: this.#context, flat: this.#flat, way };
      return await openWorkspace(this.#state, opening, record, options);
    });
  }

  openForReading(image: string, signal?: AbortSignal): Promise<Reader> {
    return this.#do(() => {
      signal?.throwIfAborted();
      return openReader(this.#state, this.#context, image);
    });
  }

  importImage(reference: string, root: AsyncIterable<Uint8Array>, temporary = false): Promise<ImageInfo> {
    return this.#do(() => importImage(this.#state, reference, root, temporary));
  }

  isolationGaps(): Promise<readonly string[]> {
    return this.#do(async () => {
      const way = await this.#way();
      const open = way.kind === 'bare' ? gaps(way.walls) : [];
      // Without perl there is no filter either, and the gaps say so already.
      if (way.kind === 'bare' && !way.walls.perl) return open;
      const unfiltered = whyUnfiltered(way.kind === 'bare' || way.maker === 'chroot' ? PATH : undefined);
      return unfiltered === undefined ? open : [...open, unfiltered];
    });
  }

  /** Finds out again in which way this machine can run commands. */
  probe(): Promise<ProbeResult> {
    this.#probed = this.#do(() => probe(this.#state.store, this.#options.way));
    return this.#probed;
  }

  /**
   * The way in which this machine runs commands. Rejects with an `EngineError` that says what is missing
   * where it cannot.
   */
  async #way(): Promise<Way> {
    this.#probed ??= knownWay(this.#state.store, this.#options.way);
    const { way, trials } = await this.#probed;
    if (way !== undefined) return way;
    const tried = trials.map(({ name, reason }) => `  ${name}: ${reason}`);
    throw new EngineError(`nothing can be run on this machine itself\n${tried.join('\n')}`);
  }

  remove(reference: string): Promise<void> {
    this.#state.temporary.delete(reference);
    return this.#do(() => this.#state.store.remove(reference));
  }

  claim(name: string, onWait: () => void, signal?: AbortSignal): Promise<() => void> {
    return this.#do(() => this.#state.store.runs.claim(name, onWait, signal));
  }

  sweep(): Promise<void> {
    return this.#do(() => this.#state.store.sweep());
  }

  close(): Promise<void> {
    return this.#do(async () => {
      const { store, opened, temporary } = this.#state;
      await Promise.allSettled([...opened].map((one) => closeOpened(this.#state, one)));
      this.#context.namespaced.close();
      this.#context.starters.close();
      await this.#endGuard?.();
      await store.close([...temporary]);
    });
  }
}

function remembered<T>(ask: (name: string) => T): (name: string) => T {
  const known = new Map<string, T>();
  return (name) => {
    const before = known.get(name);
    if (before !== undefined) return before;
    const answer = ask(name);
    known.set(name, answer);
    return answer;
  };
}
