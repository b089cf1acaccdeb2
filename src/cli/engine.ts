import { resolve } from 'node:path';
import { DiagnosticError } from '../diagnostic/index.ts';
import type { Attempt, Engine } from '../engine/index.ts';
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
  const [{ closeInherited, NoEngineError }, library] = await Promise.all([
    import('../engine/index.ts'),
    import('../library/index.ts'),
  ]);
  // Before anything else is begun: what the caller left open, a folder of this machine say, is for no step to
  // have.
  if (context.begunWith !== undefined) closeInherited(context.begunWith);
  const { become, cwd, signal } = context;
  try {
    return await library.openEngine(
      {
        engine: flags.engine ?? flags.backend,
        store: flags.store === undefined ? undefined : resolve(cwd, flags.store),
        keepImages: flags.keepImages,
        thorough: flags.thorough,
        workplace,
        signal,
        enter: become && entering(become, workplace),
      },
      context,
    );
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
  { engine, store }: Pick<EngineFlags, 'engine' | 'store'>,
  context: CliContext,
  workplace: Workplace,
): Promise<readonly string[]> {
  const library = await import('../library/index.ts');
  const folder = store === undefined ? undefined : resolve(context.cwd, store);
  return await library.ownFolders({ engine, store: folder }, workplace, context);
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
