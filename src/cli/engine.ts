import { resolve } from 'node:path';
import { DiagnosticError } from '../diagnostic/index.ts';
import type { Attempt, ChangeSource, Engine } from '../engine/index.ts';
import { attemptText } from './advice.ts';
import type { CliContext } from './context.ts';
import type { Workplace } from './workplace.ts';

/** Which engine is wanted. */
export interface EngineFlags {
  /** An address, `auto`, `native`, `docker` or `podman`. */
  readonly engine?: string | undefined;
  /** Luet's name for the same. */
  readonly backend?: string | undefined;
  /** Whether what is made on the way stays in the engine. */
  readonly keepImages?: boolean | undefined;
  /** The folder of the native engine's images. */
  readonly store?: string | undefined;
  /** Whether to find out at once what the engine can do. */
  readonly thorough?: boolean;
}

/** Finds the engine that a command is to use. Throws a DiagnosticError that says what was tried. */
export async function openEngine(
  flags: EngineFlags,
  context: CliContext,
  workplace: Workplace,
): Promise<{ engine: Engine; attempts: readonly Attempt[] }> {
  const { closeInherited, findEngine, NoEngineError } = await import('../engine/index.ts');
  // Before anything else is begun: what the caller left open, a folder of this machine say, is for no step to have.
  if (context.begunWith !== undefined) closeInherited(context.begunWith);
  const { randomBytes } = await import('node:crypto');
  const source = context.env.LUET_TS_CHANGES;
  try {
    return await findEngine({
      env: context.env,
      home: context.home,
      engine: flags.engine ?? flags.backend,
      runId: workplace.name,
      isOver: workplace.isOver,
      token: () => randomBytes(16).toString('hex'),
      temporary: workplace.temporary,
      now: context.now,
      keepImages: flags.keepImages ?? true,
      store: flags.store === undefined ? undefined : resolve(context.cwd, flags.store),
      thorough: flags.thorough,
      pull: async (reference, signal) => {
        const { openRegistry } = await import('./registry.ts');
        return await (await openRegistry(context)).image(reference, signal === undefined ? {} : { signal });
      },
      enter: context.become && entering(context.become, workplace),
      signal: context.signal,
      ...(source === undefined ? {} : { source: source as ChangeSource }),
    });
  } catch (error) {
    if (!(error instanceof NoEngineError)) throw error;
    throw new DiagnosticError([
      {
        code: 'no-engine',
        severity: 'error',
        message: 'no container engine answers',
        notes: error.attempts.map((one) => ({
          message: `${one.strategy}${one.address === undefined ? '' : ` (${one.address})`}: ${attemptText(one)}`,
        })),
        hint: 'Install bubblewrap for the native engine (apt-get install bubblewrap), or install and start Docker (apt-get install docker.io) or podman, or name an engine with --engine unix:///path/to/docker.sock',
      },
    ]);
  }
}

/** The folders that luet-ts writes to for itself: nothing in them is part of a package's context. */
export async function ownFolders(
  flags: Pick<EngineFlags, 'engine' | 'store'>,
  { env, home, cwd, runId, now }: CliContext,
  workplace: Workplace,
): Promise<readonly string[]> {
  const { parseNative } = await import('../engine/index.ts');
  const store = flags.store === undefined ? undefined : resolve(cwd, flags.store);
  const options = { env, home, store, runId, now };
  const address = parseNative(flags.engine, options) ?? parseNative('native', options);
  return [...workplace.shared, ...(address === undefined ? [] : [address.folder])];
}

/** Goes on under other words, with nothing of this run left: the next one makes folders of its own. */
function entering(
  become: NonNullable<CliContext['become']>,
  workplace: Workplace,
): (words: readonly string[]) => never {
  return (words) => {
    workplace.close();
    return become(words);
  };
}
