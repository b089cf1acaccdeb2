import { dockerStrategies, ownPodman, podmanStrategies, theAddress } from './docker/find/strategies.ts';
import { isNativeAddress } from './native/find/address.ts';
import { native } from './native/find/strategy.ts';
import {
  type Attempt,
  type EngineKind,
  type EngineStrategy,
  type FindEngineOptions,
  type FoundEngine,
  NoEngineError,
} from './strategy.ts';

/** All ways to find an engine, in the order in which they are tried. */
const strategies: readonly EngineStrategy[] = [
  theAddress,
  ...dockerStrategies,
  ...podmanStrategies,
  native,
  ownPodman,
];

/** The kind of engine that is asked for; undefined where any will do. */
function kindOf(asked: string | undefined): EngineKind | undefined {
  if (asked === undefined || asked === 'auto') return undefined;
  if (asked === 'docker' || asked === 'podman') return asked;
  return isNativeAddress(asked) ? 'native' : 'address';
}

/**
 * Finds an engine of the kind that is asked for, or the one at an address. Strategies are tried in their
 * order, and the first engine that answers is used. A place that the user named (`DOCKER_HOST`, say) is the
 * last that is tried: none is used instead of it. Rejects with a `NoEngineError` that says of each strategy
 * why it found nothing.
 */
export function findEngine(options: FindEngineOptions): Promise<FoundEngine> {
  return findAmong(strategies, options);
}

/** As `findEngine`, among these strategies. */
export async function findAmong(
  strategies: readonly EngineStrategy[],
  options: FindEngineOptions,
): Promise<FoundEngine> {
  const kind = kindOf(options.engine);
  const attempts: Attempt[] = [];
  for (const strategy of strategies) {
    const isMeant = kind === undefined ? strategy.kind !== 'address' : strategy.kind === kind;
    if (!isMeant) continue;
    const places = strategy.places(options);
    if (typeof places === 'string') {
      attempts.push({ strategy: strategy.name, used: false, reason: places });
      continue;
    }
    for (const place of places) {
      const opened = await place.open();
      attempts.push(...opened.attempts);
      if (opened.engine !== undefined) return { engine: opened.engine, attempts };
      if (place.isBinding) throw new NoEngineError(attempts, true);
    }
  }
  throw new NoEngineError(attempts);
}
