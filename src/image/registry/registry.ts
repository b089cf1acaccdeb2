import { PromiseCache } from '../../async/index.ts';
import { inParallel } from '../in-parallel.ts';
import { digestOf } from '../layer/verify.ts';
import { type ImageManifest, isIndexType, parseManifest } from '../manifest.ts';
import {
  formatPlatform,
  hostPlatform,
  listPlatforms,
  platformDistance,
  selectPlatform,
} from '../platform.ts';
import { familiarName, parseReference, type Reference } from '../reference.ts';
import {
  type Descriptor,
  type Digest,
  type Image,
  ImageError,
  type ImageIndex,
  type ImageSink,
  type ImageSource,
  type ReadOptions,
  type WriteOptions,
} from '../types.ts';
import {
  type Artifact,
  type ArtifactOptions,
  listReferrers,
  putManifest,
  type Referrer,
  readArtifact,
  writeArtifact,
  writeEmpty,
} from './artifact.ts';
import { type ConnectionOptions, RegistryConnection } from './connection.ts';
import { type FetchedManifest, fetchManifest } from './fetch-manifest.ts';
import { type FoundManifest, RegistryImage, RegistryLayer } from './registry-image.ts';
import { headManifest, tagPages } from './tag-list.ts';
import { listTags, missingText } from './tags.ts';
import { type UploadOptions, uploadBlob } from './upload.ts';

/** Options for access to registries. */
export interface RegistryOptions extends ConnectionOptions {
  /**
   * Size in bytes of upload chunks. By default, a blob is uploaded in one request, and in chunks only if the
   * registry refuses that.
   */
  readonly chunkSize?: number;
}

/** Options for writing an image to a registry. */
export interface RegistryWriteOptions extends WriteOptions {
  /** Whether the repository has a blob, if the caller knows it. Undefined asks the repository. */
  readonly blob?: (digest: Digest) => 'there' | 'new' | undefined;
}

/** Number of blobs to push in parallel. */
const AT_ONCE = 4;
/** Maximum nesting of indexes. */
const DEEPEST = 4;

/** Reads and writes images of any registry by name (OCI distribution specification). */
export class Registry implements ImageSource, ImageSink {
  readonly #options: RegistryOptions;
  readonly #connections = new Map<string, RegistryConnection>();
  /** Repositories that have the empty blob. */
  readonly #empties = new PromiseCache<string, void>(() => true);

  constructor(options: RegistryOptions) {
    this.#options = options;
  }

  async image(name: string, options: ReadOptions = {}): Promise<Image | undefined> {
    const reference = parse(name);
    let found = await this.#fetch(reference, options.signal);
    const { platform: asked } = options;
    for (let depth = 0; found?.manifest.kind === 'index'; depth++) {
      const { manifests } = found.manifest;
      const platform = asked ?? hostPlatform();
      const chosen = selectPlatform(manifests, platform);
      if (chosen === undefined || depth === DEEPEST)
        throw new ImageError(
          `${familiarName(reference)} has no image for ${formatPlatform(platform)}; available: ${listPlatforms(manifests)}`,
        );
      found = await this.#listed(reference, chosen, options.signal);
    }
    if (found === undefined) return undefined;
    const image = new RegistryImage(found as FoundManifest, options);
    if (asked !== undefined) {
      const own = await image.configuration();
      if (platformDistance(asked, own) === undefined)
        throw new ImageError(
          `${familiarName(reference)} is for ${formatPlatform(own)}, but ${formatPlatform(asked)} was requested`,
        );
    }
    return image;
  }

  /** The index with this name; undefined if the name does not exist or is a single image. */
  async index(name: string, options: ReadOptions = {}): Promise<ImageIndex | undefined> {
    const reference = parse(name);
    const found = await this.#fetch(reference, options.signal);
    if (found?.manifest.kind !== 'index') return undefined;
    const { bytes, manifest } = found;
    return {
      manifest: () => Promise.resolve(bytes),
      descriptor: () => Promise.resolve(descriptorOf(found)),
      manifests: manifest.manifests,
      image: async (digest) => {
        const listed = manifest.manifests.find((one) => one.digest === digest);
        if (listed === undefined) throw new ImageError(`${familiarName(reference)} does not list ${digest}`);
        const one = await this.#listed(reference, listed, options.signal);
        if (one.manifest.kind !== 'image') throw new ImageError(`${digest} is an index, not an image`);
        return new RegistryImage(one as FoundManifest, options);
      },
    };
  }

  /** The digest that a name refers to, without downloading it; undefined if the name does not exist. */
  async resolve(name: string, signal?: AbortSignal): Promise<Digest | undefined> {
    const found = await this.#fetch(parse(name), signal);
    return found && digestOf(found.bytes);
  }

  /** At most the first hundred tags of a repository, sorted; undefined if the repository does not exist. */
  tags(name: string, signal?: AbortSignal): Promise<readonly string[] | undefined> {
    const { registry, repository } = parse(name);
    return listTags(this.#connection(registry), repository, signal);
  }

  /**
   * The digest that a name refers to, requested without downloading the manifest. Undefined if the name does not
   * exist, empty if the registry does not report the digest.
   */
  head(name: string, signal?: AbortSignal): Promise<Digest | '' | undefined> {
    const reference = parse(name);
    return headManifest(this.#connection(reference.registry), reference, signal);
  }

  /** All tags of a repository, page by page. */
  tagPages(name: string, signal?: AbortSignal): AsyncIterable<readonly string[]> {
    const { registry, repository } = parse(name);
    return tagPages(this.#connection(registry), repository, signal);
  }

  /** The artifact with this name; undefined if it does not exist. Rejects if it is an image or something else. */
  artifact(name: string, signal?: AbortSignal): Promise<Artifact | undefined> {
    const reference = parse(name);
    return readArtifact(this.#connection(reference.registry), reference, signal);
  }

  /** Writes an artifact under a name with a tag, or only under its digest if `name` has no tag. */
  async writeArtifact(name: string, artifact: Artifact, options: ArtifactOptions = {}): Promise<Descriptor> {
    const { registry, repository, tag } = parse(name);
    const connection = this.#connection(registry);
    await this.#empties.get(`${registry}/${repository}`, () =>
      writeEmpty(connection, repository, options.signal),
    );
    const isTagged = /:[^/]+$/.test(name);
    const reference = { registry, repository, ...(isTagged && tag !== undefined ? { tag } : {}) };
    return await writeArtifact(connection, reference, artifact, options);
  }

  /** The artifacts of a type that refer to the manifest with this digest in a repository. */
  referrers(
    name: string,
    subject: Digest,
    artifactType: string,
    signal?: AbortSignal,
  ): Promise<readonly Referrer[]> {
    const reference = parse(name);
    return listReferrers(this.#connection(reference.registry), reference, subject, artifactType, signal);
  }

  /**
   * Deletes the manifest of a name with a digest, and thereby all its tags. Returns whether it existed. Rejects if
   * the registry does not allow deletion.
   */
  async delete(name: string, signal?: AbortSignal): Promise<boolean> {
    const reference = parse(name);
    const { repository, digest } = reference;
    if (digest === undefined) throw new ImageError(`${familiarName(reference)} has no digest`);
    const response = await this.#connection(reference.registry).send({
      method: 'DELETE',
      to: `${repository}/manifests/${digest}`,
      what: `delete ${familiarName(reference)}`,
      scopes: [`repository:${repository}:pull,delete`],
      accept: [200, 202, 404],
      signal,
    });
    await response.body?.cancel();
    return response.status !== 404;
  }

  /** An error message for a missing image, with similar tags of its repository if they are available. */
  async missing(name: string, signal?: AbortSignal): Promise<string> {
    const reference = parse(name);
    const tags = await this.tags(name, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (error instanceof ImageError) return [];
      throw error;
    });
    return missingText(reference, tags);
  }

  async write(name: string, image: Image, options: RegistryWriteOptions = {}): Promise<Descriptor> {
    const reference = parse(name);
    const bytes = await image.manifest();
    const digest = digestOf(bytes);
    const shownName = familiarName(reference);
    if (reference.digest !== undefined && reference.digest !== digest)
      throw new ImageError(`the image to push to ${shownName} has another digest: ${digest}`);
    const manifest = parseManifest(bytes, undefined, `the image to be pushed to ${shownName}`);
    if (manifest.kind !== 'image')
      throw new ImageError(`cannot push an index to ${shownName}: expected an image`);
    const connection = this.#connection(reference.registry);
    await this.#blobs(connection, reference, image, manifest, options);
    await putManifest(connection, reference, bytes, manifest.mediaType, options.signal);
    return { mediaType: manifest.mediaType, digest, size: bytes.length };
  }

  #fetch(
    reference: Reference,
    signal?: AbortSignal,
    listed?: Descriptor,
  ): Promise<FetchedManifest | undefined> {
    return fetchManifest(this.#connection(reference.registry), reference, { signal, listed });
  }

  #connection(registry: string): RegistryConnection {
    let connection = this.#connections.get(registry);
    if (connection === undefined) {
      connection = new RegistryConnection(registry, this.#options);
      this.#connections.set(registry, connection);
    }
    return connection;
  }

  async #blobs(
    connection: RegistryConnection,
    { registry, repository }: Reference,
    image: Image,
    manifest: ImageManifest,
    options: RegistryWriteOptions,
  ): Promise<void> {
    const layers = await image.layers();
    if (layers.length !== manifest.layers.length)
      throw new ImageError(
        `the manifest of the image lists ${manifest.layers.length} layers, but the image has ${layers.length}`,
      );
    const { chunkSize } = this.#options;
    const given: UploadOptions = { ...options, ...(chunkSize === undefined ? {} : { chunkSize }) };
    const uploads = new Map<Digest, (signal: AbortSignal) => Promise<void>>();
    for (const [i, layer] of layers.entries()) {
      const descriptor = manifest.layers[i] as Descriptor;
      const isNear = layer instanceof RegistryLayer && layer.registry === registry;
      const mountFrom = isNear && layer.repository !== repository ? layer.repository : undefined;
      const open = (stop?: AbortSignal) => layer.compressed(stop);
      const known = options.blob?.(descriptor.digest);
      if (known === 'there') continue;
      const isNew = known === 'new';
      uploads.set(descriptor.digest, (signal) =>
        uploadBlob({ connection, repository, descriptor, open, mountFrom, isNew }, { ...given, signal }),
      );
    }
    uploads.set(manifest.config.digest, (signal) => {
      const open = async function* () {
        yield await image.rawConfiguration();
      };
      const isNew = options.blob?.(manifest.config.digest) === 'new';
      return uploadBlob(
        { connection, repository, descriptor: manifest.config, open, isNew },
        { ...given, signal, onBytes: () => {} },
      );
    });
    await inParallel(AT_ONCE, [...uploads.values()], options.signal, (upload, signal) => upload(signal));
  }

  /** Fetches a manifest listed in an index. Throws if it does not exist. */
  async #listed(reference: Reference, listed: Descriptor, signal?: AbortSignal): Promise<FetchedManifest> {
    const { tag: _, ...rest } = reference;
    const found = await this.#fetch({ ...rest, digest: listed.digest }, signal, listed);
    if (found === undefined)
      throw new ImageError(
        `${listed.digest}, which ${familiarName(reference)} lists, not found in ${reference.registry}`,
      );
    if (isIndexType(listed.mediaType) !== (found.manifest.kind === 'index'))
      throw new ImageError(`${familiarName(reference)} lists ${listed.digest} with a wrong media type`);
    return found;
  }
}

function descriptorOf({ bytes, manifest }: FetchedManifest): Descriptor {
  return { mediaType: manifest.mediaType, digest: digestOf(bytes), size: bytes.length };
}

function parse(name: string): Reference {
  const reference = parseReference(name);
  if (typeof reference === 'string') throw new ImageError(reference);
  return reference;
}
