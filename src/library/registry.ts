import { setTimeout } from 'node:timers/promises';
import type { Registry, RetryClock } from '../image/index.ts';
import { keychainOf, proxiesOf } from './environment.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * All registries, with the credentials of the Docker command line; `plainHttp` are those that are talked to
 * without encryption.
 */
export async function openRegistry(
  context: Pick<Surroundings, 'env' | 'home' | 'now'>,
  plainHttp: readonly string[] = [],
): Promise<Registry> {
  const { env, home } = context;
  const { Registry, readCredentials, transportOf } = await import('../image/index.ts');
  const keychain = keychainOf(env, home);
  return new Registry({
    credentials: (registry) => readCredentials(registry, keychain),
    plainHttp,
    transport: transportOf(proxiesOf(env)),
    clock: registryClock(context),
  });
}

/** Time as registries are asked by it. */
export const registryClock = ({ now }: Pick<Surroundings, 'now'>): RetryClock => ({
  now: () => now().getTime(),
  random: Math.random,
  sleep: (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal }),
});
