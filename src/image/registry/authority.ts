import type { Challenge } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { ConfigError } from './docker-config.ts';
import { RegistryError, safeText } from './error.ts';
import { type RetryClock, retrying } from './retry.ts';
import { askTokenServer, type TokenRequest } from './token-server.ts';
import type { Transport } from './transport.ts';

/** Options of an `Authority`. */
export interface AuthorityOptions {
  /** The name of the registry, such as `docker.io`. */
  readonly registry: string;
  readonly credentials?: (registry: string) => Promise<Credentials | undefined>;
  readonly clock: RetryClock;
  /** Timeout in milliseconds for a token server. */
  readonly idle: number;
  readonly transport: Transport;
  /** Why a URL must not be requested, such as `is not encrypted`; undefined if it is allowed. */
  readonly whyNotAsk: (url: URL) => string | undefined;
}

interface AuthToken {
  readonly value: string;
  /** End of its validity in milliseconds since 1970. */
  readonly until: number;
}

type Mode =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer'; readonly realm: URL; readonly service?: string };

/**
 * Lifetime in seconds of a token that does not specify one (token specification of the distribution project).
 */
const USUAL_LIFE = 60;
/** Seconds before the end of its lifetime from which a token is no longer used. */
const MARGIN = 10;

/** The authorization for requests to one registry: none, basic credentials, or tokens for scopes. */
export class Authority {
  /** Secrets that must not be shown in messages. */
  readonly secrets = new Set<string>();
  readonly #options: AuthorityOptions;
  #mode: Mode | undefined;
  #credentials: Promise<Credentials | undefined> | undefined;
  /** The error of reading credentials. */
  #failure: RegistryError | undefined;
  readonly #tokens = new Map<string, Promise<AuthToken>>();
  /** Headers that the registry refused; they are not sent again. */
  readonly #refused = new Set<string>();

  constructor(options: AuthorityOptions) {
    this.#options = options;
  }

  /** The `Authorization` header for these scopes, if the registry is known to require one. */
  async header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    if (this.#mode === undefined) return undefined;
    const credentials = await this.credentials();
    if (this.#mode.scheme === 'basic') return this.#basic(credentials);
    if (credentials?.registrytoken !== undefined) return `Bearer ${credentials.registrytoken}`;
    const { value } = await this.#token(this.#mode, scopes, signal);
    return `Bearer ${value}`;
  }

  /**
   * Processes the challenges of a refused request; `refused` is the header that was sent. Returns whether
   * another attempt makes sense, which is not so without other credentials.
   */
  async learn(challenges: readonly Challenge[], refused: string | undefined): Promise<boolean> {
    const { registry, whyNotAsk } = this.#options;
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) {
      const { realm = '', service } = bearer.parameters;
      const url = URL.canParse(realm) ? new URL(realm) : undefined;
      if (url === undefined || whyNotAsk(url) !== undefined)
        throw new RegistryError(
          `${registry} requires a token from ${safeText(realm, this.secrets)}, which is not an https address of another machine`,
          { status: 401 },
        );
      this.#mode = { scheme: 'bearer', realm: url, ...(service === undefined ? {} : { service }) };
      if (refused !== undefined) this.#refused.add(refused);
      return true;
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return false;
    this.#mode = { scheme: 'basic' };
    const mine = this.#basic(await this.credentials());
    return mine !== undefined && mine !== refused;
  }

  /**
   * The credentials of the registry, read once. Undefined if a credential helper fails, because most
   * registries allow anonymous reads.
   */
  credentials(): Promise<Credentials | undefined> {
    this.#credentials ??= this.#askCredentials();
    return this.#credentials;
  }

  async #askCredentials(): Promise<Credentials | undefined> {
    const { credentials, registry } = this.#options;
    let found: Credentials | undefined;
    try {
      found = await credentials?.(registry);
    } catch (error) {
      if (!(error instanceof RegistryError) || error instanceof ConfigError) throw error;
      this.#failure = error;
    }
    const { password, identitytoken, registrytoken } = found ?? {};
    for (const secret of [password, identitytoken, registrytoken])
      if (secret !== undefined) this.secrets.add(secret);
    return found;
  }

  /** Explains a refused request: which credentials were used, or why there were none. */
  async advice(): Promise<string> {
    const { registry } = this.#options;
    const login = `docker login${registry === 'docker.io' ? '' : ` ${registry}`}`;
    const credentials = await this.credentials();
    if (this.#failure !== undefined) return `it requires a login, but ${this.#failure.message}`;
    if (credentials === undefined) return `it requires a login: ${login}`;
    const who =
      credentials.username === undefined
        ? 'the saved token'
        : `the saved login of ${JSON.stringify(credentials.username)}`;
    return `${who} is not sufficient: ${login}`;
  }

  #basic(credentials: Credentials | undefined): string | undefined {
    const { username, password } = credentials ?? {};
    if (username === undefined || password === undefined) return undefined;
    const text = Buffer.from(`${username}:${password}`).toString('base64');
    this.secrets.add(text);
    return `Basic ${text}`;
  }

  async #token(
    mode: Mode & { scheme: 'bearer' },
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<AuthToken> {
    const key = scopes.join(' ');
    for (;;) {
      const known = this.#tokens.get(key);
      if (known === undefined) break;
      const token = await known.catch(() => undefined);
      if (token !== undefined && this.#isGood(token)) return token;
      // The first caller requests a token; the others share the result.
      if (this.#tokens.get(key) === known) this.#tokens.delete(key);
    }
    const asked = this.#ask(mode, scopes, signal);
    this.#tokens.set(key, asked);
    asked.catch(() => {
      if (this.#tokens.get(key) === asked) this.#tokens.delete(key);
    });
    return asked;
  }

  #isGood({ value, until }: AuthToken): boolean {
    return until > this.#options.clock.now() && !this.#refused.has(`Bearer ${value}`);
  }

  async #ask(
    mode: Mode & { scheme: 'bearer' },
    scopes: readonly string[],
    signal?: AbortSignal,
  ): Promise<AuthToken> {
    const { registry, clock } = this.#options;
    const credentials = await this.credentials();
    const url = new URL(mode.realm);
    let request: TokenRequest = { url };
    const fields: [string, string][] = [
      ...(mode.service === undefined ? [] : [['service', mode.service] satisfies [string, string]]),
      ...scopes.map((scope): [string, string] => ['scope', scope]),
    ];
    if (credentials?.identitytoken !== undefined) {
      const form = new URLSearchParams([
        ['grant_type', 'refresh_token'],
        ...fields.filter(([name]) => name !== 'scope'),
        ['scope', scopes.join(' ')],
        ['client_id', 'luet-ts'],
        ['refresh_token', credentials.identitytoken],
      ]);
      request = { url, form };
    } else {
      for (const [name, value] of fields) url.searchParams.append(name, value);
      request = { url, authorization: this.#basic(credentials) };
    }
    const start = clock.now();
    const what = `the token for ${registry}`;
    const { secrets } = this;
    const ask = () =>
      askTokenServer(request, {
        ...this.#options,
        what,
        secrets,
        signal,
        advice: () => this.advice(),
      });
    const answer = await retrying(clock, signal, ask);
    const { token, access_token, expires_in } = answer;
    const value = token ?? access_token;
    if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value))
      throw new RegistryError(`cannot get ${what}: the response of ${url.host} has no token`);
    this.secrets.add(value);
    const life = typeof expires_in === 'number' && expires_in > 0 ? expires_in : USUAL_LIFE;
    return { value, until: start + Math.max(life - MARGIN, life / 2) * 1000 };
  }
}
