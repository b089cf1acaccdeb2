import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Advice } from '../../diagnostic/index.ts';
import { ConfigError, keychainOf, readDockerConfig } from '../../image/index.ts';
import { EngineError } from '../errors.ts';
import { overriding } from '../overriding.ts';
import type { Engine } from '../types.ts';
import { connect } from './connection.ts';
import { type Endpoint, parseEndpoint, type Tls, tlsFrom, tlsOf } from './endpoint.ts';
import { DockerEngine, type DockerEngineOptions } from './engine.ts';
import { podmanService } from './podman-service.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What finding an engine needs from the world. */
export interface FindOptions extends Omit<DockerEngineOptions, 'keychain'> {
  readonly env: Environment;
  readonly home: string;
  /** An address, `docker`, `podman`, or absent for whichever answers. */
  readonly engine?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Whether podman may be started where nothing answers; it may where absent. */
  readonly ownService?: boolean | undefined;
}

/** One way to an engine that was looked at. */
export interface Attempt {
  /** What was tried, for people: `the current Docker context`. */
  readonly strategy: string;
  readonly address?: string;
  readonly used: boolean;
  /** Why not, or empty where it is used. */
  readonly reason: string;
  /** What the program that asked can do about it. */
  readonly advice?: Advice;
}

/** Where an engine may be: what one strategy found applicable. */
interface Candidate {
  readonly strategy: string;
  readonly endpoint: Endpoint | string;
  /** Where the user named this one, another must not stand in for it. */
  readonly binding: boolean;
}

/** A small way to find endpoints: those to try, or why there are none. */
type Strategy = (options: FindOptions) => readonly Candidate[] | string;

const asked: Strategy = ({ engine, env, home }) =>
  engine === undefined || engine === 'docker' || engine === 'podman' || engine === 'auto'
    ? 'no address was given'
    : [{ strategy: 'the address given', endpoint: parseEndpoint(engine, tlsOf(env, home)), binding: true }];

const dockerHost: Strategy = ({ env, home }) =>
  env.DOCKER_HOST
    ? [{ strategy: 'DOCKER_HOST', endpoint: parseEndpoint(env.DOCKER_HOST, tlsOf(env, home)), binding: true }]
    : 'DOCKER_HOST is not set';

const containerHost: Strategy = ({ env }) =>
  env.CONTAINER_HOST
    ? [{ strategy: 'CONTAINER_HOST', endpoint: parseEndpoint(env.CONTAINER_HOST, undefined), binding: true }]
    : 'CONTAINER_HOST is not set';

/** The Docker command line keeps a context's endpoint under the SHA-256 of its name. */
const context: Strategy = ({ env, home }) => {
  const { folder: config } = keychainOf(env, home);
  let name = env.DOCKER_CONTEXT;
  try {
    name ||= readDockerConfig(config).context();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // What it chooses is not known, and something else must not stand in for it.
    return [{ strategy: 'the current Docker context', endpoint: error.message, binding: true }];
  }
  if (!name || name === 'default') return 'no Docker context is chosen';
  const id = createHash('sha256').update(name).digest('hex');
  const meta = readJson(join(config, 'contexts/meta', id, 'meta.json')) as
    | { Endpoints?: { docker?: { Host?: string } } }
    | undefined;
  const host = meta?.Endpoints?.docker?.Host;
  if (host === undefined) return `the Docker context ${name} is not there`;
  const folder = join(config, 'contexts/tls', id, 'docker');
  const tls: Tls | undefined = existsSync(folder) ? tlsFrom(folder) : undefined;
  return [
    {
      strategy: `the Docker context ${name}`,
      endpoint: parseEndpoint(host, tls),
      binding: env.DOCKER_CONTEXT !== undefined,
    },
  ];
};

const sockets =
  (
    strategy: string,
    paths: (runtime: string | undefined, home: string) => readonly (string | undefined)[],
  ): Strategy =>
  ({ env, home }) => {
    const all = paths(env.XDG_RUNTIME_DIR, home).filter((path) => path !== undefined);
    const found = all.filter((path) => existsSync(path));
    if (found.length === 0) return `none of ${all.join(', ')} is there`;
    return found.map((path) => ({ strategy, endpoint: parseEndpoint(path, undefined), binding: false }));
  };

const dockerSockets = sockets('the usual Docker sockets', (runtime, home) => [
  '/var/run/docker.sock',
  runtime && join(runtime, 'docker.sock'),
  join(home, '.docker/run/docker.sock'),
  join(home, '.docker/desktop/docker.sock'),
]);

const podmanSockets = sockets('the usual podman sockets', (runtime) => [
  '/run/podman/podman.sock',
  runtime && join(runtime, 'podman/podman.sock'),
]);

function strategies(engine: string | undefined): readonly (readonly [name: string, strategy: Strategy])[] {
  const docker = [
    ['DOCKER_HOST', dockerHost],
    ['the current Docker context', context],
    ['the usual Docker sockets', dockerSockets],
  ] as const;
  const podman = [
    ['CONTAINER_HOST', containerHost],
    ['the usual podman sockets', podmanSockets],
  ] as const;
  if (engine === 'docker') return docker;
  if (engine === 'podman') return podman;
  if (engine === undefined || engine === 'auto') return [...docker, ...podman];
  return [['the address given', asked]];
}

/** An engine that answers, and every way to one that was looked at. */
export interface FoundEngine {
  readonly engine: Engine;
  readonly attempts: readonly Attempt[];
}

/** No engine answers. Carries what was tried. */
export class NoEngineError extends EngineError {
  readonly attempts: readonly Attempt[];
  /** Whether the engine that does not answer was named by the user, so that another must not stand in for it. */
  readonly isBinding: boolean;

  constructor(attempts: readonly Attempt[], isBinding = false) {
    const tried = attempts.map(
      ({ strategy, address, reason }) =>
        `  ${strategy}${address === undefined ? '' : ` (${address})`}: ${reason}`,
    );
    super(`no container engine answers\n${tried.join('\n')}`);
    this.attempts = attempts;
    this.isBinding = isBinding;
  }
}

/** Finds the first engine that answers. Rejects with a `NoEngineError`. */
export async function findDockerEngine(options: FindOptions): Promise<FoundEngine> {
  const attempts: Attempt[] = [];
  const create = async (endpoint: Endpoint): Promise<Engine> => {
    const connection = await connect(endpoint);
    try {
      return await DockerEngine.create(
        connection,
        { ...options, keychain: keychainOf(options.env, options.home) },
        options.signal,
      );
    } catch (error) {
      connection.close();
      throw error;
    }
  };
  for (const [name, strategy] of strategies(options.engine)) {
    const candidates = strategy(options);
    if (typeof candidates === 'string') {
      attempts.push({ strategy: name, used: false, reason: candidates });
      continue;
    }
    for (const { strategy, endpoint, binding } of candidates) {
      if (typeof endpoint === 'string') {
        attempts.push({ strategy, used: false, reason: endpoint });
      } else {
        try {
          const engine = await create(endpoint);
          return {
            engine,
            attempts: [...attempts, { strategy, address: endpoint.address, used: true, reason: '' }],
          };
        } catch (error) {
          if (options.signal?.aborted) throw error;
          attempts.push({
            strategy,
            address: endpoint.address,
            used: false,
            reason: (error as Error).message,
          });
        }
      }
      if (binding) throw new NoEngineError(attempts, true);
    }
  }
  const mayStart = options.engine === undefined || options.engine === 'auto' || options.engine === 'podman';
  if (mayStart && options.ownService !== false) {
    const strategy = 'a podman service of our own';
    try {
      const service = await podmanService(options.env, options.temporary, options.signal);
      try {
        const engine = await create(service.endpoint);
        const close = async (): Promise<void> => {
          await engine.close();
          service.stop();
        };
        return {
          engine: overriding(engine, { close }),
          attempts: [...attempts, { strategy, address: service.endpoint.address, used: true, reason: '' }],
        };
      } catch (error) {
        service.stop();
        throw error;
      }
    } catch (error) {
      if (options.signal?.aborted) throw error;
      attempts.push({ strategy, used: false, reason: (error as Error).message });
    }
  }
  throw new NoEngineError(attempts);
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
