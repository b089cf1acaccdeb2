import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string; readonly identitytoken?: string }>>;
  readonly credsStore?: string;
  readonly credHelpers?: Readonly<Record<string, string>>;
}

/** What a registry is shown: a name and a password, or a token that is exchanged for others. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  | { readonly identitytoken: string };

/** The name under which the Docker command line keeps the credentials of Docker Hub. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** The registry that a reference names, as the Docker command line's configuration spells it. */
export function registryOf(reference: string): string {
  const first = reference.split('/', 1)[0] ?? '';
  const named = reference.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  return named && first !== 'docker.io' ? first : DOCKER_HUB;
}

/**
 * The value of `X-Registry-Auth` for pulling a reference, from the Docker command line's `config.json` and the credential
 * helpers that it names; undefined where it knows nothing of that registry.
 */
export async function registryAuth(reference: string, configFolder: string): Promise<string | undefined> {
  const registry = registryOf(reference);
  const found = await readCredentials(registry, configFolder);
  if (found === undefined) return undefined;
  const text = JSON.stringify({ ...found, serveraddress: registry });
  // URL-safe, and unlike Node's with padding, without which Docker ignores it.
  return Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/**
 * What the Docker command line's configuration, and the helpers that it names, know of a registry (`docker.io`,
 * `localhost:5000`); undefined where that is nothing.
 */
export async function readCredentials(
  registry: string,
  configFolder: string,
): Promise<Credentials | undefined> {
  const key = registry === 'docker.io' ? DOCKER_HUB : registry;
  let config: DockerConfig;
  try {
    config = JSON.parse(await readFile(join(configFolder, 'config.json'), 'utf8')) as DockerConfig;
  } catch {
    return undefined;
  }
  const helper = config.credHelpers?.[key] ?? config.credHelpers?.[registry] ?? config.credsStore;
  return (helper === undefined ? undefined : await askHelper(helper, key)) ?? fromFile(config, key);
}

function fromFile(config: DockerConfig, registry: string): Credentials | undefined {
  const entry =
    config.auths?.[registry] ??
    config.auths?.[`https://${registry}`] ??
    config.auths?.[`https://${registry}/v1/`];
  if (entry?.identitytoken) return { identitytoken: entry.identitytoken };
  const [username, ...password] = Buffer.from(entry?.auth ?? '', 'base64')
    .toString()
    .split(':');
  return username && password.length > 0 ? { username, password: password.join(':') } : undefined;
}

/** Credential helpers are programs `docker-credential-NAME` that read a registry's name and answer in JSON. */
function askHelper(name: string, registry: string): Promise<Credentials | undefined> {
  return new Promise((resolve) => {
    const child = execFile(`docker-credential-${name}`, ['get'], { timeout: 30_000 }, (error, stdout) => {
      if (error) return resolve(undefined);
      try {
        const { Username, Secret } = JSON.parse(stdout) as { Username: string; Secret: string };
        resolve(
          Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret },
        );
      } catch {
        resolve(undefined);
      }
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(registry);
  });
}
