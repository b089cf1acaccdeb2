import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { type Digest, type Image, measured } from '../../image/index.ts';
import { readTar } from '../../tar/index.ts';
import { LayerView } from '../overlay/layers.ts';
import { UpperSource } from '../overlay/upper.ts';
import {
  type Engine,
  EngineError,
  type EngineReport,
  type HeldImage,
  type ImageInfo,
  type ListedImage,
  type NamedImage,
  type OpenedImages,
  type PutOptions,
  type Reader,
  type Workspace,
  type WorkspaceOptions,
} from '../types.ts';
import { PipePool } from './pipes.ts';
import { place } from './place.ts';
import { PATH } from './run.ts';
import { opaqueName, Stack } from './stack.ts';
import type { ImageRecord, RecordLayer } from './store/records.ts';
import { StoreSink } from './store/sink.ts';
import { type Store, storeError } from './store/store.ts';
import { UpperTree } from './upper-tree.ts';
import { OverlayWorkspace, type RunContext } from './workspace.ts';

/** What makes a native engine. */
export interface NativeEngineOptions {
  readonly store: Store;
  readonly now: () => Date;
  /** This program's process id. */
  readonly pid: number;
  /** Whether the copies of one layer that some images have to be started from stay; they do where absent. */
  readonly keepImages?: boolean | undefined;
  /** Fetches an image that the store does not hold; absent where none can be fetched. */
  readonly pull?: ((reference: string, signal?: AbortSignal) => Promise<Image | undefined>) | undefined;
}

/** A stack of more costs at every look for what is not there; a workspace goes on above a copy of one layer. */
const MOST_LAYERS = 100;

const bytes = (path: string): string => Buffer.from(path, 'utf8').toString('latin1');
const byName = promisify(execFile);

/** Workspaces on this machine itself, without a daemon, on images of a store. */
export class NativeEngine implements Engine {
  /** The store's images, to be copied to and from other places. */
  readonly images: StoreSink;
  readonly #options: NativeEngineOptions;
  readonly #store: Store;
  readonly #context: RunContext;
  readonly #open = new Set<{ close(): Promise<void> }>();
  readonly #temporary = new Set<string>();
  readonly #flat = new Map<string, Promise<readonly RecordLayer[]>>();

  constructor(options: NativeEngineOptions) {
    this.#options = options;
    this.#store = options.store;
    this.images = new StoreSink(options.store, 'trusted');
    this.#context = {
      store: options.store,
      pipes: new PipePool(() => this.#store.freshPath('pipe')),
      form: 'trusted',
      freshProc: true,
      pid: options.pid,
    };
  }

  async report(): Promise<EngineReport> {
    const { folder } = this.#store;
    let freeBytes: number | undefined;
    try {
      const { bavail, bsize } = statfsSync(folder);
      freeBytes = bavail * bsize;
    } catch {
      // Not made yet.
    }
    return {
      name: 'native',
      version: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
      apiVersion: '',
      address: `native:${folder}`,
      storageDriver: 'overlay',
      platform: `linux/${architecture()}`,
      cpus: availableParallelism(),
      dataRoot: folder,
      ...(freeBytes === undefined ? {} : { freeBytes }),
    };
  }

  async resolve(
    reference: string,
    options: { readonly pull?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ImageInfo | undefined> {
    let record = this.#store.find(reference);
    if (record === undefined && options.pull !== false) {
      const image = await this.#options.pull?.(reference, options.signal);
      if (image !== undefined) {
        const { signal } = options;
        await this.images.write(reference, image, signal === undefined ? {} : { signal });
        record = this.#store.find(reference);
      }
    }
    return record === undefined ? undefined : this.#info(reference, record);
  }

  async #info(reference: string, record: ImageRecord): Promise<ImageInfo> {
    const { configuration: it, layers } = record;
    const diffIds: Digest[] = [];
    for (const layer of layers) diffIds.push(layer.diffId ?? `sha256:${layer.id}`);
    return {
      reference,
      layers: diffIds,
      config: {
        env: it.config?.Env ?? [],
        os: it.os,
        architecture: it.architecture,
        variant: it.variant ?? '',
      },
      created: secondsOf(it.created),
      labels: it.config?.Labels ?? {},
    };
  }

  async list(repository: string): Promise<ReadonlyMap<string, ListedImage>> {
    const found = new Map<string, ListedImage>();
    for (const [tag, { configuration }] of this.#store.records.list(repository))
      found.set(tag, { tag, labels: configuration.config?.Labels ?? {} });
    return found;
  }

  async listAll(): Promise<readonly HeldImage[]> {
    const { records } = this.#store;
    return records.repositories().flatMap((repository) =>
      [...records.list(repository)].map(([tag, { configuration }]) => ({
        names: [tag.includes(':') ? `${repository}@${tag}` : `${repository}:${tag}`],
        created: secondsOf(configuration.created),
      })),
    );
  }

  read(): Promise<OpenedImages> {
    return Promise.reject(new EngineError('the native engine does not hand out its images yet'));
  }

  async write(images: readonly NamedImage[], options: PutOptions = {}): Promise<void> {
    for (const { name, image } of images) {
      await this.images.write(name, image, options);
      if (options.temporary !== true) continue;
      this.#store.put(name, this.#recordOf(name), true);
      this.#temporary.add(name);
    }
  }

  #recordOf(reference: string): ImageRecord {
    const record = this.#store.find(reference);
    if (record === undefined)
      throw new EngineError(`the store has no image ${reference}`, {
        kind: 'image-missing',
        image: reference,
      });
    return record;
  }

  #filesOf(layers: readonly RecordLayer[]): string[] {
    return layers.map(({ id }) => this.#store.layer(id).files);
  }

  async open(options: WorkspaceOptions): Promise<Workspace> {
    options.signal?.throwIfAborted();
    const record = this.#recordOf(options.image);
    const layers = await this.#startable(record.layers);
    const inner = new OverlayWorkspace(this.#context, this.#filesOf(layers), options);
    this.#open.add(inner);
    return {
      source: inner.source,
      upload: (entries) => inner.upload(entries),
      run: (command, onOutput) => inner.run(command, onOutput),
      setEnvironment: (environment) => inner.setEnvironment(environment),
      mark: async () => inner.mark(),
      changes: () => inner.from.changes(),
      list: async (root) => inner.from.list(root),
      stat: async (paths) => inner.from.stat(paths),
      read: (files) => inner.read(files),
      commit: async (reference, labels, temporary = false) => {
        this.#store.put(
          reference,
          {
            configuration: {
              ...record.configuration,
              created: this.#options.now().toISOString(),
              config: {
                Env: [...options.environment].map(([name, value]) => `${name}=${value}`),
                Cmd: ['/bin/sh'],
                Labels: { ...record.configuration.config?.Labels, ...labels },
              },
            },
            layers: [...layers, { id: inner.layer.id }],
          },
          temporary,
        );
        inner.keep();
        if (temporary) this.#temporary.add(reference);
      },
      close: () => this.#close(inner),
    };
  }

  async #close(inner: { close(): Promise<void> }): Promise<void> {
    await inner.close();
    this.#open.delete(inner);
  }

  /** The layers to start from: the image's, or one that is a copy of them where they are too many. */
  #startable(layers: readonly RecordLayer[]): Promise<readonly RecordLayer[]> {
    if (layers.length <= MOST_LAYERS) return Promise.resolve(layers);
    const key = createHash('sha256')
      .update(layers.map(({ id }) => id).join())
      .digest('hex');
    const flat = this.#flat.get(key) ?? this.#flatten(layers, key);
    this.#flat.set(key, flat);
    return flat;
  }

  async #flatten(layers: readonly RecordLayer[], key: string): Promise<readonly RecordLayer[]> {
    const reference = `luet/flat:${key}`;
    const known = this.#store.find(reference);
    if (known !== undefined) return known.layers;
    const { store, form } = this.#context;
    const layer = store.newLayer();
    const places = store.freshPath('empty');
    mkdirSync(places);
    const stack = new Stack(store.freshPath('w'), layer.files, this.#filesOf(layers).reverse(), places, form);
    try {
      await byName('unshare', ['-m', 'sh', '-c', `${stack.mountLowers()}cp -a --reflink=auto m/. u/`], {
        cwd: stack.folder,
        env: { PATH },
      });
    } catch (error) {
      await store.dropLayer(layer.id);
      throw new EngineError(`layers cannot be made one: ${(error as Error).message}`, { cause: error });
    } finally {
      await rm(stack.folder, { recursive: true, force: true });
    }
    const temporary = this.#options.keepImages === false;
    const configuration = { os: 'linux', architecture: architecture() };
    const { layers: made } = store.put(reference, { configuration, layers: [{ id: layer.id }] }, temporary);
    store.settle(layer.id);
    if (temporary) this.#temporary.add(reference);
    return made;
  }

  async openForReading(image: string, signal?: AbortSignal): Promise<Reader> {
    signal?.throwIfAborted();
    const lowers = this.#filesOf(this.#recordOf(image).layers).reverse();
    const { store, form } = this.#context;
    const empty = store.freshPath('empty');
    mkdirSync(empty);
    // A workspace without a top: its links keep the layers from being removed meanwhile.
    const stack = new Stack(store.freshPath('w'), empty, lowers, empty, form);
    const from = new UpperSource({ upper: empty, lowers }, '');
    const inner = { close: () => rm(stack.folder, { recursive: true, force: true }) };
    this.#open.add(inner);
    return {
      list: async (root) => from.list(root),
      stat: async (paths) => from.stat(paths),
      read: (files) => from.read(files),
      close: () => this.#close(inner),
    };
  }

  async importImage(
    reference: string,
    root: AsyncIterable<Uint8Array>,
    labels: Readonly<Record<string, string>>,
    temporary = false,
  ): Promise<ImageInfo> {
    const layer = this.#store.newLayer();
    try {
      let digest: Digest | undefined;
      const tree = new UpperTree(bytes(layer.files), new LayerView([]), opaqueName(this.#context.form));
      const source = measured(root, (value) => (digest = value.digest));
      await place(tree, readTar(source));
      const record = this.#store.put(
        reference,
        {
          configuration: {
            created: this.#options.now().toISOString(),
            os: 'linux',
            architecture: architecture(),
            config: { Cmd: ['/bin/sh'], Labels: labels },
          },
          layers: [{ id: layer.id, ...(digest === undefined ? {} : { diffId: digest }) }],
        },
        temporary,
      );
      this.#store.settle(layer.id);
      if (temporary) this.#temporary.add(reference);
      return await this.#info(reference, record);
    } catch (error) {
      await this.#store.dropLayer(layer.id).catch(() => {});
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ENOSPC' || code === 'EDQUOT' ? storeError(this.#store.folder, error) : error;
    }
  }

  buildImage(): Promise<ImageInfo> {
    return Promise.reject(
      new EngineError(
        'the native engine does not build Dockerfiles: use --engine docker or podman for this tree, or give the package an image and steps',
      ),
    );
  }

  async remove(reference: string): Promise<void> {
    this.#temporary.delete(reference);
    await this.#store.remove(reference);
  }

  sweep(): Promise<void> {
    return this.#store.sweep();
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((inner) => this.#close(inner)));
    await this.#store.close([...this.#temporary]);
  }
}

/** This machine's architecture as images name it. */
export function architecture(): string {
  return ({ x64: 'amd64' } as Record<string, string>)[process.arch] ?? process.arch;
}

/** Seconds since 1970; 0 where there is no such time. */
function secondsOf(time: string | undefined): number {
  const milliseconds = Date.parse(time ?? '');
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}
