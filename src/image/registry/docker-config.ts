import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegistryError } from './error.ts';
import { jsonFault } from './json-fault.ts';

/** The configuration of the Docker command line for one registry. */
export interface ConfigEntry {
  readonly username?: string;
  readonly password?: string;
  /** To be exchanged for other tokens. */
  readonly identitytoken?: string;
  /** To be sent to the registry unchanged. */
  readonly registrytoken?: string;
}

/** The parts of a Docker configuration that are used. */
export interface DockerConfig {
  /** The entry of a registry, by its key in `config.json`. Throws a `ConfigError` if it is invalid. */
  entry(key: string): ConfigEntry | undefined;
  /** Like `entry`, but only for exactly this key. */
  exactEntry(key: string): ConfigEntry | undefined;
  /** The credential helper of a registry, without `docker-credential-`. Empty if there is none. */
  helper(key: string): string;
  /** The selected context; empty if there is none. Throws a `ConfigError` if it is not a string. */
  context(): string;
}

/** An invalid Docker configuration. The message never shows its content. */
export class ConfigError extends RegistryError {
  override readonly name = 'ConfigError';
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads `config.json` in a folder. If it is missing or empty, nothing is configured. Throws a `ConfigError`.
 */
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

/**
 * Parses a configuration as the Docker command line does (docker/cli, `cli/config`). Errors name `what`.
 * Throws a `ConfigError`.
 */
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
      `${what} starts with a byte order mark, which JSON does not allow: save it as UTF-8 without byte order mark`,
    );
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    const { line, column } = jsonFault(text);
    throw new ConfigError(`${what}:${line}:${column}: invalid JSON; correct or remove the file`);
  }
  if (value === null) return {};
  if (!isObject(value)) throw new ConfigError(`${what} is JSON, but not an object: {"auths": {…}}`);
  return value;
}

/** All keys of an object that match a name: like all Go programs, the Docker command line ignores case. */
const spellings = (object: Json, name: string): string[] =>
  Object.keys(object).filter((key) => key.toLowerCase() === name.toLowerCase());

/** The objects under all spellings of a name, merged. */
function maps(config: Json, name: string, what: string): Map<string, unknown> {
  const all = new Map<string, unknown>();
  for (const key of spellings(config, name)) {
    const value = config[key];
    if (value === null) all.clear();
    else if (!isObject(value)) throw new ConfigError(`${what}: ${key} is not an object`);
    else for (const [one, content] of Object.entries(value)) all.set(one, content);
  }
  return all;
}

/** The string under a name; empty if it is missing or `null`. */
function textOf(object: Json, name: string, what: string): string {
  let text = '';
  for (const key of spellings(object, name)) {
    const value = object[key];
    if (value === null || value === undefined) continue;
    if (typeof value !== 'string') throw new ConfigError(`${what}: ${key} is not a string`);
    text = value;
  }
  return text;
}

function readEntry(value: unknown, what: string): ConfigEntry {
  if (value === null) return {};
  if (!isObject(value)) throw new ConfigError(`${what} is not an object`);
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

/**
 * Decodes `auth`: `NAME:PASSWORD` in base64, with line breaks ignored. NULs around the password are removed.
 */
function decodeAuth(auth: string, what: string): [username: string, password: string] {
  const plain = auth.replace(/[\r\n]/g, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(plain);
  const text = isBase64 ? Buffer.from(plain, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  if (colon <= 0) throw new ConfigError(`${what}: auth must be NAME:PASSWORD in base64`);
  return [text.slice(0, colon), text.slice(colon + 1).replace(/^\0+|\0+$/g, '')];
}

/**
 * The host and port in a key of `auths`. The scheme, a user name before `@`, and everything after the host
 * are ignored.
 */
function hostOf(key: string): string {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#@]+)/.exec(key)?.[1];
  return authority ?? key.split('/', 1)[0] ?? '';
}
