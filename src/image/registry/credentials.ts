import { askHelper } from './credential-helper.ts';
import { type ConfigEntry, parseDockerConfig, readDockerConfig } from './docker-config.ts';

/** What a registry is shown: a name and a password, a token that is exchanged for others, or one that is shown as it is. */
export type Credentials = ConfigEntry;

/** Where credentials are kept. */
export interface Keychain {
  /** The folder of the Docker command line's `config.json`. */
  readonly folder: string;
  /** JSON in the form of `config.json`, which goes before that file; `name` is what errors call it. */
  readonly authConfig?: { readonly name: string; readonly text: string } | undefined;
}

/** The name under which the Docker command line keeps the credentials of Docker Hub. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** The registry that a reference names, as the Docker command line's configuration spells it. */
export function registryOf(reference: string): string {
  const first = reference.split('/', 1)[0] ?? '';
  const named = reference.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return named ? keyOf(first) : DOCKER_HUB;
}

const keyOf = (registry: string): string =>
  registry === 'docker.io' || registry === 'index.docker.io' ? DOCKER_HUB : registry;

/**
 * The value of `X-Registry-Auth` for pulling a reference, from the Docker command line's `config.json` and the credential
 * helpers that it names; undefined where it knows nothing of that registry. Rejects as `readCredentials` does.
 */
export async function registryAuth(reference: string, keychain: Keychain): Promise<string | undefined> {
  const registry = registryOf(reference);
  const found = await readCredentials(registry, keychain);
  if (found === undefined) return undefined;
  const text = JSON.stringify({ ...found, serveraddress: registry });
  // URL-safe, and unlike Node's with padding, without which Docker ignores it.
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * What the Docker command line shows a registry (`docker.io`, `localhost:5000`): from `authConfig`, else from the helper that its
 * `config.json` names for it, else from `config.json` itself, where a key without scheme and path counts as well. Undefined where that
 * is nothing. Rejects with a `ConfigError` where one of these is not what it should be, and with another `RegistryError` where a helper
 * fails and the file has nothing either.
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

/** An entry that says something: half of a name and a password are nothing. */
function usable(entry: ConfigEntry | undefined): Credentials | undefined {
  const { username, password, identitytoken, registrytoken } = entry ?? {};
  const isPair = username !== undefined && password !== undefined;
  return isPair || identitytoken !== undefined || registrytoken !== undefined ? entry : undefined;
}
