import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import {
  countedImage,
  type Digest,
  type Image,
  measured,
  type ReadOptions,
  SplitRecorder,
} from '../../image/index.ts';
import { type BytePath, type EntrySource, readTar } from '../../tar/index.ts';
import { EngineError } from '../errors.ts';
import { FixedFolders, LayerView } from '../overlay/layers.ts';
import { UpperSource } from '../overlay/upper.ts';
import { overriding } from '../overriding.ts';
import { decodeMade, MADE_LABEL } from '../runtime.ts';
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
import { CopyWorkspace } from './copy-workspace.ts';
import { whyUnfiltered } from './filter/index.ts';
import { emptyFolder, FlatImages } from './flat.ts';
import { GROUP_LIST, type Group, makeGroup } from './groups.ts';
import { guard } from './guard.ts';
import { gaps } from './jail.ts';
import { infoOf, listed, listedAll } from './listing.ts';
import { type NativeWorkspace, toPath } from './native-workspace.ts';
import { place } from './place.ts';
import { type AskedWay, type Found, knownWay, probe, type Way } from './probe.ts';
import { architecture, reportOf } from './report.ts';
import { isMount } from './sandbox.ts';
import { opaqueName, StackFolders } from './stack.ts';
import { PATH, Starters } from './starter.ts';
import { diskError } from './store/disk.ts';
import { type Means, StoreImages } from './store/images.ts';
import type { ImageRecord, RecordLayer } from './store/records.ts';
import type { Store } from './store/store.ts';
import { UpperTree } from './upper-tree.ts';
import { OverlayWorkspace, type RunContext } from './workspace.ts';

/** What makes a native engine. */
export interface NativeEngineOptions {
  readonly store: Store;
  readonly now: () => Date;
  /** Whether the copies of one layer that some images have to be started from stay; they do where absent. */
  readonly keepImages?: boolean | undefined;
  /** What this process can give files. */
  readonly means: Means;
  /** Forces a way of working; the best that is to be had where absent. */
  readonly way?: AskedWay | undefined;
  /** Fetches an image that the store does not hold; absent where none can be fetched. */
  readonly pull?: ((reference: string, signal?: AbortSignal) => Promise<Image | undefined>) | undefined;
}

/** Workspaces on this machine itself, without a daemon, on images of a store. */
export class NativeEngine implements Engine {
  /** The store's images, to be copied to and from other places. */
  readonly images: StoreImages;
  readonly #options: NativeEngineOptions;
  readonly #store: Store;
  readonly #context: RunContext;
  #known: Promise<Found> | undefined;
  #endGuard: (() => Promise<void>) | undefined;
  #swept: Promise<void> | undefined;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #temporary = new Set<string>();
  readonly #flat: FlatImages;

  constructor(options: NativeEngineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.images = new StoreImages(options.store, options.means);
    this.#flat = new FlatImages(options.store, options.keepImages !== false, (reference) =>
      this.#temporary.add(reference),
    );
    this.#context = {
      store: options.store,
      namespaced: new Starters('namespace', () => this.#store.freshPath('pipe')),
      starters: new Starters('none', () => this.#store.freshPath('pipe')),
      stackFolders: new StackFolders(() => this.#store.freshPath('s')),
      folders: new FixedFolders(),
      isThere: remembered(existsSync),
      isMount: remembered(isMount),
      hasOneId: options.means.owners === 'none',
    };
  }

  async report(): Promise<EngineReport> {
    return reportOf(this.#store.folder, (await this.#known)?.way?.kind);
  }

  async resolve(
    reference: string,
    options: { readonly pull?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ImageInfo | undefined> {
    let record = this.#store.use(reference, this.#options.now());
    if (record === undefined && options.pull !== false) record = await this.#pull(reference, options.signal);
    return record === undefined ? undefined : infoOf(this.images, reference, record);
  }

  /** Fetches an image, once where several runs want it. */
  async #pull(reference: string, signal: AbortSignal | undefined): Promise<ImageRecord | undefined> {
    const { pull } = this.#options;
    if (pull === undefined) return undefined;
    const release = await this.#store.claim(`pull ${reference}`, undefined, signal);
    try {
      const there = this.#store.find(reference);
      if (there !== undefined) return there;
      const image = await pull(reference, signal);
      if (image === undefined) return undefined;
      await this.images.write(reference, image, signal === undefined ? {} : { signal });
      return this.#store.find(reference);
    } finally {
      release();
    }
  }

  async list(repository: string, only?: string): Promise<ReadonlyMap<string, ListedImage>> {
    return listed(this.#store, repository, only);
  }

  async listAll(): Promise<readonly HeldImage[]> {
    return listedAll(this.#store);
  }

  read(references: readonly string[], options: ReadOptions = {}): Promise<OpenedImages> {
    options.signal?.throwIfAborted();
    const now = this.#options.now();
    const layers = references.flatMap((name) => this.#store.use(name, now)?.layers ?? []);
    const hold = this.#store.holds.hold(layers.map(({ id }) => this.#store.layer(id).files));
    const inner = { close: async () => hold.release() };
    this.#open.add(inner);
    const { onBytes } = options;
    const image = async (name: string): Promise<Image | undefined> => {
      const found = references.includes(name) ? await this.images.image(name) : undefined;
      return found === undefined || onBytes === undefined ? found : countedImage(found, onBytes);
    };
    return Promise.resolve({ image, close: () => this.#close(inner) });
  }

  async write(images: readonly NamedImage[], options: PutOptions = {}): Promise<void> {
    // Whoever only pulls would never take away what pulls that were killed left; it is nothing that this one needs.
    this.#swept ??= this.#store.sweep().catch(() => {});
    await this.#swept;
    for (const { name, image } of images) {
      await this.images.write(name, image, options);
      if (options.temporary !== true) continue;
      this.#store.put(name, this.#recordOf(name), true);
      this.#temporary.add(name);
    }
  }

  #recordOf(reference: string): ImageRecord {
    const record = this.#store.use(reference, this.#options.now());
    if (record === undefined)
      throw new EngineError(`the store has no image ${reference}`, {
        kind: 'image-missing',
        image: reference,
      });
    return record;
  }

  open(options: WorkspaceOptions): Promise<Workspace> {
    return this.#told(this.#openWorkspace(options));
  }

  async #openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
    options.signal?.throwIfAborted();
    const record = this.#recordOf(options.image);
    const way = await this.#way();
    const layers = await this.#flat.startable(record.layers, way);
    const inner = await this.#openWay(way, layers, options, madeIn(record));
    this.#open.add(inner);
    return overriding(inner, {
      upload: (entries: EntrySource) => this.#told(inner.upload(entries)),
      run: (...given: Parameters<Workspace['run']>) => this.#told(inner.run(...given)),
      commit: (reference: string, labels: Readonly<Record<string, string>>, temporary = false) => {
        const configuration = committed(record, options.environment, labels, this.#options.now());
        const below = inner.isWhole ? [] : layers;
        return this.#told(this.#commit(inner, { configuration, layers: below }, reference, temporary));
      },
      close: () => this.#close(inner),
    });
  }

  /** Makes an image of a workspace's layer over others. */
  async #commit(
    inner: NativeWorkspace,
    { configuration, layers }: Pick<ImageRecord, 'configuration' | 'layers'>,
    reference: string,
    temporary: boolean,
  ): Promise<void> {
    const { id } = inner.layer;
    await inner.keep();
    try {
      this.#store.put(reference, { configuration, layers: [...layers, { id }] }, temporary);
    } catch (error) {
      // Nobody else would know that it is nobody's; where the disk is full it is what makes room.
      await this.#store.dropLayer(id);
      throw error;
    }
    // Not before: whatever is neither in the making nor an image's may be removed in the moment between.
    this.#store.settle(id);
    if (temporary) this.#temporary.add(reference);
  }

  /** What work on the store gives, or rejects with: the engine's own error where the disk is full. */
  async #told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw diskError(this.#store.folder, error);
    }
  }

  async #openWay(
    way: Way,
    layers: readonly RecordLayer[],
    options: WorkspaceOptions,
    known: ReadonlySet<BytePath>,
  ): Promise<NativeWorkspace> {
    const group = this.#group(options);
    try {
      const folders = this.#store.lowersOf(layers);
      if (way.kind === 'bare') this.#endGuard ??= guard(this.#store.ownLayers);
      if (way.kind === 'overlay')
        return new OverlayWorkspace(this.#context, folders, options, way, group, known);
      return await CopyWorkspace.open(this.#context, folders[0], options, way, group, known);
    } catch (error) {
      await group?.remove();
      const { code } = error as NodeJS.ErrnoException;
      // Another run took the image away in the moment between.
      if (code === 'ENOENT' && this.#store.find(options.image) === undefined) throw missing(options.image);
      throw diskError(this.#store.folder, error);
    }
  }

  /** The control groups of a workspace, named after this run. */
  #group(options: WorkspaceOptions): Group | undefined {
    const run = this.#store.runFolder();
    const name = `${basename(run)}-${basename(this.#store.freshPath('group'))}`;
    return makeGroup(options, name, join(run, GROUP_LIST));
  }

  async isolationGaps(): Promise<readonly string[]> {
    const way = await this.#way();
    const open = way.kind === 'bare' ? gaps(way.walls) : [];
    // What is said of walls without perl says it already.
    if (way.kind === 'bare' && !way.walls.perl) return open;
    const unfiltered = whyUnfiltered(way.kind === 'bare' || way.maker === 'chroot' ? PATH : undefined);
    return unfiltered === undefined ? open : [...open, unfiltered];
  }

  /** Finds out how work can be done here. */
  probe(): Promise<Found> {
    this.#known = probe(this.#store, this.#options.way);
    return this.#known;
  }

  /** How work is done here. Rejects with an `EngineError` that says what is missing where it cannot be. */
  async #way(): Promise<Way> {
    this.#known ??= knownWay(this.#store, this.#options.way);
    const { way, trials } = await this.#known;
    if (way !== undefined) return way;
    const tried = trials.map(({ name, reason }) => `  ${name}: ${reason}`);
    throw new EngineError(`nothing can be run on this machine itself\n${tried.join('\n')}`);
  }

  async #close(inner: { close(): Promise<void> }): Promise<void> {
    await inner.close();
    this.#open.delete(inner);
  }

  async openForReading(image: string, signal?: AbortSignal): Promise<Reader> {
    signal?.throwIfAborted();
    const record = this.#recordOf(image);
    const lowers = this.#store.lowersOf(record.layers);
    const empty = emptyFolder(this.#store);
    const hold = this.#store.holds.hold(lowers);
    const mount = { upper: empty, lowers };
    const from = new UpperSource(mount, '', { fixed: this.#context.folders, known: madeIn(record) });
    const inner = { close: async () => hold.release() };
    this.#open.add(inner);
    return overriding(from, { close: () => this.#close(inner) });
  }

  async importImage(
    reference: string,
    root: AsyncIterable<Uint8Array>,
    temporary = false,
  ): Promise<ImageInfo> {
    const layer = this.#store.newLayer();
    const split = new SplitRecorder(this.#store.freshPath('split'));
    try {
      let digest: Digest | undefined;
      const tree = new UpperTree(toPath(layer.files), new LayerView([]), opaqueName(this.#store.form));
      const source = measured(root, (value) => (digest = value.digest));
      await place(tree, split.entries(readTar(split.watch(source))), split);
      if (await split.finish()) this.#store.keepSplit(layer.id, split.file);
      const record = this.#store.put(
        reference,
        {
          configuration: {
            created: this.#options.now().toISOString(),
            os: 'linux',
            architecture: architecture(),
            config: { Cmd: ['/bin/sh'], Labels: {} },
          },
          layers: [{ id: layer.id, ...(digest === undefined ? {} : { diffId: digest }) }],
        },
        temporary,
      );
      this.#store.settle(layer.id);
      if (temporary) this.#temporary.add(reference);
      return await infoOf(this.images, reference, record);
    } catch (error) {
      await this.#store.dropLayer(layer.id).catch(() => {});
      throw diskError(this.#store.folder, error);
    } finally {
      split.close();
    }
  }

  async remove(reference: string): Promise<void> {
    this.#temporary.delete(reference);
    await this.#store.remove(reference);
  }

  claim(name: string, onWait: () => void, signal?: AbortSignal): Promise<() => void> {
    return this.#store.claim(name, onWait, signal);
  }

  sweep(): Promise<void> {
    return this.#store.sweep();
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((inner) => this.#close(inner)));
    this.#context.namespaced.close();
    this.#context.starters.close();
    await this.#endGuard?.();
    await this.#store.close([...this.#temporary]);
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

/** What other engines made in containers and committed with an image. */
const madeIn = ({ configuration }: ImageRecord): ReadonlySet<BytePath> =>
  decodeMade(configuration.config?.Labels?.[MADE_LABEL]);

const missing = (reference: string): EngineError =>
  new EngineError(`the store has no image ${reference}`, { kind: 'image-missing', image: reference });

/** The configuration of an image that is made of a workspace. */
function committed(
  { configuration }: ImageRecord,
  environment: ReadonlyMap<string, string>,
  labels: Readonly<Record<string, string>>,
  now: Date,
): ImageRecord['configuration'] {
  const Env = [...environment].map(([name, value]) => `${name}=${value}`);
  const Labels = { ...configuration.config?.Labels, ...labels };
  const { os, architecture: machine, variant } = configuration;
  return {
    os,
    architecture: machine,
    ...(variant === undefined ? {} : { variant }),
    created: now.toISOString(),
    config: { Env, Cmd: ['/bin/sh'], Labels },
  };
}
