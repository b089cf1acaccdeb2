import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, readDockerConfig } from '../../../image/index.ts';
import { overriding } from '../../overriding.ts';
import type { Setting } from '../../settings.ts';
import type { EnginePlace, EngineStrategy, FindEngineOptions, Opened } from '../../strategy.ts';
import type { Engine } from '../../types.ts';
import { connect } from '../connection/connection.ts';
import { type Endpoint, parseEndpoint, type Tls, tlsFrom, tlsOf } from '../connection/endpoint.ts';
import { DockerEngine } from '../engine.ts';
import { findPodman, podmanService } from './podman-service.ts';

/** Opens the engine that answers at an endpoint. Rejects with an `EngineError` where none does. */
async function engineAt(endpoint: Endpoint, options: FindEngineOptions): Promise<Engine> {
  const connection = await connect(endpoint);
  try {
    const { keychain } = options.settings;
    return await DockerEngine.create(connection, { ...options, keychain }, options.signal);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Opens an engine; why it could not be opened becomes an attempt. Rejects on an abort. */
async function attempt(
  strategy: string,
  address: string | undefined,
  { signal }: FindEngineOptions,
  open: () => Promise<{ readonly engine: Engine; readonly address: string }>,
): Promise<Opened> {
  const at = address === undefined ? {} : { address };
  try {
    const { engine, address } = await open();
    return { engine, attempts: [{ strategy, address, used: true, reason: '' }] };
  } catch (error) {
    if (signal?.aborted) throw error;
    const { message: reason } = error as Error;
    return { engine: undefined, attempts: [{ strategy, ...at, used: false, reason }] };
  }
}

/** A place at an endpoint, or at what is no endpoint for the reason given. */
function placeAt(
  strategy: string,
  endpoint: Endpoint | string,
  isBinding: boolean,
  options: FindEngineOptions,
): EnginePlace {
  if (typeof endpoint === 'string') {
    const attempts = [{ strategy, used: false, reason: endpoint }];
    return { isBinding, open: async () => ({ engine: undefined, attempts }) };
  }
  const { address } = endpoint;
  const open = async () => ({ engine: await engineAt(endpoint, options), address });
  return { isBinding, open: () => attempt(strategy, address, options, open) };
}

/** The engine at the address that was given. */
export const theAddress: EngineStrategy = {
  name: 'the address given',
  kind: 'address',
  places(options) {
    const { engine, settings } = options;
    if (engine === undefined) return 'no address was given';
    return [placeAt(this.name, parseEndpoint(engine, tlsOf(settings)), true, options)];
  },
};

/** The address that a setting has, where it is set. */
function setting({ name, value }: Setting, tls: Tls | undefined, options: FindEngineOptions) {
  return value === undefined
    ? `${name} is not set`
    : [placeAt(name, parseEndpoint(value, tls), true, options)];
}

const dockerHost: EngineStrategy = {
  name: "Docker's address",
  kind: 'docker',
  places: (options) => setting(options.settings.docker, tlsOf(options.settings), options),
};

const podmanHost: EngineStrategy = {
  name: "podman's address",
  kind: 'podman',
  places: (options) => setting(options.settings.podman, undefined, options),
};

const context: EngineStrategy = {
  name: 'the current Docker context',
  kind: 'docker',
  places(options) {
    const { settings } = options;
    const { folder: config } = settings.keychain;
    let name = settings.context;
    try {
      name ||= readDockerConfig(config).context();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Nobody knows which context is meant, so no other engine may be used instead.
      return [placeAt(this.name, error.message, true, options)];
    }
    if (!name || name === 'default') return 'no Docker context is chosen';
    const endpoint = endpointOf(name, config);
    const isNamed = settings.context !== undefined;
    if (endpoint === undefined) {
      const missing = `there is no Docker context ${JSON.stringify(name)}`;
      return isNamed ? [placeAt(this.name, missing, true, options)] : missing;
    }
    return [placeAt(`the Docker context ${name}`, endpoint, isNamed, options)];
  },
};

/**
 * The endpoint of a Docker context: the Docker command line keeps it under the SHA-256 of the context's name.
 */
function endpointOf(name: string, config: string): Endpoint | string | undefined {
  const id = createHash('sha256').update(name).digest('hex');
  const meta = readJson(join(config, 'contexts/meta', id, 'meta.json')) as
    | { Endpoints?: { docker?: { Host?: string } } }
    | undefined;
  const host = meta?.Endpoints?.docker?.Host;
  if (host === undefined) return undefined;
  const folder = join(config, 'contexts/tls', id, 'docker');
  const tls: Tls | undefined = existsSync(folder) ? tlsFrom(folder) : undefined;
  return parseEndpoint(host, tls);
}

const sockets = (
  kind: EngineStrategy['kind'],
  name: string,
  paths: (runtime: string | undefined, home: string) => readonly (string | undefined)[],
): EngineStrategy => ({
  name,
  kind,
  places(options) {
    const { runtimeFolder, home } = options.settings;
    const all = paths(runtimeFolder, home).filter((path) => path !== undefined);
    const found = all.filter((path) => existsSync(path));
    if (found.length === 0) return `none of ${all.join(', ')} is there`;
    return found.map((path) => placeAt(name, parseEndpoint(path, undefined), false, options));
  },
});

const dockerSockets = sockets('docker', 'the usual Docker sockets', (runtime, home) => [
  '/var/run/docker.sock',
  runtime && join(runtime, 'docker.sock'),
  join(home, '.docker/run/docker.sock'),
  join(home, '.docker/desktop/docker.sock'),
]);

const podmanSockets = sockets('podman', 'the usual podman sockets', (runtime) => [
  '/run/podman/podman.sock',
  runtime && join(runtime, 'podman/podman.sock'),
]);

/** Docker engines that run already. */
export const dockerStrategies: readonly EngineStrategy[] = [dockerHost, context, dockerSockets];

/** Podman services that run already. */
export const podmanStrategies: readonly EngineStrategy[] = [podmanHost, podmanSockets];

/** A podman service that is started for this run, and stopped when its engine is closed. */
export const ownPodman: EngineStrategy = {
  name: 'a podman service of our own',
  kind: 'podman',
  places(options) {
    const { settings, temporary, signal } = options;
    const { environment } = settings;
    if (findPodman(environment) === undefined) return 'podman is not installed';
    const open = async (): Promise<{ engine: Engine; address: string }> => {
      const service = await podmanService(environment, temporary, signal);
      try {
        const engine = await engineAt(service.endpoint, options);
        const close = async (): Promise<void> => {
          await engine.close();
          service.stop();
        };
        return { engine: overriding(engine, { close }), address: service.endpoint.address };
      } catch (error) {
        service.stop();
        throw error;
      }
    };
    return [{ isBinding: false, open: () => attempt(this.name, undefined, options, open) }];
  },
};

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
