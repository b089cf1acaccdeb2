import type { Keychain, ReadOptions } from '../../image/index.ts';
import { EngineError, NoShellError } from '../errors.ts';
import { overriding } from '../overriding.ts';
import type { FindEngineOptions } from '../strategy.ts';
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
import { ApiError, type Connection } from './connection/connection.ts';
import type { RunContext } from './container/container.ts';
import { Containers } from './container/containers.ts';
import { UnstartedWorkspace } from './container/unstarted.ts';
import type { ContainerWorkspace } from './container/workspace.ts';
import { type ExchangeOptions, readImages, writeImages } from './images/exchange.ts';
import { FlatImages } from './images/flat.ts';
import { Images, RUN_LABEL } from './images/images.ts';
import { removeLeftovers } from './images/leftovers.ts';
import { NamelessImages } from './images/nameless.ts';
import { naming, replacing } from './images/naming.ts';
import { type Identity, identityOf, reportOf, type Version } from './report.ts';

/** What a Docker engine is made with. */
export interface DockerEngineOptions
  extends Pick<
    FindEngineOptions,
    'runId' | 'isOver' | 'token' | 'temporary' | 'source' | 'now' | 'keepImages'
  > {
  /** Where the credentials of registries are kept. */
  readonly keychain: Keychain;
}

/** An engine that speaks the Docker API: Docker 20.10 and later, podman 4.3 and later. */
export class DockerEngine implements Engine {
  readonly #connection: Connection;
  readonly #options: DockerEngineOptions;
  readonly #context: RunContext;
  readonly #images: Images;
  readonly #nameless: NamelessImages;
  readonly #flat: FlatImages;
  readonly #containers: Containers;
  readonly #identity: Identity;
  readonly #temporary = new Set<string>();
  /** Images that are being removed in the background. */
  readonly #going = new Set<Promise<void>>();

  private constructor(connection: Connection, options: DockerEngineOptions, version: Version) {
    this.#connection = connection;
    this.#options = options;
    this.#identity = identityOf(version);
    const { isPodman } = this.#identity;
    this.#images = new Images({
      connection,
      isPodman,
      runId: options.runId,
      keychain: options.keychain,
    });
    this.#nameless = new NamelessImages(this.#images, connection, options.runId);
    this.#context = {
      connection,
      onImage: (id) => this.#nameless.used(id),
      labels: { [RUN_LABEL]: options.runId },
      token: options.token,
      source: options.source ?? 'upper',
      // Podman's own list calls a folder that was removed and created again removed.
      fallback: isPodman ? 'export' : 'changes',
      isPodman,
      read: (image) => readImages(this.#exchange, [image], {}),
      inspect: (image) => this.#images.inspect(image),
      temporary: options.temporary,
    };
    this.#flat = new FlatImages({
      images: this.#images,
      runId: options.runId,
      keepImages: options.keepImages !== false,
      exported: (image, use) => this.#containers.export(image, use),
      importImage: (reference, root, temporary) => this.importImage(reference, root, temporary),
    });
    this.#containers = new Containers(this.#context, this.#flat);
  }

  /** Creates an engine on a connection. Rejects with an `EngineError` where nothing answers there. */
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

  report(): Promise<EngineReport> {
    return reportOf(this.#connection, this.#identity);
  }

  resolve(...given: Parameters<Engine['resolve']>): Promise<ImageInfo | undefined> {
    return this.#images.resolve(...given);
  }

  list(...given: Parameters<Engine['list']>): Promise<ReadonlyMap<string, ListedImage>> {
    return this.#images.list(...given);
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
      // An image without a shell cannot hold the lease. Other runs take its image for a leftover only when it
      // is old.
      for (const { name } of images.slice(0, 1)) await this.#containers.keepLease(name).catch(() => {});
    }
    // Images that lost these names, and have no other name, are of no use any more.
    for (const old of before) {
      if (old === undefined) continue;
      this.#nameless.own(old.Id);
      await this.#images.drop(old.Id);
    }
  }

  async open(options: WorkspaceOptions): Promise<Workspace> {
    const inner = await this.#containers.open(options);
    return overriding(inner, {
      commit: (reference: string, labels: Readonly<Record<string, string>>, temporary = false) =>
        this.#commit(inner, options.image, reference, labels, temporary),
      close: () => this.#containers.close(inner),
    });
  }

  async #commit(
    workspace: ContainerWorkspace,
    image: string,
    reference: string,
    labels: Readonly<Record<string, string>>,
    temporary: boolean,
  ): Promise<void> {
    if (temporary) await this.#containers.keepLease(image).catch(unlessShellLacks);
    const at = reference.lastIndexOf(':');
    const run = temporary ? this.#options.runId : '';
    const { former } = await naming(
      this.#images,
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
    // The workspace may have brought the shell that its image did not have.
    if (temporary) await this.#containers.keepLease(reference).catch(unlessShellLacks);
    this.#flat.grew(image, reference);
    this.#going.add(former);
    void former.then(() => this.#going.delete(former));
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
    return await UnstartedWorkspace.create(this.#context, image, options);
  }

  async importImage(...given: Parameters<Engine['importImage']>): Promise<ImageInfo> {
    const image = await replacing(
      this.#images,
      given[0],
      () => this.#images.importImage(...given),
      (id) => this.#nameless.own(id),
    );
    if (given[2] === true) await this.#isTemporary(image.reference);
    return image;
  }

  async buildImage(...given: Parameters<Required<Engine>['buildImage']>): Promise<ImageInfo> {
    const image = await replacing(
      this.#images,
      given[0],
      () => this.#images.buildImage(...given),
      (id) => this.#nameless.own(id),
    );
    if (given[2].temporary) await this.#isTemporary(image.reference);
    return image;
  }

  async #isTemporary(reference: string): Promise<void> {
    this.#temporary.add(reference);
    await this.#containers.keepLease(reference);
  }

  async remove(reference: string): Promise<void> {
    await this.#images.remove(reference);
    this.#temporary.delete(reference);
  }

  sweep(repository: string): Promise<void> {
    return removeLeftovers(this.#connection, this.#images, repository, this.#options);
  }

  async close(): Promise<void> {
    await this.#containers.closeAll();
    await Promise.all(this.#going);
    // Later images are built on earlier ones, so they are removed first.
    for (const reference of [...this.#temporary].reverse()) await this.remove(reference).catch(() => {});
    await this.#nameless.removeOwn().catch(() => {});
    this.#connection.close();
  }
}

/** Ignores that an image has no shell: such an image cannot keep a container running. */
function unlessShellLacks(error: unknown): void {
  if (!(error instanceof NoShellError)) throw error;
}
