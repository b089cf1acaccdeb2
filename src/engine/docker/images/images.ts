import { Readable } from 'node:stream';
import { ConfigError, type Keychain, registryAuth } from '../../../image/index.ts';
import { type EntrySource, writeTar } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import type { HeldImage, ImageBuildOptions, ImageInfo, ListedImage } from '../../types.ts';
import { ApiError, type Connection } from '../connection/connection.ts';
import { retryPassing, retryUntilThere } from '../connection/passing.ts';
import { readProgress } from '../connection/progress.ts';
import { type ImageSummary, type InspectedImage, infoOf, pathOf } from './inspected.ts';

/** The label with the run's id, on everything that a run makes. */
export const RUN_LABEL = 'luet-ts.run';

/** What handling images needs. */
export interface ImagesOptions {
  readonly connection: Connection;
  readonly isPodman: boolean;
  readonly runId: string;
  /** Where the credentials of registries are kept. */
  readonly keychain: Keychain;
}

/** The images of an engine: find, pull, list, make from streams, remove. */
export class Images {
  readonly #connection: Connection;
  readonly #options: ImagesOptions;

  constructor(options: ImagesOptions) {
    this.#connection = options.connection;
    this.#options = options;
  }

  /** What the engine knows of an image; undefined where it does not hold it. */
  async inspect(reference: string): Promise<InspectedImage | undefined> {
    try {
      return await this.#connection.json<InspectedImage>('GET', `/images/${pathOf(reference)}/json`);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** As `resolve` of the engine's contract. */
  async resolve(
    reference: string,
    options: { readonly pull?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<ImageInfo | undefined> {
    let image = await this.inspect(reference);
    if (image === undefined && options.pull !== false) {
      await this.#pull(reference, options.signal);
      image = await this.inspect(reference);
    }
    return image === undefined ? undefined : infoOf(reference, image);
  }

  async #pull(reference: string, signal: AbortSignal | undefined): Promise<void> {
    // Most images are public: a credential helper that failed is only mentioned where this one is not.
    let failure: Error | undefined;
    const auth = await registryAuth(reference, this.#options.keychain).catch((error: Error) => {
      if (error instanceof ConfigError) throw error;
      failure = error;
      return undefined;
    });
    const named = /@|:[^/]*$/.test(reference) ? reference : `${reference}:latest`;
    try {
      const stream = await this.#connection.stream('POST', '/images/create', {
        query: { fromImage: named },
        signal,
        ...(auth === undefined ? {} : { headers: { 'X-Registry-Auth': auth } }),
      });
      await readProgress(stream);
    } catch (error) {
      // The error keeps its class and kind, which decide what happens next.
      if (failure !== undefined && error instanceof EngineError) error.message += `; ${failure.message}`;
      throw error;
    }
  }

  /**
   * The images whose names match a pattern, whatever registry podman puts in front of them. One pattern for
   * each request: podman returns images that match all of several patterns, Docker those that match any.
   */
  named(pattern: string): Promise<ImageSummary[]> {
    // Podman fails where another run removes an image at the same time.
    return retryPassing(() =>
      this.#connection.json<ImageSummary[]>('GET', '/images/json', {
        query: { filters: JSON.stringify({ reference: [pattern] }) },
      }),
    );
  }

  /** The images that have no name, and that no image with a name is built on. */
  nameless(): Promise<ImageSummary[]> {
    return retryPassing(() =>
      this.#connection.json<ImageSummary[]>('GET', '/images/json', {
        query: { filters: JSON.stringify({ dangling: ['true'] }) },
      }),
    );
  }

  /** As `list` of the engine's contract. */
  async list(repository: string, only?: string): Promise<ReadonlyMap<string, ListedImage>> {
    if (only !== undefined) {
      const image = await this.inspect(`${repository}:${only}`);
      return new Map(image === undefined ? [] : [[only, { tag: only, labels: image.Config?.Labels ?? {} }]]);
    }
    const images = await this.named(`${repository}:*`);
    const found = new Map<string, ListedImage>();
    for (const { RepoTags, Labels } of images) {
      for (const name of RepoTags ?? []) {
        const at = name.lastIndexOf(':');
        const base = name.slice(0, at).replace(/^(localhost|docker\.io)\//, '');
        if (base !== repository.replace(/^(localhost|docker\.io)\//, '')) continue;
        const tag = name.slice(at + 1);
        found.set(tag, { tag, labels: Labels ?? {} });
      }
    }
    return found;
  }

  /** As `listAll` of the engine's contract. */
  async all(): Promise<HeldImage[]> {
    const images = await retryPassing(() => this.#connection.json<ImageSummary[]>('GET', '/images/json'));
    return images.flatMap(({ RepoTags, Created, Size }) => {
      const names = (RepoTags ?? []).filter((name) => !name.startsWith('<none>'));
      return names.length === 0 ? [] : [{ names, created: Created, size: Size ?? 0 }];
    });
  }

  /** As `importImage` of the engine's contract; a temporary image gets this run's label. */
  async importImage(
    reference: string,
    root: AsyncIterable<Uint8Array>,
    temporary = false,
  ): Promise<ImageInfo> {
    const at = reference.lastIndexOf(':');
    // Podman takes the whole reference for the repository, and ignores the tag.
    const named = this.#options.isPodman
      ? { repo: reference }
      : { repo: reference.slice(0, at), tag: reference.slice(at + 1) };
    const query = new URLSearchParams({ fromSrc: '-', ...named });
    query.append('changes', 'CMD ["/bin/sh"]');
    if (temporary) query.append('changes', `LABEL ${RUN_LABEL}=${JSON.stringify(this.#options.runId)}`);
    const stream = await this.#connection.stream('POST', `/images/create?${query.toString()}&`, {
      upload: Readable.from(root),
      headers: { 'Content-Type': 'application/x-tar' },
    });
    await readProgress(stream);
    return await this.made(reference);
  }

  /** As `buildImage` of the engine's contract; a temporary image gets this run's label. */
  async buildImage(
    reference: string,
    context: EntrySource,
    { dockerfile, labels, temporary, network, onOutput, signal }: ImageBuildOptions,
  ): Promise<ImageInfo> {
    const stream = await this.#connection.stream('POST', '/build', {
      query: {
        t: reference,
        dockerfile,
        rm: '1',
        forcerm: '1',
        labels: JSON.stringify({ ...labels, ...(temporary ? { [RUN_LABEL]: this.#options.runId } : {}) }),
        networkmode: network,
      },
      upload: Readable.from(writeTar(context)),
      headers: { 'Content-Type': 'application/x-tar' },
      signal,
    });
    await readProgress(stream, (message) => {
      if (message.stream !== undefined) onOutput('stdout', Buffer.from(message.stream));
    });
    return await this.made(reference);
  }

  /** An image that was just made under a name. */
  async made(reference: string): Promise<ImageInfo> {
    const image = await this.present(reference);
    if (image === undefined)
      throw new EngineError(`the engine does not know ${reference}, which it has just made`);
    return infoOf(reference, image);
  }

  /** As `inspect`, of an image that must be there. */
  async present(reference: string): Promise<InspectedImage | undefined> {
    return await retryUntilThere(() => this.inspect(reference));
  }

  /**
   * Removes an image that has no name any more, unless other images or containers need it. Resolves to
   * whether it was removed.
   */
  async drop(id: string): Promise<boolean> {
    try {
      const image = await this.inspect(id);
      if (image === undefined || image.RepoTags?.some((name) => !name.startsWith('<none>'))) return false;
      await this.#connection.json('DELETE', `/images/${pathOf(id)}`);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return false;
    }
  }

  /** As `remove` of the engine's contract. */
  async remove(reference: string): Promise<void> {
    try {
      await this.#connection.json('DELETE', `/images/${pathOf(reference)}`, { query: { force: '1' } });
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 404)) throw error;
    }
  }
}
