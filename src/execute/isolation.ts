import { DiagnosticError } from '../diagnostic/index.ts';
import type { ExecuteOptions } from './types.ts';

type Options = Pick<ExecuteOptions, 'engine' | 'isolation' | 'onEvent'>;

/**
 * Throws a `DiagnosticError` if isolation from the machine is required and the engine does not provide it.
 */
export async function checkIsolation({ engine, isolation }: Options): Promise<void> {
  if (isolation !== 'required') return;
  const gaps = (await engine.isolationGaps?.()) ?? [];
  if (gaps.length === 0) return;
  throw new DiagnosticError([
    {
      code: 'not-isolated',
      severity: 'error',
      message: sentence(gaps),
      option: 'isolation',
      hint: 'find out what is missing for each better way of working',
      advice: 'ask-engine',
    },
  ]);
}

/** Returns a function that reports missing isolation once, before the first command runs. */
export function isolationNotice({ engine, onEvent }: Options): () => Promise<void> {
  let said: Promise<void> | undefined;
  const say = async (): Promise<void> => {
    const gaps = (await engine.isolationGaps?.()) ?? [];
    if (gaps.length > 0) onEvent({ type: 'not-isolated', message: sentence(gaps) });
  };
  return () => (said ??= say());
}

const sentence = (gaps: readonly string[]): string => `steps are not isolated here: ${gaps.join('; ')}`;
