import { askHelper } from './credential-helper.ts';
import { type ConfigEntry, parseDockerConfig, readDockerConfig } from './docker-config.ts';

/**
 * Credentials for a registry: user name and password, an identity token to exchange for other tokens, or a
 * registry token to send unchanged.
 */
export type Credentials = ConfigEntry;

/** Where to find credentials. */
export interface Keychain {
  /** The folder with `config.json` of the Docker command line. */
  readonly folder: string;
  /** JSON like `config.json`, with priority over that file. `name` is its name in errors. */
  readonly authConfig?: { readonly name: string; readonly text: string } | undefined;
}

/** The key of Docker Hub in the Docker configuration. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** The registry of a reference, as a key of the Docker configuration. */
export function registryOf(reference: string): string {
  const first = reference.split('/', 1)[0] ?? '';
  const named = reference.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return named ? keyOf(first) : DOCKER_HUB;
}

const keyOf = (registry: string): string =>
  registry === 'docker.io' || registry === 'index.docker.io' ? DOCKER_HUB : registry;

/**
 * The value of the `X-Registry-Auth` header for pulling a reference, from Docker's `config.json` and its
 * credential helpers. Undefined if there are no credentials for that registry. Rejects like
 * `readCredentials`.
 */
export async function registryAuth(reference: string, keychain: Keychain): Promise<string | undefined> {
  const registry = registryOf(reference);
  const found = await readCredentials(registry, keychain);
  if (found === undefined) return undefined;
  const text = JSON.stringify({ ...found, serveraddress: registry });
  // URL-safe base64 with padding: Docker ignores values without it, and Node's `base64url` has none.
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * The credentials that the Docker command line would use for a registry (`docker.io`, `localhost:5000`): from
 * `authConfig`, else from the credential helper in `config.json`, else from `config.json` itself, where keys
 * without scheme and path match too. Undefined if there are none. Rejects with a `ConfigError` if the
 * configuration is invalid, and with another `RegistryError` if a helper fails and the file has no credentials
 * either.
 */
export async function readCredentials(
  registry: string,
  { folder, authConfig }: Keychain,
): Promise<Credentials | undefined> {
  const key = keyOf(registry);
  if (authConfig !== undefined) {
    const { text, name } = authConfig;
    const found = usable(parseDockerConfig(text, name).exactEntry(key));
    if (found !== undefined) return found;
  }
  const config = readDockerConfig(folder);
  const known = config.entry(key);
  const helper = config.helper(key);
  if (helper === '') return usable(known);
  try {
    const { registrytoken } = known ?? {};
    return usable({
      ...(await askHelper(helper, key)),
      ...(registrytoken === undefined ? {} : { registrytoken }),
    });
  } catch (error) {
    const inFile = usable(known);
    if (inFile !== undefined) return inFile;
    throw error;
  }
}

/** The entry if it is complete: a user name without password, or the reverse, is ignored. */
function usable(entry: ConfigEntry | undefined): Credentials | undefined {
  const { username, password, identitytoken, registrytoken } = entry ?? {};
  const isPair = username !== undefined && password !== undefined;
  return isPair || identitytoken !== undefined || registrytoken !== undefined ? entry : undefined;
}
