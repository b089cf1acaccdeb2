import { withoutPassword } from '../../diagnostic/index.ts';
import { ImageError } from '../types.ts';
import { exceptions } from './exceptions.ts';

/** The address of a proxy, as it is configured. */
export interface ProxySetting {
  /** What errors call the setting, such as the variable that it comes from. */
  readonly name: string;
  readonly address: string;
}

/** Which proxies requests go through. */
export interface ProxySettings {
  /** For encrypted addresses. */
  readonly https?: ProxySetting | undefined;
  /** For plain addresses. */
  readonly http?: ProxySetting | undefined;
  /** Hosts that are reached without a proxy, in the form of `NO_PROXY`. */
  readonly except?: string | undefined;
}

/** The way to hosts: requests go straight to them, or through proxies. */
export interface Transport {
  /** As `fetch`. Rejects with a `ProxyError` where a proxy does not lead on. */
  fetch(url: URL | string, init: RequestInit): Promise<Response>;
  /** What stands between us and a host, for people: empty, or ` through the proxy http://proxy:3128 (HTTPS_PROXY)`. */
  via(url: URL): string;
}

/** A proxy that answers, but does not do what it was asked. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  /** The status of HTTP that it answered with. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

/** Without any proxy. */
export const straight: Transport = { fetch: (url, init) => fetch(url, init), via: () => '' };

interface Proxy {
  /** The name of the setting, such as the variable that it comes from. */
  readonly variable: string;
  /** Without a name and a password. */
  readonly url: URL;
  /** What it is shown, where it takes a login. */
  readonly token: string | undefined;
}

/** The transport through some proxies. An address that is invalid is an ImageError of each request that it was meant for. */
export function transportOf({ https, http, except = '' }: ProxySettings): Transport {
  const proxies = new Map<string, Proxy | ImageError>();
  if (https !== undefined) proxies.set('https:', parseProxy(https));
  if (http !== undefined) proxies.set('http:', parseProxy(http));
  return proxies.size === 0 ? straight : new ProxiedTransport(proxies, exceptions(except));
}

function parseProxy({ name: variable, address: text }: ProxySetting): Proxy | ImageError {
  const wrong = (why: string) =>
    new ImageError(`${variable} is ${JSON.stringify(withoutPassword(text))}: ${why}; write http://HOST:PORT`);
  if (/^socks\w*:/i.test(text)) return wrong('luet-ts does not use SOCKS proxies, only HTTP ones');
  // As programs in Go take it, `proxy:3128` is the address of a plain one.
  const full = /^https?:\/\//i.test(text) ? text : `http://${text}`;
  try {
    const url = new URL(full);
    const [username, password] = [url.username, url.password].map(decodeURIComponent);
    url.username = '';
    url.password = '';
    return { variable, url, token: username === '' ? undefined : `${username}:${password}` };
  } catch {
    return wrong('this is no address of a proxy');
  }
}

/** What of undici is used: its proxies and its own `fetch`, because they belong together. */
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
    // Loaded by those alone who have a proxy.
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

/** What a proxy answered that did not lead on; undefined for other failures. undici tells it in a sentence, somewhere in what it throws. */
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
        ? `; it takes a login: write ${url.protocol}//NAME:PASSWORD@${url.host} into ${variable}`
        : `; it does not take the name and password in ${variable}`;
  return new ProxyError(`the proxy ${url.origin} (${variable}) answers ${status}${hint}`, status);
}
