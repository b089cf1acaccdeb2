import { unpackLayer } from '../layer/codec.ts';
import { collect, digestOf, verified } from '../layer/verify.ts';
import {
  type ImageManifest,
  LONGEST_CONFIGURATION,
  type ManifestLayer,
  parseConfiguration,
} from '../manifest.ts';
import {
  type Configuration,
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type Layer,
  type ReadOptions,
} from '../types.ts';
import type { RegistryConnection } from './connection.ts';
import { download } from './download.ts';

/** A manifest in a registry. */
export interface FoundManifest {
  readonly connection: RegistryConnection;
  readonly repository: string;
  readonly bytes: Uint8Array;
  readonly manifest: ImageManifest;
}

/** A layer in a registry, downloaded when it is read. */
export class RegistryLayer implements Layer {
  readonly registry: string;
  readonly repository: string;
  readonly #found: FoundManifest;
  readonly #descriptor: ManifestLayer;
  readonly #diffId: () => Promise<Digest>;
  readonly #options: ReadOptions;

  constructor(
    found: FoundManifest,
    descriptor: ManifestLayer,
    diffId: () => Promise<Digest>,
    options: ReadOptions,
  ) {
    this.registry = found.connection.registry;
    this.repository = found.repository;
    this.#found = found;
    this.#descriptor = descriptor;
    this.#diffId = diffId;
    this.#options = options;
  }

  descriptor(): Promise<Descriptor> {
    return Promise.resolve(this.#descriptor);
  }

  diffId(): Promise<Digest> {
    return this.#diffId();
  }

  async *compressed(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const { digest, urls } = this.#descriptor;
    if (urls !== undefined)
      throw new ImageError(
        `layer ${digest} of ${this.registry}/${this.repository} is a foreign layer, which is stored outside the registry; luet-ts downloads layers from registries only`,
      );
    yield* download(
      { ...this.#found, descriptor: this.#descriptor },
      { ...this.#options, ...(signal === undefined ? {} : { signal }) },
    );
  }

  async *uncompressed(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    const digest = await this.diffId();
    const { mediaType } = this.#descriptor;
    yield* verified(unpackLayer(this.compressed(signal), { mediaType }), { digest });
  }
}

/** An image in a registry. At first, only its manifest is downloaded. */
export class RegistryImage implements Image {
  readonly #found: FoundManifest;
  readonly #options: ReadOptions;
  #raw: Promise<Buffer> | undefined;
  #configuration: Promise<Configuration> | undefined;
  #layers: readonly RegistryLayer[] | undefined;

  constructor(found: FoundManifest, options: ReadOptions) {
    this.#found = found;
    this.#options = options;
  }

  manifest(): Promise<Uint8Array> {
    return Promise.resolve(this.#found.bytes);
  }

  descriptor(): Promise<Descriptor> {
    const { bytes, manifest } = this.#found;
    return Promise.resolve({ mediaType: manifest.mediaType, digest: digestOf(bytes), size: bytes.length });
  }

  rawConfiguration(): Promise<Uint8Array> {
    this.#raw ??= this.#readConfiguration();
    return this.#raw;
  }

  configuration(): Promise<Configuration> {
    this.#configuration ??= this.#parseConfiguration();
    return this.#configuration;
  }

  layers(): Promise<readonly Layer[]> {
    this.#layers ??= this.#found.manifest.layers.map((descriptor, i) => {
      const diffId = async (): Promise<Digest> => {
        const id = (await this.configuration()).rootfs.diff_ids[i];
        if (id === undefined)
          throw new ImageError(`layer ${i + 1} of ${this.#name} is not in its configuration`);
        return id;
      };
      return new RegistryLayer(this.#found, descriptor, diffId, this.#options);
    });
    return Promise.resolve(this.#layers);
  }

  get #name(): string {
    return `${this.#found.connection.registry}/${this.#found.repository}`;
  }

  async #readConfiguration(): Promise<Buffer> {
    const { config } = this.#found.manifest;
    const what = `the configuration ${config.digest} of ${this.#name}`;
    if (config.size > LONGEST_CONFIGURATION)
      throw new ImageError(`${what} has ${config.size} bytes; the maximum is ${LONGEST_CONFIGURATION}`);
    const { signal } = this.#options;
    const stream = download({ ...this.#found, descriptor: config }, signal === undefined ? {} : { signal });
    return collect(stream, LONGEST_CONFIGURATION, what);
  }

  async #parseConfiguration(): Promise<Configuration> {
    const { layers } = this.#found.manifest;
    const what = `the configuration of ${this.#name}`;
    const parsed = parseConfiguration(await this.rawConfiguration(), what);
    const { length } = parsed.rootfs.diff_ids;
    if (length !== layers.length)
      throw new ImageError(`${what} lists ${length} layers, but the manifest lists ${layers.length}`);
    return parsed;
  }
}
