import type { Engine } from '../engine/index.ts';
import type { CliContext } from './context.ts';
import { type EngineFlags, openEngine } from './engine.ts';
import { within } from './interrupt.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** How long an interrupted command may take to leave an engine, in milliseconds. */
const PATIENCE = 800;

/** Work with folders of this run, which are gone afterwards. */
export async function inWorkplace<T>(
  context: CliContext,
  work: (workplace: Workplace) => Promise<T>,
): Promise<T> {
  const workplace = openWorkplace(context);
  try {
    return await work(workplace);
  } finally {
    workplace.close();
  }
}

/** Work with an engine, which is left afterwards. Throws a DiagnosticError where none answers. */
export async function withEngine<T>(
  flags: EngineFlags,
  context: CliContext,
  workplace: Workplace,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  const { engine } = await openEngine(flags, context, workplace);
  try {
    return await within(work(engine), context.signal, PATIENCE);
  } finally {
    await within(engine.close(), context.signal, PATIENCE).catch((error: unknown) => {
      if (!context.signal.aborted) throw error;
    });
  }
}
