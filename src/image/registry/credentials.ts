import { type ExecFileException, execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { RegistryError, shown } from './error.ts';

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
 * helpers that it names; undefined where it knows nothing of that registry. Rejects as `readCredentials` does.
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
 * `localhost:5000`); undefined where that is nothing. Rejects with a `RegistryError` where a helper fails, and the file has nothing either.
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
  const known = fromFile(config, key);
  if (helper === undefined) return known;
  try {
    return (await askHelper(helper, key)) ?? known;
  } catch (error) {
    if (known !== undefined) return known;
    throw error;
  }
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

/** What helpers say where they have nothing (docker-credential-helpers, `errCredentialsNotFoundMessage`). */
const NONE = 'credentials not found in native keychain';

/** How long a helper may take, in milliseconds: it may ask a person. */
const PATIENCE = 30_000;

/**
 * Credential helpers are programs `docker-credential-NAME` that read a registry's name and answer in JSON. Undefined where one says that it
 * has nothing; rejects with a `RegistryError` where it fails.
 */
function askHelper(name: string, registry: string): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  const options = { timeout: PATIENCE, maxBuffer: 1024 * 1024 };
  return new Promise((resolve, reject) => {
    const child = execFile(program, ['get'], options, (error, stdout, stderr) => {
      if (error !== null && stdout.trim() === NONE) return resolve(undefined);
      const fail = (why: string): void => {
        const secrets = [...stdout.matchAll(/"Secret"\s*:\s*"((?:[^"\\]|\\.)*)"/g)].map(
          ([, one = '']) => one,
        );
        const said = shown(stripVTControlCharacters(stderr.trim().split(/[\r\n]/, 1)[0] ?? ''), secrets);
        const text = `the credential helper ${program}, asked for ${registry}, ${why}`;
        reject(new RegistryError(shown(said === '' ? text : `${text}: ${said}`, [])));
      };
      if (error !== null) return fail(failureOf(error));
      let answer: { readonly Username?: unknown; readonly Secret?: unknown } | null;
      try {
        answer = JSON.parse(stdout) as typeof answer;
      } catch {
        return fail('does not answer in JSON');
      }
      const { Username, Secret } = answer ?? {};
      if (typeof Username !== 'string' || typeof Secret !== 'string')
        return fail('answers without Username and Secret');
      if (Secret === '') return resolve(undefined);
      resolve(Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(registry);
  });
}

function failureOf({ code, signal, killed, message }: ExecFileException): string {
  if (code === 'ENOENT') return 'is not to be found in PATH';
  if (killed === true) return `did not answer within ${PATIENCE / 1000} s`;
  if (typeof code === 'number') return `ended with exit code ${code}`;
  return signal ? `was ended by ${signal}` : `cannot be run: ${message}`;
}
