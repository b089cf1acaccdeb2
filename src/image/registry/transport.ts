import { withoutPassword } from '../../diagnostic/index.ts';
import { ImageError } from '../types.ts';
import { noProxyMatcher } from './no-proxy.ts';

/** The setting of a proxy. */
export interface ProxySetting {
  /** Name of the setting in errors, such as an environment variable. */
  readonly name: string;
  readonly address: string;
}

/** The proxies to use. */
export interface ProxySettings {
  /** For https URLs. */
  readonly https?: ProxySetting | undefined;
  /** For http URLs. */
  readonly http?: ProxySetting | undefined;
  /** Hosts that are contacted directly, in the format of `NO_PROXY`. */
  readonly except?: string | undefined;
}

/** Sends requests directly or through proxies. */
export interface Transport {
  /** Like the global `fetch`. Rejects with a `ProxyError` if a proxy refuses to forward the request. */
  fetch(url: URL | string, init: RequestInit): Promise<Response>;
  /**
   * The proxy used for a URL, for messages: empty, or ` through the proxy http://proxy:3128 (HTTPS_PROXY)`.
   */
  via(url: URL): string;
}

/** Thrown if a proxy responds but does not forward a request. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** HTTP status of the proxy's response. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** A transport without any proxy. */
export const directTransport: Transport = { fetch: (url, init) => fetch(url, init), via: () => '' };

interface Proxy {
  /** Name of the setting, such as an environment variable. */
  readonly variable: string;
  /** URL without user name and password. */
  readonly url: URL;
  /** Authorization for the proxy, if it requires a login. */
  readonly token: string | undefined;
}

/**
 * Creates the transport for some proxies. An invalid proxy makes every request that would use it fail with an
 * ImageError.
 */
export function transportOf({ https, http, except = '' }: ProxySettings): Transport {
  const proxies = new Map<string, Proxy | ImageError>();
  if (https !== undefined) proxies.set('https:', parseProxy(https));
  if (http !== undefined) proxies.set('http:', parseProxy(http));
  return proxies.size === 0 ? directTransport : new ProxiedTransport(proxies, noProxyMatcher(except));
}

function parseProxy({ name: variable, address: text }: ProxySetting): Proxy | ImageError {
  const wrong = (why: string) =>
    new ImageError(
      `invalid value of ${variable}: ${JSON.stringify(withoutPassword(text))}: ${why}; expected http://HOST:PORT`,
    );
  if (/^socks\w*:/i.test(text)) return wrong('SOCKS proxies are not supported, only HTTP proxies');
  // Like Go programs, accepts `proxy:3128` as an http URL.
  const full = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  try {
    const url = new URL(full);
    const [username, password] = [url.username, url.password].map(decodeURIComponent);
    url.username = '';
    url.password = '';
    return { variable, url, token: username === '' ? undefined : `${username}:${password}` };
  } catch {
    return wrong('not a proxy URL');
  }
}

/** The parts of undici that are used. Its own `fetch` is required for its proxies. */
type Undici = typeof import('undici');
type Dispatcher = InstanceType<Undici['Dispatcher']>;

class ProxiedTransport implements Transport {
  readonly #proxies: ReadonlyMap<string, Proxy | ImageError>;
  readonly #isExcepted: (url: URL) => boolean;
  readonly #dispatchers = new Map<Proxy | undefined, Dispatcher>();
  #undici: Promise<Undici> | undefined;

  constructor(proxies: ReadonlyMap<string, Proxy | ImageError>, isExcepted: (url: URL) => boolean) {
    this.#proxies = proxies;
    this.#isExcepted = isExcepted;
  }

  #proxyOf(url: URL): Proxy | undefined {
    const proxy = this.#isExcepted(url) ? undefined : this.#proxies.get(url.protocol);
    if (proxy instanceof ImageError) throw proxy;
    return proxy;
  }

  via(url: URL): string {
    const proxy = this.#proxyOf(url);
    return proxy === undefined ? '' : ` through the proxy ${proxy.url.origin} (${proxy.variable})`;
  }

  async fetch(to: URL | string, init: RequestInit): Promise<Response> {
    const url = new URL(to);
    const proxy = this.#proxyOf(url);
    // Loaded only if there is a proxy.
    this.#undici ??= import('undici');
    const undici = await this.#undici;
    const options = { ...init, dispatcher: this.#dispatcher(undici, proxy) };
    // The same interfaces, declared twice.
    const send = undici.fetch as unknown as (url: URL, init: object) => Promise<Response>;
    try {
      return await send(url, options);
    } catch (error) {
      const status = proxyStatus(error);
      throw proxy === undefined || status === undefined ? error : refused(proxy, status);
    }
  }

  #dispatcher({ Agent, ProxyAgent }: Undici, proxy: Proxy | undefined): Dispatcher {
    const known = this.#dispatchers.get(proxy);
    if (known !== undefined) return known;
    const made = proxy === undefined ? new Agent({ allowH2: false }) : new ProxyAgent(agentOptions(proxy));
    this.#dispatchers.set(proxy, made);
    return made;
  }
}

/**
 * The status in a proxy's refusal; undefined for other errors. undici reports it only in the text of a nested
 * error.
 */
function proxyStatus(error: unknown): number | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const status = /^Proxy (?:response|Authentication Required) \((\d+)\)/.exec(at.message)?.[1];
    if (status !== undefined) return Number(status);
  }
  return undefined;
}

function agentOptions({ url, token }: Proxy) {
  const login = token === undefined ? {} : { token: `Basic ${Buffer.from(token).toString('base64')}` };
  return { uri: url.href, allowH2: false, ...login };
}

function refused({ url, variable, token }: Proxy, status: number): ProxyError {
  const hint =
    status !== 407
      ? ''
      : token === undefined
        ? `; it requires a login: set ${variable} to ${url.protocol}//NAME:PASSWORD@${url.host}`
        : `; it rejects the user name and password in ${variable}`;
  return new ProxyError(`proxy ${url.origin} (${variable}) responds with ${status}${hint}`, status);
}
