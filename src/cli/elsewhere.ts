import { DiagnosticError } from '../diagnostic/index.ts';
import type { Engine } from '../engine/index.ts';
import type { CliContext } from './context.ts';
import type { Workplace } from './workplace.ts';

/** Engines that are asked whether they hold an image which the one in use does not. */
const OTHERS = ['native', 'docker'] as const;

/** How long all of them may take, in milliseconds: this is only a hint. */
const PATIENCE = 3000;

/** An error as it is; where it says that an engine does not hold an image, with notes about engines that do. */
export async function withElsewhere(
  error: unknown,
  used: Engine | undefined,
  context: CliContext,
  workplace: Workplace,
): Promise<unknown> {
  if (!(error instanceof DiagnosticError) || used === undefined || context.signal.aborted) return error;
  const isMissing = error.diagnostics.some(({ message }) => nameIn(message) !== undefined);
  if (!isMissing) return error;
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE)]);
  const { address } = await used.report();
  const { openEngine } = await import('../library/index.ts');
  const notes = new Map<string, string>();
  for (const kind of OTHERS) {
    try {
      const { engine } = await openEngine({ engine: kind, workplace, signal }, context);
      try {
        if ((await engine.report()).address === address) continue;
        for (const { message } of error.diagnostics) {
          const name = nameIn(message);
          if (name !== undefined && (await engine.resolve(name, { pull: false, signal })) !== undefined)
            notes.set(message, `the engine ${kind} holds it: --engine ${kind}`);
        }
      } finally {
        await engine.close();
      }
    } catch {
      // An engine that is not here, or does not answer in time, is of no help.
    }
  }
  return new DiagnosticError(
    error.diagnostics.map((one) => {
      const message = notes.get(one.message);
      return message === undefined ? one : { ...one, notes: [...(one.notes ?? []), { message }] };
    }),
  );
}

/** The image that a message says is in no engine. */
const nameIn = (message: string): string | undefined =>
  /^image (\S+) not found in the engine/.exec(message)?.[1];
