import { join } from 'node:path';
import type { EngineSettings } from '../engine/index.ts';
import type { Keychain, ProxySetting, ProxySettings } from '../image/index.ts';

/** Variables of an environment by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where credentials of registries are, as the Docker command line finds them: `DOCKER_AUTH_CONFIG`, then `config.json` in the
 * folder that `DOCKER_CONFIG` names.
 */
export function keychainOf(env: Environment, home: string): Keychain {
  const { DOCKER_CONFIG: folder, DOCKER_AUTH_CONFIG: text } = env;
  return {
    folder: folder || join(home, '.docker'),
    ...(text && { authConfig: { name: 'DOCKER_AUTH_CONFIG', text } }),
  };
}

/**
 * The proxies that an environment names: `HTTPS_PROXY` and `HTTP_PROXY` for encrypted and plain addresses, and `NO_PROXY` for hosts
 * that are reached without one. Each may also be written in small letters; capitals go first.
 */
export function proxiesOf(env: Environment): ProxySettings {
  const setting = (name: string): ProxySetting | undefined => {
    const found = [name, name.toLowerCase()].find((one) => env[one]);
    return found === undefined ? undefined : { name: found, address: env[found] ?? '' };
  };
  const except = env.NO_PROXY || env.no_proxy;
  return { https: setting('HTTPS_PROXY'), http: setting('HTTP_PROXY'), except };
}

/**
 * What an environment says of engines: `DOCKER_HOST`, `DOCKER_CONTEXT`, `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` as the Docker command
 * line reads them, `CONTAINER_HOST` as podman does, and the user's folders (XDG base directories).
 */
export function engineSettings(env: Environment, home: string): EngineSettings {
  const isSecure = Boolean(env.DOCKER_TLS_VERIFY || env.DOCKER_CERT_PATH);
  return {
    docker: { name: 'DOCKER_HOST', value: env.DOCKER_HOST || undefined },
    podman: { name: 'CONTAINER_HOST', value: env.CONTAINER_HOST || undefined },
    context: env.DOCKER_CONTEXT || undefined,
    certificates: isSecure ? env.DOCKER_CERT_PATH || join(home, '.docker') : undefined,
    keychain: keychainOf(env, home),
    home,
    runtimeFolder: env.XDG_RUNTIME_DIR || undefined,
    store: join(env.XDG_DATA_HOME || join(home, '.local/share'), 'luet-ts/store'),
    environment: env,
  };
}
