import { type ExecFileException, execFile } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import type { ConfigEntry } from './docker-config.ts';
import { RegistryError, shown } from './error.ts';

/** What helpers say where they have nothing (docker-credential-helpers, `errCredentialsNotFoundMessage`). */
const NONE = 'credentials not found in native keychain';

/** How long a helper may take, in milliseconds: it may ask a person. */
const PATIENCE = 30_000;

/**
 * Asks a credential helper, a program `docker-credential-NAME` that reads a registry's name and answers in JSON. Undefined where it says that it
 * has nothing; rejects with a `RegistryError` where it fails.
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
  if (code === 'ENOENT') return 'was not found in PATH';
  if (killed === true) return `did not answer within ${PATIENCE / 1000} s`;
  if (typeof code === 'number') return `ended with exit code ${code}`;
  return signal ? `was ended by ${signal}` : `cannot be started: ${message}`;
}
