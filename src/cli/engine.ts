import { resolve } from 'node:path';
import { DiagnosticError } from '../diagnostic/index.ts';
import type { Attempt, Engine, NoEngineError } from '../engine/index.ts';
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
  const [{ closeInherited, NoEngineError: None }, library] = await Promise.all([
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
    if (!(error instanceof None)) throw error;
    throw new DiagnosticError([
      {
        code: 'no-engine',
        severity: 'error',
        ...unanswered(flags.engine ?? flags.backend, error),
        notes: error.attempts.map((one) => ({
          message: `${one.strategy}${one.address === undefined ? '' : ` (${one.address})`}: ${attemptText(one)}`,
        })),
      },
    ]);
  }
}

const START_DOCKER = 'start Docker (apt-get install docker.io)';
const INSTALL_BUBBLEWRAP = 'install bubblewrap (apt-get install bubblewrap)';
const OTHER = 'leave out --engine to use another one that answers';

/** What is said where no engine answers, and what to do: of the engine that was named, where one was. */
function unanswered(
  named: string | undefined,
  { isBinding, attempts }: NoEngineError,
): { readonly message: string; readonly hint: string } {
  if (named?.startsWith('native'))
    return {
      message: 'the native engine cannot work here',
      hint: `As the notes say, or ${INSTALL_BUBBLEWRAP}; or ${OTHER}`,
    };
  const last = attempts.at(-1);
  if (named !== undefined && !['auto', 'docker', 'podman'].includes(named))
    return {
      message: `the engine ${last?.address ?? 'given with --engine'} does not answer`,
      hint: `Start it or correct its address, or ${OTHER}`,
    };
  if (isBinding && last !== undefined)
    return {
      message: `the engine that ${last.strategy} names does not answer`,
      hint: 'Start it or correct that setting, or give another engine with --engine',
    };
  if (named === 'docker')
    return { message: 'no Docker engine answers', hint: `Install and ${START_DOCKER}, or ${OTHER}` };
  if (named === 'podman')
    return { message: 'no podman answers', hint: `Install podman (apt-get install podman), or ${OTHER}` };
  return {
    message: 'no container engine answers',
    hint: `For the native engine, ${INSTALL_BUBBLEWRAP}; or install and ${START_DOCKER} or podman; or name an engine with --engine unix:///path/to/docker.sock`,
  };
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
