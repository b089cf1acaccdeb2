import { type ExecFileException, execFile } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import type { ConfigEntry } from './docker-config.ts';
import { RegistryError, safeText } from './error.ts';

/**
 * The message of helpers that have no credentials (docker-credential-helpers,
 * `errCredentialsNotFoundMessage`).
 */
const NONE = 'credentials not found in native keychain';

/** Timeout in milliseconds. Helpers may ask the user, so it is long. */
const PATIENCE = 30_000;

/**
 * Runs a credential helper: the program `docker-credential-NAME`, which reads the name of a registry and
 * writes JSON. Undefined if it has no credentials; rejects with a `RegistryError` if it fails.
 */
export function askHelper(name: string, registry: string): Promise<ConfigEntry | undefined> {
  const program = `docker-credential-${name}`;
  const options = { timeout: PATIENCE, maxBuffer: 1024 * 1024 };
  return new Promise((resolve, reject) => {
    const child = execFile(program, ['get'], options, (error, stdout, stderr) => {
      if (error !== null && stdout.trim() === NONE) return resolve(undefined);
      const fail = (why: string): void => {
        const secrets = [...stdout.matchAll(/"Secret"\s*:\s*"((?:[^"\\]|\\.)*)"/g)].map(
          ([, one = '']) => one,
        );
        const said = safeText(stripVTControlCharacters(stderr.trim().split(/[\r\n]/, 1)[0] ?? ''), secrets);
        const text = `credential helper ${program} for ${registry} failed: ${why}`;
        reject(new RegistryError(safeText(said === '' ? text : `${text}: ${said}`, [])));
      };
      if (error !== null) return fail(failureOf(error));
      let answer: { readonly Username?: unknown; readonly Secret?: unknown } | null;
      try {
        answer = JSON.parse(stdout) as typeof answer;
      } catch {
        return fail('its output is not JSON');
      }
      const { Username, Secret } = answer ?? {};
      if (typeof Username !== 'string' || typeof Secret !== 'string')
        return fail('its output has no Username and Secret');
      if (Secret === '') return resolve(undefined);
      resolve(Username === '<token>' ? { identitytoken: Secret } : { username: Username, password: Secret });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(registry);
  });
}

function failureOf({ code, signal, killed, message }: ExecFileException): string {
  if (code === 'ENOENT') return 'not found in PATH';
  if (killed === true) return `no answer within ${PATIENCE / 1000} s`;
  if (typeof code === 'number') return `exit code ${code}`;
  return signal ? `killed by ${signal}` : `cannot be started: ${message}`;
}
