import { Authority } from './authority.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { bodyText, isCertificateError, RegistryError, safeText, TransientError } from './error.ts';
import { IDLE, IdleWatch } from './idle.ts';
import { isLoopback } from './loopback.ts';
import { isTransientStatus, type RetryClock, retryAfter, retrying } from './retry.ts';
import { directTransport, type Transport } from './transport.ts';
import { permanentIfUnreachable, unreachable } from './unreachable.ts';

/** Options for connections to registries. */
export interface ConnectionOptions {
  /**
   * Returns the credentials for a registry (`docker.io`, `localhost:5000`), such as `readCredentials` does.
   */
  readonly credentials?: (registry: string) => Promise<Credentials | undefined>;
  /**
   * Registries, as written in image names, that may be contacted without encryption. Loopback addresses
   * always may.
   */
  readonly plainHttp?: readonly string[];
  readonly clock: RetryClock;
  /** How to reach registries. Default: directly, without a proxy. */
  readonly transport?: Transport;
  /** Milliseconds without any data after which a connection counts as broken. Default: one minute. */
  readonly idle?: number;
}

/** A request to a registry. */
export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path below `/v2/`, or a URL from an earlier response. */
  readonly to: string | URL;
  /** The action in words, for messages: `pull the manifest of a/b:1`. */
  readonly what: string;
  /** Scopes for tokens: `repository:a/b:pull`. */
  readonly scopes: readonly string[];
  /** Status codes that count as success. */
  readonly accept: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Opens the body; called for each attempt. A stream reports to the watch when it waits for the registry to
   * read more.
   */
  readonly body?: (watch: IdleWatch) => NonNullable<RequestInit['body']>;
  readonly signal?: AbortSignal | undefined;
  /** Whether the caller handles temporary errors; otherwise the request is repeated. */
  readonly once?: boolean;
}

interface RegistryResponse {
  readonly response: Response;
  /** Whether it came from the registry itself, not from a host that it redirected to. */
  readonly isOwn: boolean;
  /** The header that was sent. */
  readonly authorization: string | undefined;
}

const MOST_REDIRECTS = 5;
const LONGEST_BODY = 64 * 1024;
/** Bodies up to this size in bytes are sent without noticeable delay. */
const LONGEST_SHORT = 1024 * 1024;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Sends requests to one registry, with authorization, and repeats them after temporary errors. */
export class RegistryConnection {
  readonly registry: string;
  readonly authority: Authority;
  readonly clock: RetryClock;
  readonly #base: URL;
  readonly #idle: number;
  readonly #transport: Transport;
  /**
   * Whether a registry that is contacted without encryption may require it; only until the first response.
   */
  #mayBeEncrypted: boolean;
  /** Whether any response was received, so that the registry is known to be reachable. */
  #hasAnswered = false;
  readonly #watches = new WeakMap<Response, IdleWatch>();
  readonly #plain: ReadonlySet<string>;
  /**
   * Whether the registry may be contacted without encryption, because it was configured so or is on this
   * machine.
   */
  readonly #isPlain: boolean;

  constructor(registry: string, options: ConnectionOptions) {
    this.registry = registry;
    this.clock = options.clock;
    this.#idle = options.idle ?? IDLE;
    this.#transport = options.transport ?? directTransport;
    this.#plain = new Set(options.plainHttp);
    const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
    const isPlain = isLoopback(host) || this.#plain.has(registry);
    this.#isPlain = isPlain;
    this.#mayBeEncrypted = isPlain && !this.#plain.has(registry);
    this.#base = new URL(`${isPlain ? 'http' : 'https'}://${host}/v2/`);
    this.authority = new Authority({
      registry,
      clock: options.clock,
      idle: this.#idle,
      transport: this.#transport,
      whyNotAsk: (url) => this.#whyNotAsk(url),
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    });
  }

  /**
   * Sends a request and returns the response, whose status is one that the request accepts. Rejects with a
   * RegistryError.
   */
  send(ask: RegistryRequest): Promise<Response> {
    if (ask.once === true) return this.#try(ask);
    return retrying(this.clock, ask.signal, () => this.#try(ask));
  }

  /** The body of a response. Fails if no data arrives for too long. */
  body(response: Response): AsyncIterable<Uint8Array> {
    const { body } = response;
    if (body === null) return nothing();
    return (this.#watches.get(response) ?? new IdleWatch(this.#idle, undefined)).watched(body);
  }

  /** The URL in a response's `Location`. Throws if it is invalid or must not be requested. */
  location(response: Response, ask: Pick<RegistryRequest, 'what'>): URL {
    return this.leadsTo(response.headers.get('location') ?? '', response, ask);
  }

  /** Like `location`, for a URL in another header of the response. */
  leadsTo(text: string, response: Response, ask: Pick<RegistryRequest, 'what'>): URL {
    // Behind a proxy, a registry may not know that it is reached by https.
    const base = response.url || this.#base.href;
    if (text === '' || !URL.canParse(text, base))
      throw new RegistryError(`cannot ${ask.what}: invalid redirection from ${this.registry}`);
    const url = new URL(text, base);
    if (url.host === this.#base.host) url.protocol = this.#base.protocol;
    const why = this.#whyNotAsk(url);
    if (why !== undefined)
      throw new RegistryError(
        `cannot ${ask.what}: ${this.registry} redirects to ${safeText(`${url.protocol}//${url.host}`, [])}, which ${why}`,
      );
    return url;
  }

  /** An error for users, without secrets. */
  error(
    ask: Pick<RegistryRequest, 'what'>,
    why: string,
    options: ErrorOptions & { status?: number } = {},
  ): RegistryError {
    return new RegistryError(`cannot ${ask.what}: ${safeText(why, this.authority.secrets)}`, options);
  }

  /**
   * Why a URL given by the registry must not be requested; undefined if it is allowed. A registry on another
   * machine must not redirect to a port of this machine: an unrelated program could listen there, and would
   * receive what is meant for the registry.
   */
  #whyNotAsk(url: URL): string | undefined {
    if (url.username !== '' || url.password !== '') return 'names a user';
    if (isLoopback(url.host) && !this.#isPlain) return 'is a port of this machine';
    if (url.protocol === 'https:') return undefined;
    const mayBePlain = this.#isPlain && (isLoopback(url.host) || this.#plain.has(url.host));
    return url.protocol === 'http:' && mayBePlain ? undefined : 'is not encrypted';
  }

  async #try(ask: RegistryRequest): Promise<Response> {
    for (let isAgain = false; ; isAgain = true) {
      const { response, isOwn, authorization } = await this.#follow(ask);
      const { status } = response;
      if (ask.accept.includes(status)) return response;
      const header = response.headers.get('www-authenticate');
      const body = await readSome(this.body(response));
      if (status === 401 && header !== null && isOwn && !isAgain) {
        if (await this.authority.learn(parseChallenges(header), authorization)) continue;
      }
      throw await this.#refusal(ask, response, body);
    }
  }

  /** Sends a request and follows redirections. */
  async #follow(ask: RegistryRequest): Promise<RegistryResponse> {
    let url = typeof ask.to === 'string' ? new URL(ask.to, this.#base) : ask.to;
    for (let hops = 0; ; hops++) {
      const answer = await this.#fetch(ask, url);
      const { response } = answer;
      if (!redirects.has(response.status) || ask.accept.includes(response.status)) return answer;
      await response.body?.cancel();
      if (hops === MOST_REDIRECTS) throw this.error(ask, `too many redirections from ${this.registry}`);
      url = this.location(response, ask);
    }
  }

  /**
   * Like `#ask`. Loopback addresses are tried without encryption first, because most registries on them have
   * none. The result shows whether the registry requires encryption. No secret has been sent at that point,
   * because a registry must ask for it first.
   */
  async #fetch(ask: RegistryRequest, url: URL): Promise<RegistryResponse> {
    if (url.origin !== this.#base.origin || !this.#mayBeEncrypted) return this.#ask(ask, url);
    let answer: RegistryResponse | undefined;
    let failure: unknown;
    try {
      answer = await this.#ask(ask, url);
    } catch (error) {
      if (!(error instanceof TransientError) || !isBroken(error.cause)) throw error;
      failure = error;
    }
    const isOdd = answer === undefined || answer.response.status === 400;
    if (!isOdd || !(await this.#isEncrypted(ask.signal))) {
      if (answer === undefined) throw failure;
      this.#mayBeEncrypted = false;
      return answer;
    }
    await answer?.response.body?.cancel();
    this.#mayBeEncrypted = false;
    this.#base.protocol = 'https:';
    const encrypted = new URL(url);
    encrypted.protocol = 'https:';
    return this.#ask(ask, encrypted);
  }

  /** Whether the host accepts TLS, with any certificate. */
  async #isEncrypted(signal: AbortSignal | undefined): Promise<boolean> {
    const watch = new IdleWatch(this.#idle, signal);
    watch.wait();
    try {
      const to = `https://${this.#base.host}/v2/`;
      const response = await this.#transport.fetch(to, { redirect: 'manual', signal: watch.signal });
      await response.body?.cancel();
      return true;
    } catch (error) {
      signal?.throwIfAborted();
      return isCertificateError(error);
    } finally {
      watch.end();
    }
  }

  async #ask(ask: RegistryRequest, url: URL): Promise<RegistryResponse> {
    const { method, headers, signal, body } = ask;
    // Other hosts get their authorization from the URL that the registry made.
    const isOwn = url.origin === this.#base.origin;
    const authorization = isOwn ? await this.authority.header(ask.scopes, signal) : undefined;
    const watch = new IdleWatch(this.#idle, signal);
    const content = body?.(watch);
    // Sending a large body, and processing it in the registry, may take long, so no timeout applies.
    const isShort = content instanceof Uint8Array && content.length <= LONGEST_SHORT;
    if (content === undefined || isShort) watch.wait();
    try {
      const response = await this.#transport.fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          'user-agent': 'luet-ts',
          // Digests refer to the bytes as stored.
          'accept-encoding': 'identity',
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        signal: watch.signal,
        ...(content === undefined ? {} : { body: content, duplex: 'half' }),
        // Without these options, fetch would keep the whole stream in memory to send it again after a
        // redirection.
        ...(content instanceof ReadableStream ? { redirect: 'error', window: null } : {}),
      });
      watch.rest();
      this.#hasAnswered = true;
      this.#watches.set(response, watch);
      return { response, isOwn, authorization };
    } catch (error) {
      watch.end();
      signal?.throwIfAborted();
      const failed = unreachable(error, `cannot ${ask.what}`, url, this.#transport, this.authority.secrets);
      throw this.#hasAnswered ? failed : permanentIfUnreachable(failed, error);
    }
  }

  async #refusal(ask: RegistryRequest, { status, headers }: Response, body: string): Promise<RegistryError> {
    const said = bodyText(body, this.authority.secrets);
    const why = `cannot ${ask.what}: ${this.registry} answers ${status}${said === '' ? '' : ` (${said})`}`;
    if (isTransientStatus(status)) {
      const after = retryAfter(headers.get('retry-after'), this.clock.now());
      const hint =
        status === 429 && (await this.authority.credentials()) === undefined
          ? `; with a login it may allow more: ${this.#login()}`
          : '';
      return new TransientError(why + hint, { status, ...(after === undefined ? {} : { after }) });
    }
    return new RegistryError(why + (await this.#hint(status)), { status });
  }

  #login(): string {
    return `docker login${this.registry === 'docker.io' ? '' : ` ${this.registry}`}`;
  }

  async #hint(status: number): Promise<string> {
    if (status === 400 && this.#base.protocol === 'http:') return '; the registry may require https';
    if (status !== 401 && status !== 403) return '';
    return `; the repository does not exist, or ${await this.authority.advice()}`;
  }
}

/** Whether an error of fetch means that an existing connection broke. */
function isBroken(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } };
  return /^(?:ECONNRESET|EPIPE|EPROTO|HPE_.*|UND_ERR_SOCKET)$/.test(cause?.code ?? '');
}

/** The start of an error response's body. */
async function readSome(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > LONGEST_BODY) break;
    }
  } catch {
    // The status is sufficient for the message.
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The body of a response without one. */
async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
