import { RegistryError, safeText, TransientError } from './error.ts';
import { IdleWatch } from './idle.ts';
import { isTransientStatus, type RetryClock, retryAfter } from './retry.ts';
import type { Transport } from './transport.ts';
import { unreachable } from './unreachable.ts';

/** A request to a token server. */
export interface TokenRequest {
  readonly url: URL;
  /** Form to send with `POST`; it contains a secret. Without it, the request is a `GET`. */
  readonly form?: URLSearchParams;
  readonly authorization?: string | undefined;
}

/** Options of a request to a token server. */
export interface TokenRequestOptions {
  readonly clock: RetryClock;
  readonly transport: Transport;
  /** Timeout in milliseconds. */
  readonly idle: number;
  /** Why a URL must not be requested, such as `is not encrypted`; undefined if it is allowed. */
  readonly whyNotAsk: (url: URL) => string | undefined;
  /** What is requested, for messages. */
  readonly what: string;
  readonly secrets: Iterable<string>;
  /** Returns an explanation to append if the server refuses. */
  readonly advice: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

const LONGEST_ANSWER = 1024 * 1024;
const MOST_REDIRECTS = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/** Sends a request to a token server and follows redirections. Rejects with a RegistryError. */
export async function askTokenServer(
  request: TokenRequest,
  options: TokenRequestOptions,
): Promise<Record<string, unknown>> {
  const { what, advice, clock } = options;
  let asked = request;
  for (let hops = 0; ; hops++) {
    const { status, headers, text } = await askOnce(asked, options);
    if (status === 200) return parse(text, asked.url, what);
    const why = `cannot get ${what}: ${asked.url.host} responds with ${status}`;
    if (redirects.has(status)) {
      if (hops === MOST_REDIRECTS)
        throw new RegistryError(`cannot get ${what}: too many redirections from ${request.url.host}`);
      asked = redirected(asked, status, headers.get('location'), options);
    } else if (isTransientStatus(status)) {
      const after = retryAfter(headers.get('retry-after'), clock.now());
      throw new TransientError(why, { status, ...(after === undefined ? {} : { after }) });
    } else throw new RegistryError(`${why}: ${await advice()}`, { status });
  }
}

/**
 * The next request after a redirection. As in Docker, user name and password are sent again only to the same
 * host, on any port, and to its subdomains (`auth.example.org` to `eu.auth.example.org`). A form is not sent
 * to another host; after a 301 to 303, it is replaced by a `GET` without it.
 */
function redirected(
  { url, form, authorization }: TokenRequest,
  status: number,
  location: string | null,
  { whyNotAsk, what, secrets }: TokenRequestOptions,
): TokenRequest {
  const next = location !== null && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (next === undefined) throw new RegistryError(`cannot get ${what}: invalid redirection from ${url.host}`);
  const to = safeText(`${next.protocol}//${next.host}`, secrets);
  const why = whyNotAsk(next);
  if (why !== undefined)
    throw new RegistryError(`cannot get ${what}: ${url.host} redirects to ${to}, which ${why}`);
  const isNear = next.hostname === url.hostname || next.hostname.endsWith(`.${url.hostname}`);
  const keepsForm = form !== undefined && (status === 307 || status === 308);
  if (keepsForm && !isNear)
    throw new RegistryError(
      `cannot get ${what}: ${url.host} redirects to another host, ${to}; the saved token is not sent there`,
    );
  return {
    url: next,
    ...(keepsForm ? { form } : {}),
    ...(isNear && authorization !== undefined ? { authorization } : {}),
  };
}

async function askOnce(
  { url, form, authorization }: TokenRequest,
  { transport, idle, what, secrets, signal }: TokenRequestOptions,
): Promise<{ readonly status: number; readonly headers: Headers; readonly text: string }> {
  const watch = new IdleWatch(idle, signal);
  try {
    watch.wait();
    const { status, headers, body } = await transport.fetch(url, {
      redirect: 'manual',
      signal: watch.signal,
      ...(form === undefined ? {} : { method: 'POST', body: form }),
      ...(authorization === undefined ? {} : { headers: { authorization } }),
    });
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString('latin1');
      if (text.length > LONGEST_ANSWER) throw new Error('its response is too long');
    }
    return { status, headers, text };
  } catch (error) {
    signal?.throwIfAborted();
    throw unreachable(error, `cannot get ${what}`, url, transport, secrets);
  } finally {
    watch.end();
  }
}

function parse(text: string, { host }: URL, what: string): Record<string, unknown> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    // Reported below.
  }
  if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>;
  throw new RegistryError(`cannot get ${what}: the response of ${host} is not JSON`);
}
