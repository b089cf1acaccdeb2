import { DiagnosticError } from '../diagnostic/index.ts';
import type { Attempt, ChangeSource, Engine } from '../engine/index.ts';
import type { CliContext } from './context.ts';
import type { Workplace } from './workplace.ts';

/** Which engine is wanted. */
export interface EngineFlags {
  /** An address, `auto`, `docker` or `podman`. */
  readonly engine?: string | undefined;
  /** Luet's name for the same. */
  readonly backend?: string | undefined;
  /** Whether what is made on the way stays in the engine. */
  readonly keepImages?: boolean | undefined;
}

/** Finds the engine that a command is to use. Throws a DiagnosticError that says what was tried. */
export async function openEngine(
  flags: EngineFlags,
  context: CliContext,
  workplace: Workplace,
): Promise<{ engine: Engine; attempts: readonly Attempt[] }> {
  const { findEngine, NoEngineError } = await import('../engine/index.ts');
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
        notes: error.attempts.map(({ strategy, address, reason }) => ({
          message: `${strategy}${address === undefined ? '' : ` (${address})`}: ${reason}`,
        })),
        hint: 'Install and start Docker (apt-get install docker.io) or install podman, or name an engine with --engine unix:///path/to/docker.sock',
      },
    ]);
  }
}
