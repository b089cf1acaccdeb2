import { mkdtempSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type CacheEvent,
  engineCache,
  type ImageCache,
  RegistryCache,
  stackedCache,
} from '../cache/index.ts';
import type { Engine } from '../engine/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';
import { openRegistry, registryClock } from '../library/index.ts';
import type { Plan } from '../plan/index.ts';
import type { CliContext } from './context.ts';
import type { Workplace } from './workplace.ts';

/** Which registries are shared with other machines. */
export interface SharedCacheFlags {
  readonly imageRepository: string;
  readonly push?: boolean;
  readonly pull?: boolean;
  readonly pullRepository?: readonly string[];
  readonly plainHttp?: readonly string[];
  readonly wait?: boolean;
  readonly waitTimeout?: number;
}

/** What a shared cache is made with. */
export interface SharedCacheOptions {
  readonly engine: Engine;
  readonly plan: Plan;
  readonly context: CliContext;
  readonly workplace: Workplace;
  readonly onEvent: EventSink<BuildEvent>;
}

/** The repositories that are looked in, in their order. */
export const pullRepositories = ({ pull, pullRepository, imageRepository }: SharedCacheFlags): string[] =>
  pull ? [...new Set([imageRepository, ...(pullRepository ?? [])])] : [];

/** The engine's images, with registries behind them where the flags ask for any; undefined where they do not. */
export async function openSharedCache(
  flags: SharedCacheFlags,
  { engine, plan, context, workplace, onEvent }: SharedCacheOptions,
): Promise<ImageCache | undefined> {
  const { imageRepository, push = false, plainHttp, wait = false, waitTimeout = 0 } = flags;
  const pullFrom = pullRepositories(flags);
  if (!push && pullFrom.length === 0) return undefined;
  const registry = await openRegistry(context, plainHttp);
  const shared = new RegistryCache({
    engine,
    registry,
    repository: imageRepository,
    pullFrom,
    push,
    bases: basesOf(plan),
    temporary: mkdtempSync(join(workplace.temporary, 'push-')),
    ...(wait
      ? {
          waiting: {
            builder: `${hostname()} (process ${process.pid})`,
            clock: registryClock(context),
            timeout: waitTimeout * 1000,
          },
        }
      : {}),
    onEvent: (event) => onEvent(toBuildEvent(event)),
    signal: context.signal,
  });
  return stackedCache([engineCache(engine, imageRepository), shared]);
}

/** The names of a plan's base images. */
function basesOf({ nodes }: Plan): string[] {
  const names = nodes.flatMap(({ parent }) => (parent.kind === 'image' ? [parent.reference] : []));
  return [...new Set(names)];
}

function toBuildEvent(event: CacheEvent): BuildEvent {
  switch (event.type) {
    case 'cache-lost':
      return {
        type: 'cache-note',
        message: `repository ${event.repository} does not answer, and the build goes on without it: ${event.message}`,
      };
    case 'cache-refused':
      return { type: 'cache-note', message: event.message };
    case 'cache-waits':
      return { type: 'notice', package: event.package, message: event.message };
    case 'cache-differs':
      return {
        type: 'notice',
        package: event.package,
        message: `another machine was faster, and its image is used; what was built here differs from it in ${event.message}`,
      };
  }
}
