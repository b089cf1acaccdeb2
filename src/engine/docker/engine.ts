import { statfsSync } from 'node:fs';
import type { ReadOptions } from '../../image/index.ts';
import {
  type ChangeSource,
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
import { ApiError, type Connection } from './connection.ts';
import { type ExchangeOptions, readImages, writeImages } from './exchange.ts';
import { Images, patiently, RUN_LABEL } from './images.ts';
import { NamelessImages } from './nameless.ts';
import { Spool } from './spool.ts';
import { tarsOf, toldByTime } from './tars.ts';
import { containerOf, DockerWorkspace, type RunContext } from './workspace.ts';

/** What makes a Docker engine of a connection. */
export interface DockerEngineOptions {
  /** Identifies this run in labels and in the tags of temporary images; unique among all runs on all hosts. */
  readonly runId: string;
  /** Whether the run of that id has surely ended; absent where nothing is known of other runs. */
  readonly isOver?: (runId: string) => boolean;
  readonly token: () => string;
  /** An existing folder for temporary files. */
  readonly temporary: string;
  /** Forces a source of changes; `upper` (with a fallback) where absent. */
  readonly source?: ChangeSource | undefined;
  /** The folder of the Docker command line's configuration, for registry credentials. */
  readonly dockerConfig: string;
  readonly now: () => Date;
  /** Whether the copies of one layer that some images have to be started from stay; they do where absent. */
  readonly keepImages?: boolean;
}

/** Docker's limit is about 125; each workspace adds two, and a chain goes on above what it was flattened to. */
const MOST_LAYERS = 100;

/** How old a leftover that does not remove itself must be before another run takes it away, in milliseconds. */
const LEFTOVER_AGE = 10 * 60 * 1000;

interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string }[] | null;
}

interface SystemInfo {
  readonly NCPU?: number;
  readonly Driver?: string;
  readonly DockerRootDir?: string;
  readonly OSType?: string;
  readonly Architecture?: string;
}

/** Containers and images of an engine that speaks the Docker API: Docker 20.10 and later, podman 4.3 and later. */
export class DockerEngine implements Engine {
  readonly #connection: Connection;
  readonly #options: DockerEngineOptions;
  readonly #context: RunContext;
  readonly #images: Images;
  readonly #nameless: NamelessImages;
  readonly #isPodman: boolean;
  readonly #version: string;
  readonly #api: string;
  readonly #open = new Set<DockerWorkspace>();
  readonly #flat = new Map<string, Promise<string>>();
  readonly #temporary = new Set<string>();
  /** How many layers images have that can be started as they are. */
  readonly #layers = new Map<string, number>();
  /** What is removed in the background. */
  readonly #going = new Set<Promise<void>>();
  #lease: Promise<DockerWorkspace> | undefined;

  private constructor(connection: Connection, options: DockerEngineOptions, version: Version) {
    this.#connection = connection;
    this.#options = options;
    const podman = version.Components?.find(({ Name }) => /podman/i.test(Name));
    this.#isPodman = podman !== undefined;
    this.#version =
      podman?.Version ??
      version.Components?.find(({ Name }) => Name === 'Engine')?.Version ??
      version.Version;
    this.#api = version.ApiVersion;
    this.#images = new Images({
      connection,
      isPodman: this.#isPodman,
      runId: options.runId,
      dockerConfig: options.dockerConfig,
    });
    this.#nameless = new NamelessImages(this.#images, connection, options.runId);
    this.#context = {
      connection,
      onImage: (id) => this.#nameless.used(id),
      labels: { [RUN_LABEL]: options.runId },
      token: options.token,
      source: options.source ?? 'upper',
      // Podman reports a folder that was made again as deleted.
      fallback: this.#isPodman ? 'export' : 'changes',
      isPodman: this.#isPodman,
      temporary: options.temporary,
    };
  }

  /** Asks what answers. Rejects with an `EngineError` where nothing does. */
  static async create(
    connection: Connection,
    options: DockerEngineOptions,
    signal?: AbortSignal,
  ): Promise<DockerEngine> {
    const version = await connection.json<Version>('GET', '/version', { signal });
    if (typeof version?.ApiVersion !== 'string')
      throw new EngineError(`what answers at ${connection.address} is not the Docker API`);
    return new DockerEngine(connection, options, version);
  }

  async report(): Promise<EngineReport> {
    const info = await this.#connection.json<SystemInfo>('GET', '/info');
    const dataRoot = info.DockerRootDir ?? '';
    let freeBytes: number | undefined;
    try {
      const { bavail, bsize } = statfsSync(dataRoot);
      freeBytes = bavail * bsize;
    } catch {
      // Not on this machine.
    }
    return {
      name: this.#isPodman ? 'Podman' : 'Docker',
      version: this.#version,
      apiVersion: this.#api,
      address: this.#connection.address,
      storageDriver: info.Driver ?? 'unknown',
      platform: `${info.OSType ?? 'linux'}/${architectureOf(info.Architecture ?? '')}`,
      cpus: info.NCPU ?? 1,
      dataRoot,
      ...(freeBytes === undefined ? {} : { freeBytes }),
    };
  }

  resolve(...given: Parameters<Engine['resolve']>): Promise<ImageInfo | undefined> {
    return this.#images.resolve(...given);
  }

  list(repository: string): Promise<ReadonlyMap<string, ListedImage>> {
    return this.#images.list(repository);
  }

  listAll(): Promise<readonly HeldImage[]> {
    return this.#images.all();
  }

  get #exchange(): ExchangeOptions {
    const { temporary } = this.#options;
    return { connection: this.#connection, images: this.#images, temporary };
  }

  read(references: readonly string[], options: ReadOptions = {}): Promise<OpenedImages> {
    return readImages(this.#exchange, references, options);
  }

  async write(images: readonly NamedImage[], options: PutOptions = {}): Promise<void> {
    const before = await Promise.all(images.map(({ name }) => this.#images.inspect(name)));
    await writeImages(this.#exchange, images, options);
    if (options.temporary === true) {
      for (const { name } of images) this.#temporary.add(name);
      // An image without a shell cannot hold a lease, and nobody else takes it for a leftover before it is old.
      for (const { name } of images.slice(0, 1)) await this.#keepLease(name).catch(() => {});
    }
    // What had these names before, and has no other, is of no use to anyone.
    for (const old of before) {
      if (old === undefined) continue;
      this.#nameless.own(old.Id);
      await this.#images.drop(old.Id);
    }
  }

  async open(options: WorkspaceOptions): Promise<Workspace> {
    const inner = await this.#openContainer(options);
    return {
      source: inner.source,
      upload: (entries) => inner.upload(entries),
      run: (command, onOutput) => inner.run(command, onOutput),
      setEnvironment: (environment) => inner.setEnvironment(environment),
      mark: () => inner.mark(),
      changes: () => inner.changes(),
      list: (root) => inner.list(root),
      stat: (paths) => inner.stat(paths),
      read: (files) => inner.read(files),
      commit: (reference, labels, temporary = false) =>
        this.#commit(inner, options.image, reference, labels, temporary),
      close: () => this.#closeContainer(inner),
    };
  }

  async #commit(
    workspace: DockerWorkspace,
    image: string,
    reference: string,
    labels: Readonly<Record<string, string>>,
    temporary: boolean,
  ): Promise<void> {
    if (temporary) await this.#keepLease(image);
    const at = reference.lastIndexOf(':');
    const run = temporary ? this.#options.runId : '';
    const { former } = await this.#images.naming(
      reference,
      async () => {
        const id = await workspace.commit(reference.slice(0, at), reference.slice(at + 1), {
          ...labels,
          [RUN_LABEL]: run,
        });
        if (temporary) this.#temporary.add(reference);
        return id;
      },
      (id) => this.#nameless.own(id),
    );
    const below = this.#layers.get(image);
    if (below !== undefined) this.#layers.set(reference, below + 1);
    this.#going.add(former);
    void former.then(() => this.#going.delete(former));
  }

  async #openContainer(options: WorkspaceOptions): Promise<DockerWorkspace> {
    try {
      const workspace = await patiently(async () =>
        DockerWorkspace.open(this.#context, await this.#startable(options.image), options),
      );
      this.#open.add(workspace);
      return workspace;
    } catch (error) {
      this.#layers.delete(options.image);
      throw missing(error, options.image);
    }
  }

  async #closeContainer(workspace: DockerWorkspace): Promise<void> {
    await workspace.close();
    this.#open.delete(workspace);
  }

  /** The image to start: itself, or a copy of one layer where its volumes would swallow what commands write, or its layers are too many. */
  async #startable(reference: string): Promise<string> {
    // Made by this run of one that could be started: it has no volumes, and one layer more.
    if ((this.#layers.get(reference) ?? Number.POSITIVE_INFINITY) <= MOST_LAYERS) return reference;
    const image = await this.#images.present(reference);
    if (image === undefined)
      throw new EngineError(`the engine has no image ${reference}`, {
        kind: 'image-missing',
        image: reference,
      });
    const layers = image.RootFS?.Layers ?? [];
    const volumes = Object.keys(image.Config?.Volumes ?? {});
    if (volumes.length === 0 && layers.length <= MOST_LAYERS) {
      this.#layers.set(reference, layers.length);
      return reference;
    }
    const key = image.Id;
    const known = this.#flat.get(key);
    if (known !== undefined && (await this.#images.inspect(await known)) !== undefined) return known;
    const flattened = this.#flatten(reference, key);
    this.#flat.set(key, flattened);
    flattened.catch(() => this.#flat.delete(key));
    return flattened;
  }

  async #flatten(reference: string, id: string): Promise<string> {
    const kept = `luet/flat:${id.replace(/^sha256:/, '')}`;
    if ((await this.#images.inspect(kept)) !== undefined) return kept;
    const temporary = this.#options.keepImages === false;
    const flat = temporary
      ? `luet/flat:tmp-${this.#options.runId}-${id.replace(/^sha256:/, '').slice(0, 16)}`
      : kept;
    const source = await DockerWorkspace.open(this.#context, reference, {
      image: reference,
      environment: new Map(),
      folder: '/',
      network: 'none',
    });
    this.#open.add(source);
    try {
      await this.importImage(flat, await source.export(), {}, temporary);
    } finally {
      await this.#closeContainer(source);
    }
    return flat;
  }

  async openForReading(image: string, signal?: AbortSignal): Promise<Reader> {
    const options = {
      image,
      environment: new Map<string, string>(),
      folder: '/',
      network: 'none',
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      return await this.open(options);
    } catch (error) {
      if (!(error instanceof EngineError) || error.kind !== 'other') throw error;
      if (error instanceof ApiError && error.status === 404) throw error;
    }
    return await this.#openCreated(image);
  }

  /** A container that is never started, for images without a shell. It does not remove itself: see `#sweep`. */
  async #openCreated(image: string): Promise<Reader> {
    const { Id: id } = await this.#connection.json<{ Id: string }>('POST', '/containers/create', {
      body: containerOf(
        image,
        { environment: new Map(), folder: '/', network: 'none' },
        this.#context.labels,
      ),
    });
    const remove = async (): Promise<void> =>
      this.#connection.json('DELETE', `/containers/${id}`, { query: { force: '1', v: '1' } });
    const { Created } = await this.#connection
      .json<{ Created: string }>('GET', `/containers/${id}/json`)
      .catch(async (error: unknown) => {
        await remove().catch(() => {});
        throw error;
      });
    const tars = tarsOf(this.#connection, id, {
      archives: !this.#isPodman,
      ownFolders: this.#isPodman ? undefined : toldByTime(Math.floor(Date.parse(Created) / 1000)),
    });
    const source = new Spool(tars, this.#options.temporary);
    return {
      list: (root) => source.list(root),
      stat: (paths) => source.stat(paths),
      read: (files) => source.read(files),
      close: async () => {
        await source.close();
        await remove();
      },
    };
  }

  async importImage(...given: Parameters<Engine['importImage']>): Promise<ImageInfo> {
    const image = await this.#images.replacing(
      given[0],
      () => this.#images.importImage(...given),
      (id) => this.#nameless.own(id),
    );
    if (given[3] === true) await this.#isTemporary(image.reference);
    return image;
  }

  async buildImage(...given: Parameters<Engine['buildImage']>): Promise<ImageInfo> {
    const image = await this.#images.replacing(
      given[0],
      () => this.#images.buildImage(...given),
      (id) => this.#nameless.own(id),
    );
    if (given[2].temporary) await this.#isTemporary(image.reference);
    return image;
  }

  async #isTemporary(reference: string): Promise<void> {
    this.#temporary.add(reference);
    await this.#keepLease(reference);
  }

  async remove(reference: string): Promise<void> {
    await this.#images.remove(reference);
    this.#temporary.delete(reference);
  }

  /** Temporary images live as long as a container of their run does, so that other runs can tell them from leftovers. */
  async #keepLease(image: string): Promise<void> {
    // One that an engine lost, or did not give, holds nothing.
    const before = this.#lease?.catch(() => undefined) ?? Promise.resolve(undefined);
    this.#lease = before.then((held) =>
      held?.ended === false
        ? held
        : this.#openContainer({ image, environment: new Map(), folder: '/', network: 'none' }),
    );
    await this.#lease;
  }

  /**
   * Removes what runs that ended by force left behind: everything of runs that are known to be over, and of others, which
   * may be those of other hosts, old containers that never started and old temporary images of runs that have no running
   * container. (A started container removes itself when its run's connection ends.)
   */
  async sweep(repository: string): Promise<void> {
    const labelled = JSON.stringify({ label: [RUN_LABEL] });
    const [containers, images] = await Promise.all([
      this.#connection.json<{ Id: string; State: string; Created: number; Labels: Record<string, string> }[]>(
        'GET',
        '/containers/json',
        { query: { all: '1', filters: labelled } },
      ),
      // By name: Docker 29 reads the configuration of every image for a question about labels.
      Promise.all(
        [`${repository}:tmp-*`, 'luet/flat:tmp-*', 'luet/base:tmp-*'].map((pattern) =>
          this.#images.named(pattern),
        ),
      ),
    ]);
    const alive = new Set(
      containers.filter(({ State }) => State === 'running').map(({ Labels }) => Labels[RUN_LABEL]),
    );
    const old = (created: number): boolean => this.#options.now().getTime() - created * 1000 > LEFTOVER_AGE;
    const isLeftover = (run: string | undefined, created: number): boolean =>
      run !== undefined &&
      run !== '' &&
      (this.#options.isOver?.(run) === true || (!alive.has(run) && old(created)));
    for (const { Id, Created, Labels } of containers) {
      if (!isLeftover(Labels[RUN_LABEL], Created)) continue;
      await this.#connection
        .json('DELETE', `/containers/${Id}`, { query: { force: '1', v: '1' } })
        .catch(() => {});
    }
    // The newest first: later ones stand on earlier ones.
    for (const { Created, RepoTags, Labels } of images.flat().sort((a, b) => b.Created - a.Created)) {
      // Images that came from outside have the labels that they came with: their names tell the run.
      const run = Labels?.[RUN_LABEL] || runOfName(RepoTags?.[0]);
      if (!isLeftover(run, Created)) continue;
      for (const name of RepoTags ?? []) await this.remove(name).catch(() => {});
    }
    await this.#nameless.removeOld(old);
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#open].map((workspace) => this.#closeContainer(workspace)));
    await Promise.all(this.#going);
    // Images go in the reverse order in which they were made: later ones stand on earlier ones.
    for (const reference of [...this.#temporary].reverse()) await this.remove(reference).catch(() => {});
    await this.#nameless.removeOwn().catch(() => {});
    this.#connection.close();
  }
}

/** The run that an image is named after, by the form of temporary names: `REPOSITORY:tmp-RUN-KEY`. */
function runOfName(name: string | undefined): string | undefined {
  return /:tmp-([^:]+)-[0-9a-f]+$/.exec(name ?? '')?.[1];
}

/** The same error; where it says that an image is not there, it says which. */
function missing(error: unknown, image: string): unknown {
  if (!(error instanceof EngineError) || error.kind !== 'image-missing' || error.image !== undefined)
    return error;
  return new EngineError(`the engine has no image ${image}`, { cause: error, kind: 'image-missing', image });
}

/** Go's name of an architecture that an engine names as the kernel does. */
function architectureOf(machine: string): string {
  return ({ x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' } as Record<string, string>)[machine] ?? machine;
}
