import { collect, verified } from '../layer/verify.ts';
import type { Descriptor, WriteOptions } from '../types.ts';
import type { RegistryConnection, RegistryRequest } from './connection.ts';
import { RegistryError, TransientError } from './error.ts';
import type { IdleWatch } from './idle.ts';
import { retrying } from './retry.ts';

/** Options of uploads. */
export interface UploadOptions extends WriteOptions {
  /** Chunk size in bytes. A blob up to this size is sent in one request; by default, every blob is. */
  readonly chunkSize?: number;
}

/** A blob to upload to a repository. */
export interface Upload {
  readonly connection: RegistryConnection;
  readonly repository: string;
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** Opens the content; called for each attempt. */
  readonly open: (signal?: AbortSignal) => AsyncIterable<Uint8Array>;
  /** Another repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined;
  /** Whether the repository cannot have the blob yet, so that it is not asked for it first. */
  readonly isNew?: boolean | undefined;
}

/** Chunk size in bytes if a blob cannot be sent in one request, or if an upload is resumed. */
const USUAL_CHUNK = 16 * 1024 * 1024;
/**
 * Maximum chunk size in bytes. A registry may ask for larger chunks than usual; chunks are kept in memory.
 */
const LONGEST_CHUNK = 256 * 1024 * 1024;
/** Blobs up to this size in bytes are kept in memory. */
const SMALL = 256 * 1024;

/** The scope for writing to a repository. */
export const pushScope = (repository: string): string => `repository:${repository}:pull,push`;

interface Session {
  location: URL;
  readonly smallest: number;
}

/** Uploads a blob to a repository, unless it is already there. */
export async function uploadBlob(upload: Upload, options: UploadOptions = {}): Promise<void> {
  await new Uploader(upload, options).run();
}

class Uploader {
  readonly #upload: Upload;
  readonly #options: UploadOptions;
  readonly #ask: Pick<RegistryRequest, 'what' | 'scopes' | 'signal'>;
  /** An error of reading the content, which is not the registry's fault. */
  #broken: { readonly error: unknown } | undefined;
  #told = 0;
  #isChunked: boolean;

  constructor(upload: Upload, options: UploadOptions) {
    const { connection, repository, descriptor, mountFrom } = upload;
    this.#upload = upload;
    this.#options = options;
    this.#isChunked = options.chunkSize !== undefined && descriptor.size > options.chunkSize;
    this.#ask = {
      what: `push the blob ${descriptor.digest} to ${connection.registry}/${repository}`,
      scopes: [pushScope(repository), ...(mountFrom === undefined ? [] : [`repository:${mountFrom}:pull`])],
      signal: options.signal,
    };
  }

  async run(): Promise<void> {
    const { connection, isNew = false } = this.#upload;
    if (!isNew && (await this.#isThere())) return;
    await retrying(connection.clock, this.#options.signal, () => this.#once());
  }

  async #isThere(): Promise<boolean> {
    const { connection, repository, descriptor } = this.#upload;
    const to = `${repository}/blobs/${descriptor.digest}`;
    const { status } = await connection.send({ ...this.#ask, method: 'HEAD', to, accept: [200, 404] });
    return status === 200;
  }

  async #once(): Promise<void> {
    const session = await this.#start();
    if (session === undefined) return;
    if (!this.#isChunked) {
      try {
        return await this.#whole(session);
      } catch (error) {
        if (this.#broken !== undefined) throw this.#broken.error;
        const isTooLong = error instanceof RegistryError && error.status === 413;
        if (isTooLong) {
          this.#isChunked = true;
          throw new TransientError(error.message, { cause: error, status: 413 });
        }
        if (!(error instanceof TransientError)) throw error;
        const offset = await this.#offset(session);
        if (offset === undefined || offset === 0) throw error;
        return await this.#pieces(session, offset);
      }
    }
    await this.#pieces(session, 0);
  }

  /** Starts an upload. Undefined if the registry took the blob from another repository. */
  async #start(): Promise<Session | undefined> {
    const { connection, repository, descriptor, mountFrom } = this.#upload;
    const query =
      mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: descriptor.digest, from: mountFrom })}`;
    const ask = {
      ...this.#ask,
      method: 'POST',
      to: `${repository}/blobs/uploads/${query}`,
      accept: [201, 202],
      headers: { 'content-length': '0' },
    } as const;
    const response = await connection.send(ask).catch((error: unknown) => {
      if (!(error instanceof TransientError)) throw error;
      // This request was repeated already. With repetitions of the whole upload, there would be 36.
      throw new RegistryError(error.message, { cause: error, ...(error.status && { status: error.status }) });
    });
    await response.body?.cancel();
    if (response.status === 201) return undefined;
    const smallest = Number(response.headers.get('oci-chunk-min-length') ?? 0);
    return {
      location: connection.location(response, ask),
      smallest: Number.isSafeInteger(smallest) && smallest > 0 ? smallest : 0,
    };
  }

  /** Uploads everything in one request, with its length in the header. */
  async #whole({ location }: Session): Promise<void> {
    const { connection, descriptor } = this.#upload;
    const small =
      descriptor.size > SMALL ? undefined : await collect(this.#bytes(), SMALL, descriptor.digest);
    const ask: RegistryRequest = {
      ...this.#ask,
      method: 'PUT',
      to: this.#finalAddress(location),
      accept: [201, 204],
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(descriptor.size) },
      body: (watch) => small ?? this.#stream(watch),
      once: true,
    };
    await (await connection.send(ask)).body?.cancel();
  }

  /** Uploads the rest from an offset in chunks, each of which can be repeated. */
  async #pieces(session: Session, start: number): Promise<void> {
    const size = Math.min(LONGEST_CHUNK, Math.max(this.#options.chunkSize ?? USUAL_CHUNK, session.smallest));
    let at = 0;
    let held: Uint8Array[] = [];
    let length = 0;
    const flush = async (): Promise<void> => {
      if (length === 0) return;
      await this.#piece(session, at - length, Buffer.concat(held, length));
      held = [];
      length = 0;
    };
    for await (const chunk of this.#bytes()) {
      let rest = chunk.subarray(Math.min(chunk.length, Math.max(0, start - at)));
      at += chunk.length - rest.length;
      while (rest.length > 0) {
        const part = rest.subarray(0, size - length);
        held.push(Buffer.from(part));
        at += part.length;
        length += part.length;
        rest = rest.subarray(part.length);
        if (length === size) await flush();
      }
    }
    await flush();
    const response = await this.#upload.connection.send({
      ...this.#ask,
      method: 'PUT',
      to: this.#finalAddress(session.location),
      accept: [201, 204],
      headers: { 'content-length': '0' },
      once: true,
    });
    await response.body?.cancel();
  }

  /** Uploads one chunk; after an error, continues at the position that the registry reports. */
  async #piece(session: Session, start: number, bytes: Buffer): Promise<void> {
    const { connection } = this.#upload;
    let from = 0;
    await retrying(connection.clock, this.#options.signal, async () => {
      const rest = bytes.subarray(from);
      const ask: RegistryRequest = {
        ...this.#ask,
        method: 'PATCH',
        to: session.location,
        accept: [202, 204],
        headers: {
          'content-type': 'application/octet-stream',
          'content-range': `${start + from}-${start + bytes.length - 1}`,
          'content-length': String(rest.length),
        },
        body: () => rest,
        once: true,
      };
      try {
        const response = await connection.send(ask);
        await response.body?.cancel();
        session.location = connection.location(response, ask);
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        const offset = await this.#offset(session);
        // The registry lost the upload or reports an impossible position, so the upload starts again.
        if (offset === undefined || offset < start + from || offset > start + bytes.length)
          throw new RestartError(error.message, { cause: error });
        from = offset - start;
        if (from < bytes.length) throw error;
      }
    }).catch((error: unknown) => {
      throw error instanceof RestartError ? new TransientError(error.message, { cause: error }) : error;
    });
  }

  /** Number of bytes that the registry has received; undefined if it does not report it. */
  async #offset(session: Session): Promise<number | undefined> {
    const { connection } = this.#upload;
    const ask: RegistryRequest = { ...this.#ask, method: 'GET', to: session.location, accept: [204] };
    try {
      const response = await connection.send(ask);
      session.location = connection.location(response, ask);
      // Registries report 0-0 for no bytes as well as for one byte.
      const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get('range') ?? '')?.[1];
      return last === undefined ? undefined : last === '0' ? 0 : Number(last) + 1;
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      if (error instanceof RegistryError) return undefined;
      throw error;
    }
  }

  #finalAddress(location: URL): URL {
    const url = new URL(location);
    url.searchParams.set('digest', this.#upload.descriptor.digest);
    return url;
  }

  #stream(watch: IdleWatch): ReadableStream<Uint8Array> {
    return ReadableStream.from(this.#bytes(watch)) as ReadableStream<Uint8Array>;
  }

  /** The content, verified before its last byte is sent. Bytes that are read again are reported only once. */
  async *#bytes(watch?: IdleWatch): AsyncGenerator<Uint8Array, void, undefined> {
    const { open, descriptor } = this.#upload;
    const { signal, onBytes } = this.#options;
    this.#broken = undefined;
    let at = 0;
    try {
      for await (const chunk of verified(open(signal), descriptor)) {
        at += chunk.length;
        if (at > this.#told) {
          onBytes?.(at - this.#told);
          this.#told = at;
        }
        watch?.wait();
        yield chunk;
        watch?.rest();
      }
    } catch (error) {
      this.#broken = { error };
      throw error;
    }
  }
}

/** The upload must start again. */
class RestartError extends RegistryError {}
