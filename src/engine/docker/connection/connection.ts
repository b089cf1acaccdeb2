import type { Agent } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import { inspect } from 'node:util';
import type Docker from 'dockerode';
import { EngineError, type EngineFault } from '../../errors.ts';
import { keepingAgent } from './agent.ts';
import type { Endpoint } from './endpoint.ts';
import { sshAgent } from './ssh.ts';

/** What a request to the Docker API has besides its path. */
export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
  /** The request's body as a stream; in this API always a tar archive. */
  readonly upload?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** The API answered with an error. */
export class ApiError extends EngineError {
  readonly status: number;

  constructor(status: number, message: string) {
    // A Docker that is shutting down answers with whatever fails inside of it.
    super(message, { kind: faultOf(status, message), mayPass: status >= 500 });
    this.status = status;
  }
}

/** A connection to one Docker API: requests go in, values and streams come out. */
export interface Connection {
  /** The address, for people, such as `unix:///var/run/docker.sock`. */
  readonly address: string;
  /**
   * Sends a request and resolves to the JSON of the answer. Rejects with an `ApiError`, or with another
   * `EngineError` where nothing answers.
   */
  json<T>(method: string, path: string, options?: RequestOptions): Promise<T>;
  /** Sends a request and resolves to the body of the answer as a stream. */
  stream(method: string, path: string, options?: RequestOptions): Promise<Readable>;
  /** Sends a request after which the API hands over the raw connection, and resolves to that. */
  hijack(path: string, options?: RequestOptions): Promise<Duplex>;
  /** Closes idle connections. */
  close(): void;
}

/** Opens a connection to an endpoint. Nothing is sent before the first request. */
export async function connect(endpoint: Endpoint): Promise<Connection> {
  const { default: Dockerode } = await import('dockerode');
  const agent = endpoint.kind === 'ssh' ? sshAgent(endpoint) : keepingAgent(64);
  // The transport renders each request for a debug log, whether that is shown or not. With all sockets of the
  // agent in it, this would cost more than the request itself.
  Object.assign(agent, { [inspect.custom]: () => 'Agent' });
  const docker = new Dockerode(settings(endpoint, agent));
  return over(docker, endpoint.address, agent);
}

function settings(endpoint: Endpoint, agent: Agent): Docker.DockerOptions {
  if (endpoint.kind === 'unix')
    return { socketPath: endpoint.path, protocol: 'http', agent } as Docker.DockerOptions;
  if (endpoint.kind === 'ssh')
    return { host: 'engine', port: 80, protocol: 'http', agent } as Docker.DockerOptions;
  const { host, port, tls } = endpoint;
  return tls === undefined
    ? ({ host, port, protocol: 'http', agent } as Docker.DockerOptions)
    : { host, port, protocol: 'https', ...tls };
}

/** What dockerode's transport gives to its callback: JSON, a stream, or the raw connection. */
type Dial = (options: object, callback: (error: unknown, value: unknown) => void) => void;

const accepted = { 101: true, 200: true, 201: true, 204: true, 304: true };

function over(docker: Docker, address: string, agent: Agent): Connection {
  const dial = (options: object): Promise<unknown> =>
    new Promise((resolve, reject) => {
      (docker.modem as { dial: Dial }).dial({ statusCodes: accepted, ...options }, (error, value) =>
        error ? reject(explain(error, address)) : resolve(value),
      );
    });
  // An empty buffer as body: dockerode would otherwise send its options as JSON, which podman passes to the
  // container.
  const nothing = Buffer.alloc(0);
  const request = (method: string, path: string, options: RequestOptions): object => ({
    path: withQuery(path, options.query),
    method,
    ...(options.signal === undefined ? {} : { abortSignal: options.signal }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
    ...(options.upload !== undefined
      ? { file: options.upload }
      : options.body !== undefined
        ? { options: { _query: {}, _body: options.body } }
        : { file: nothing }),
  });
  return {
    address,
    json: async <T>(method: string, path: string, options: RequestOptions = {}) =>
      parsed(await dial(request(method, path, options))) as T,
    stream: async (method, path, options = {}) =>
      Readable.from(
        explained((await dial({ ...request(method, path, options), isStream: true })) as Readable, address),
      ),
    hijack: async (path, options = {}) =>
      (await dial({ ...request('POST', path, options), hijack: true })) as Duplex,
    close: () => agent.destroy(),
  };
}

/** The same stream, whose connection errors become the engine's. */
async function* explained(stream: Readable, address: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw explain(error, address);
  }
}

/**
 * An answer's value: the transport gives an empty body as bytes, and takes the value null for a parse error.
 */
function parsed(value: unknown): unknown {
  if (!Buffer.isBuffer(value)) return value;
  const text = value.toString().trim();
  return text === 'null' || text === '' ? null : text;
}

function withQuery(path: string, query: RequestOptions['query']): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {}))
    if (value !== undefined) parameters.append(name, value);
  const text = parameters.toString();
  return text === '' ? path : `${path}?${text}&`;
}

function explain(error: unknown, address: string): Error {
  const { statusCode, json, message, code, name } = error as {
    statusCode?: number;
    json?: unknown;
    message: string;
    code?: string;
    name?: string;
  };
  if (name === 'AbortError') return error as Error;
  if (statusCode !== undefined)
    // The transport writes the status in front of a reason that it parsed.
    return new ApiError(
      statusCode,
      (reasonOf(json) ?? message.replace(/^\(HTTP code \d+\) .*? - /, '')).trim(),
    );
  return new EngineError(
    `the engine at ${address} does not answer: ${code === undefined ? message : `${message} (${code})`}`,
    { cause: error, kind: isBroken(error) ? 'gone' : 'other' },
  );
}

/** The kind of failure that an answer of the API means. */
export function faultOf(status: number, message: string): EngineFault {
  if (/no space left on device|disk quota exceeded/i.test(message)) return 'no-space';
  if (status === 404 && /no such image|image not known/i.test(message)) return 'image-missing';
  // containerd is a program of its own under Docker; when it is down, Docker is starting or stopping.
  if (
    status === 503 ||
    /transport is closing|shutting down|(containerd|transport|rpc).*(connection refused|closed|unavailable|error while dialing)/i.test(
      message,
    )
  )
    return 'gone';
  return 'other';
}

/** Whether an error means that a connection could not be made, or broke. */
export function isBroken(error: unknown): boolean {
  const { code, syscall } = error as { code?: string; syscall?: string };
  if (code === undefined) return false;
  if (['ENOENT', 'EACCES'].includes(code)) return syscall === 'connect';
  return /^(ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ERR_STREAM_PREMATURE_CLOSE|ERR_SOCKET_CLOSED|HPE_INVALID_EOF_STATE)$/.test(
    code,
  );
}

function reasonOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  if (Buffer.isBuffer(body)) return body.toString().trim() || undefined;
  const { message, cause } = body as { message?: unknown; cause?: unknown };
  return typeof message === 'string' && message !== ''
    ? message
    : typeof cause === 'string'
      ? cause
      : undefined;
}
