import type { Registry } from '../image/index.ts';
import { keychainOf, proxiesOf } from './environment.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * All registries, with the credentials of the Docker command line; `plainHttp` are those that are talked to
 * without encryption.
 */
export async function openRegistry(
  { env, home, now }: Pick<Surroundings, 'env' | 'home' | 'now'>,
  plainHttp: readonly string[] = [],
): Promise<Registry> {
  const [{ setTimeout }, { Registry, readCredentials, transportOf }] = await Promise.all([
    import('node:timers/promises'),
    import('../image/index.ts'),
  ]);
  const keychain = keychainOf(env, home);
  return new Registry({
    credentials: (registry) => readCredentials(registry, keychain),
    plainHttp,
    transport: transportOf(proxiesOf(env)),
    clock: {
      now: () => now().getTime(),
      random: Math.random,
      sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
    },
  });
}
