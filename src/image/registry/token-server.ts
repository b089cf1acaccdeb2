import { PassingError, RegistryError, shown } from './error.ts';
import { Watch } from './idle.ts';
import { isPassing, type RetryClock, retryAfter } from './retry.ts';
import type { Transport } from './transport.ts';
import { unreachable } from './unreachable.ts';

/** What a server of tokens is asked. */
export interface TokenRequest {
  readonly url: URL;
  /** Sent by `POST`; a `GET` where absent. It holds a secret. */
  readonly form?: URLSearchParams;
  readonly authorization?: string | undefined;
}

/** How it is asked. */
export interface TokenRequestOptions {
  readonly clock: RetryClock;
  readonly transport: Transport;
  /** Milliseconds that it may take. */
  readonly idle: number;
  /** Why a URL must not be asked, such as `is not encrypted`; undefined where it may be. */
  readonly whyNotAsk: (url: URL) => string | undefined;
  /** What is asked for, for people. */
  readonly what: string;
  readonly secrets: Iterable<string>;
  /** What to say where it refuses. */
  readonly advice: () => Promise<string>;
  readonly signal?: AbortSignal | undefined;
}

const LONGEST_ANSWER = 1024 * 1024;
const MOST_REDIRECTS = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/** The answer of a server of tokens, or of one that it leads to. Rejects with a RegistryError. */
export async function askTokenServer(
  request: TokenRequest,
  options: TokenRequestOptions,
): Promise<Record<string, unknown>> {
  const { what, advice, clock } = options;
  let asked = request;
  for (let hops = 0; ; hops++) {
    const { status, headers, text } = await askOnce(asked, options);
    if (status === 200) return parse(text, asked.url, what);
    const why = `cannot get ${what}: ${asked.url.host} answers ${status}`;
    if (redirects.has(status)) {
      if (hops === MOST_REDIRECTS)
        throw new RegistryError(`cannot get ${what}: ${request.url.host} leads in circles`);
      asked = redirected(asked, status, headers.get('location'), options);
    } else if (isPassing(status)) {
      const after = retryAfter(headers.get('retry-after'), clock.now());
      throw new PassingError(why, { status, ...(after === undefined ? {} : { after }) });
    } else throw new RegistryError(`${why}: ${await advice()}`, { status });
  }
}

/**
 * The next request of a redirection. As in Docker, a name and a password go along to the same host, also at another port, and to those below it
 * (`auth.example.org` to `eu.auth.example.org`), and to no other; a form, which 301 to 303 turn into a `GET` without it, goes to no other either.
 */
function redirected(
  { url, form, authorization }: TokenRequest,
  status: number,
  location: string | null,
  { whyNotAsk, what, secrets }: TokenRequestOptions,
): TokenRequest {
  const next = location !== null && URL.canParse(location, url.href) ? new URL(location, url) : undefined;
  if (next === undefined) throw new RegistryError(`cannot get ${what}: ${url.host} leads nowhere`);
  const to = shown(`${next.protocol}//${next.host}`, secrets);
  const why = whyNotAsk(next);
  if (why !== undefined)
    throw new RegistryError(`cannot get ${what}: ${url.host} leads to ${to}, which ${why}`);
  const isNear = next.hostname === url.hostname || next.hostname.endsWith(`.${url.hostname}`);
  const keepsForm = form !== undefined && (status === 307 || status === 308);
  if (keepsForm && !isNear)
    throw new RegistryError(
      `cannot get ${what}: ${url.host} leads to ${to}, which is another host, and is not shown the token that is kept for it`,
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
  const watch = new Watch(idle, signal);
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
      if (text.length > LONGEST_ANSWER) throw new Error('its answer does not end');
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
    // Told below.
  }
  if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>;
  throw new RegistryError(`cannot get ${what}: ${host} does not answer in JSON`);
}
