import { Authority } from './authority.ts';
import { parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { bodyText, isCertificateError, PassingError, RegistryError, shown } from './error.ts';
import { IDLE, Watch } from './idle.ts';
import { isLoopback } from './loopback.ts';
import { isPassing, type RetryClock, retryAfter, retrying } from './retry.ts';
import { straight, type Transport } from './transport.ts';
import { noWay, unreachable } from './unreachable.ts';

/** What talking to registries needs to know. */
export interface ConnectionOptions {
  /** What is shown to a registry (`docker.io`, `localhost:5000`), such as `readCredentials` finds. */
  readonly credentials?: (registry: string) => Promise<Credentials | undefined>;
  /** Registries, as names have them, that are talked to without encryption, as loopback addresses are. */
  readonly plainHttp?: readonly string[];
  readonly clock: RetryClock;
  /** The way to registries; straight where absent. */
  readonly transport?: Transport;
  /** Milliseconds without a byte after which a connection counts as broken; a minute where absent. */
  readonly idle?: number;
}

/** One thing that a registry is asked. */
export interface Ask {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** A path behind `/v2/`, or an address that the registry gave. */
  readonly to: string | URL;
  /** What is done, for people: `pull the manifest of a/b:1`. */
  readonly what: string;
  /** As tokens are given for: `repository:a/b:pull`. */
  readonly scopes: readonly string[];
  /** Statuses that are an answer. */
  readonly accept: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened anew for each try. A stream tells the watch when it is waited for more of it to be taken. */
  readonly body?: (watch: Watch) => NonNullable<RequestInit['body']>;
  readonly signal?: AbortSignal | undefined;
  /** Whether a failure that may pass is the caller's to handle. */
  readonly once?: boolean;
}

interface Answer {
  readonly response: Response;
  /** Whether it is the registry's, not that of a host that it leads to. */
  readonly isOwn: boolean;
  /** The header that was shown. */
  readonly authorization: string | undefined;
}

const MOST_REDIRECTS = 5;
const LONGEST_BODY = 64 * 1024;
/** Bytes that are sent in no time. */
const LONGEST_SHORT = 1024 * 1024;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Requests to one registry, with what they are shown, done again where failures may pass. */
export class Connection {
  readonly registry: string;
  readonly authority: Authority;
  readonly clock: RetryClock;
  readonly #base: URL;
  readonly #idle: number;
  readonly #transport: Transport;
  /** Whether a plain registry may turn out to be an encrypted one, as long as nothing has answered. */
  #mayBeEncrypted: boolean;
  /** Whether anything ever came back, so that a way there exists. */
  #hasAnswered = false;
  readonly #watches = new WeakMap<Response, Watch>();
  readonly #plain: ReadonlySet<string>;
  /** Whether the registry itself was named as one that may be talked to without encryption, or is on this machine. */
  readonly #isPlain: boolean;

  constructor(registry: string, options: ConnectionOptions) {
    this.registry = registry;
    this.clock = options.clock;
    this.#idle = options.idle ?? IDLE;
    this.#transport = options.transport ?? straight;
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

  /** The answer, whose status is one of those that the caller accepts. Rejects with a RegistryError. */
  send(ask: Ask): Promise<Response> {
    if (ask.once === true) return this.#try(ask);
    return retrying(this.clock, ask.signal, () => this.#try(ask));
  }

  /** The bytes of an answer. Fails where none come for too long. */
  body(response: Response): AsyncIterable<Uint8Array> {
    const { body } = response;
    if (body === null) return nothing();
    return (this.#watches.get(response) ?? new Watch(this.#idle, undefined)).watched(body);
  }

  /** The address that an answer leads to. Throws where it is none, or one that must not be asked. */
  location(response: Response, ask: Pick<Ask, 'what'>): URL {
    return this.leadsTo(response.headers.get('location') ?? '', response, ask);
  }

  /** As `location`, for an address that another header of the answer gives. */
  leadsTo(text: string, response: Response, ask: Pick<Ask, 'what'>): URL {
    // Behind a proxy a registry may take itself for a plain one.
    const base = response.url || this.#base.href;
    if (text === '' || !URL.canParse(text, base))
      throw new RegistryError(`cannot ${ask.what}: ${this.registry} leads nowhere`);
    const url = new URL(text, base);
    if (url.host === this.#base.host) url.protocol = this.#base.protocol;
    const why = this.#whyNotAsk(url);
    if (why !== undefined)
      throw new RegistryError(
        `cannot ${ask.what}: ${this.registry} leads to ${shown(`${url.protocol}//${url.host}`, [])}, which ${why}`,
      );
    return url;
  }

  /** What of a failure may be shown. */
  error(
    ask: Pick<Ask, 'what'>,
    why: string,
    options: ErrorOptions & { status?: number } = {},
  ): RegistryError {
    return new RegistryError(`cannot ${ask.what}: ${shown(why, this.authority.secrets)}`, options);
  }

  /**
   * Why an address that the registry names must not be asked; undefined where it may be. One on another machine leads to no port of this one: what listens there may be anybody's, and
   * would be shown what the registry is.
   */
  #whyNotAsk(url: URL): string | undefined {
    if (url.username !== '' || url.password !== '') return 'names a user';
    if (isLoopback(url.host) && !this.#isPlain) return 'is a port of this machine';
    if (url.protocol === 'https:') return undefined;
    const mayBePlain = this.#isPlain && (isLoopback(url.host) || this.#plain.has(url.host));
    return url.protocol === 'http:' && mayBePlain ? undefined : 'is not encrypted';
  }

  async #try(ask: Ask): Promise<Response> {
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

  /** The answer behind redirections. */
  async #follow(ask: Ask): Promise<Answer> {
    let url = typeof ask.to === 'string' ? new URL(ask.to, this.#base) : ask.to;
    for (let hops = 0; ; hops++) {
      const answer = await this.#fetch(ask, url);
      const { response } = answer;
      if (!redirects.has(response.status) || ask.accept.includes(response.status)) return answer;
      await response.body?.cancel();
      if (hops === MOST_REDIRECTS) throw this.error(ask, `${this.registry} leads in circles`);
      url = this.location(response, ask);
    }
  }

  /**
   * As `#ask`. Loopback addresses are asked without encryption first, which is what most registries there take and costs nothing; what is
   * answered then tells whether there is an encrypted one. Nothing secret was sent by then: a registry has to ask for that.
   */
  async #fetch(ask: Ask, url: URL): Promise<Answer> {
    if (url.origin !== this.#base.origin || !this.#mayBeEncrypted) return this.#ask(ask, url);
    let answer: Answer | undefined;
    let failure: unknown;
    try {
      answer = await this.#ask(ask, url);
    } catch (error) {
      if (!(error instanceof PassingError) || !isBroken(error.cause)) throw error;
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

  /** Whether what listens there speaks TLS, with whatever certificate. */
  async #isEncrypted(signal: AbortSignal | undefined): Promise<boolean> {
    const watch = new Watch(this.#idle, signal);
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

  async #ask(ask: Ask, url: URL): Promise<Answer> {
    const { method, headers, signal, body } = ask;
    // What another host is shown is in the address that the registry made.
    const isOwn = url.origin === this.#base.origin;
    const authorization = isOwn ? await this.authority.header(ask.scopes, signal) : undefined;
    const watch = new Watch(this.#idle, signal);
    const content = body?.(watch);
    // What is long and sent as a whole may take its time, and so may what a registry does with it.
    const isShort = content instanceof Uint8Array && content.length <= LONGEST_SHORT;
    if (content === undefined || isShort) watch.wait();
    try {
      const response = await this.#transport.fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          'user-agent': 'luet-ts',
          // Digests are of the bytes as they are stored.
          'accept-encoding': 'identity',
          ...headers,
          ...(authorization === undefined ? {} : { authorization }),
        },
        signal: watch.signal,
        ...(content === undefined ? {} : { body: content, duplex: 'half' }),
        // Only so does fetch not keep all of a stream, to be able to send it again after a redirection.
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
      throw this.#hasAnswered ? failed : noWay(failed, error);
    }
  }

  async #refusal(ask: Ask, { status, headers }: Response, body: string): Promise<RegistryError> {
    const said = bodyText(body, this.authority.secrets);
    const why = `cannot ${ask.what}: ${this.registry} answers ${status}${said === '' ? '' : ` (${said})`}`;
    if (isPassing(status)) {
      const after = retryAfter(headers.get('retry-after'), this.clock.now());
      const hint =
        status === 429 && (await this.authority.credentials()) === undefined
          ? `; with a login it may allow more: ${this.#login()}`
          : '';
      return new PassingError(why + hint, { status, ...(after === undefined ? {} : { after }) });
    }
    return new RegistryError(why + (await this.#hint(status)), { status });
  }

  #login(): string {
    return `docker login${this.registry === 'docker.io' ? '' : ` ${this.registry}`}`;
  }

  async #hint(status: number): Promise<string> {
    if (status === 400 && this.#base.protocol === 'http:') return '; it may want to be talked to by https';
    if (status !== 401 && status !== 403) return '';
    return `; either there is no such repository, or ${await this.authority.advice()}`;
  }
}

/** Whether a failure of fetch is that of a connection that was there. */
function isBroken(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: string } };
  return /^(?:ECONNRESET|EPIPE|EPROTO|HPE_.*|UND_ERR_SOCKET)$/.test(cause?.code ?? '');
}

/** The beginning of a body, for what a registry says of an error. */
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
    // Its status says enough.
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** The bytes of an answer that has no body. */
async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
