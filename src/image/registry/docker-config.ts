import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegistryError } from './error.ts';
import { jsonFault } from './json-fault.ts';

/** What the Docker command line's configuration says of one registry. */
export interface ConfigEntry {
  readonly username?: string;
  readonly password?: string;
  /** Exchanged for tokens. */
  readonly identitytoken?: string;
  /** Shown to the registry as it is. */
  readonly registrytoken?: string;
}

/** What is read of a configuration of the Docker command line. */
export interface DockerConfig {
  /** What is said of a registry by its name, as `config.json` spells it. Throws a `ConfigError` where that cannot be read. */
  entry(key: string): ConfigEntry | undefined;
  /** Likewise, but only where the name is spelled in the very same way. */
  exactEntry(key: string): ConfigEntry | undefined;
  /** The name of the program that keeps the credentials of a registry, without `docker-credential-`; empty where none does. */
  helper(key: string): string;
  /** The name of the context that was chosen; empty where none was. Throws a `ConfigError` where that is no text. */
  context(): string;
}

/** A configuration of the Docker command line that cannot be read. The message never shows what stands in it. */
export class ConfigError extends RegistryError {
  override readonly name = 'ConfigError';
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `config.json` in a folder; without one, or with an empty one, nothing is configured. Throws a `ConfigError`. */
export function readDockerConfig(folder: string): DockerConfig {
  const file = join(folder, 'config.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return parseDockerConfig('', file);
    throw new ConfigError(`cannot read the Docker configuration: ${message}`, { cause: error });
  }
  return parseDockerConfig(text, file);
}

/** A configuration as the Docker command line reads it (docker/cli, `cli/config`). `what` is named in errors. Throws a `ConfigError`. */
export function parseDockerConfig(text: string, what: string): DockerConfig {
  const config = parse(text, what);
  const auths = maps(config, 'auths', what);
  const helpers = maps(config, 'credHelpers', what);
  const exactEntry = (key: string): ConfigEntry | undefined =>
    auths.has(key)
      ? readEntry(auths.get(key), `${what}: the entry ${JSON.stringify(key)} of auths`)
      : undefined;
  const entry = (key: string): ConfigEntry | undefined => {
    const other = auths.has(key) ? key : [...auths.keys()].find((one) => hostOf(one) === key);
    return other === undefined ? undefined : exactEntry(other);
  };
  const helper = (key: string): string => {
    if (!helpers.has(key)) return textOf(config, 'credsStore', what);
    return textOf({ [key]: helpers.get(key) }, key, `${what}: credHelpers`);
  };
  return { entry, exactEntry, helper, context: () => textOf(config, 'currentContext', what) };
}

function parse(text: string, what: string): Json {
  if (text.startsWith('\ufeff'))
    throw new ConfigError(
      `${what} begins with a byte order mark, which JSON does not have: save the file as UTF-8 without it`,
    );
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column } = jsonFault(text);
    throw new ConfigError(`${what}:${line}:${column}: this is not JSON; correct the file, or remove it`);
  }
  if (value === null) return {};
  if (!isObject(value)) throw new ConfigError(`${what} is JSON, but not an object: {"auths": {…}}`);
  return value;
}

/** The names of an object that mean this one: the Docker command line, as all programs in Go, does not tell capitals apart. */
const spellings = (object: Json, name: string): string[] =>
  Object.keys(object).filter((key) => key.toLowerCase() === name.toLowerCase());

/** The objects of a name, as one. */
function maps(config: Json, name: string, what: string): Map<string, unknown> {
  const all = new Map<string, unknown>();
  for (const key of spellings(config, name)) {
    const value = config[key];
    if (value === null) all.clear();
    else if (!isObject(value)) throw new ConfigError(`${what}: ${key} is no object`);
    else for (const [one, content] of Object.entries(value)) all.set(one, content);
  }
  return all;
}

/** The text of a name; empty where it is absent or `null`. */
function textOf(object: Json, name: string, what: string): string {
  let text = '';
  for (const key of spellings(object, name)) {
    const value = object[key];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'string') throw new ConfigError(`${what}: ${key} is no text`);
    text = value;
  }
  return text;
}

function readEntry(value: unknown, what: string): ConfigEntry {
  if (value === null) return {};
  if (!isObject(value)) throw new ConfigError(`${what} is no object`);
  const auth = textOf(value, 'auth', what);
  const [username, password] =
    auth === '' ? [textOf(value, 'username', what), textOf(value, 'password', what)] : decodeAuth(auth, what);
  const fields = {
    username,
    password,
    identitytoken: textOf(value, 'identitytoken', what),
    registrytoken: textOf(value, 'registrytoken', what),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ''));
}

/** The name and the password in `auth`: `NAME:PASSWORD` in base64, in which line ends do not count. NULs around a password go. */
function decodeAuth(auth: string, what: string): [username: string, password: string] {
  const plain = auth.replace(/[\r\n]/g, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain);
  const text = isBase64 ? Buffer.from(plain, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  if (colon <= 0) throw new ConfigError(`${what} has an auth that is no base64 of NAME:PASSWORD`);
  return [text.slice(0, colon), text.slice(colon + 1).replace(/^\0+|\0+$/g, '')];
}

/** The host and port in a key of `auths`: schemes, names before `@` and what stands behind the host do not count. */
function hostOf(key: string): string {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#@]+)/.exec(key)?.[1];
  return authority ?? key.split('/', 1)[0] ?? '';
}
