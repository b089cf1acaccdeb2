import { DiagnosticError } from '../diagnostic/index.ts';
import type { ExecuteOptions } from './types.ts';

type Options = Pick<ExecuteOptions, 'engine' | 'isolation' | 'onEvent'>;

/** Throws a `DiagnosticError` where commands must be kept from the machine that they run on, and the engine does not keep them. */
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
      hint: 'find out what each better way of working lacks here',
      advice: 'ask-engine',
    },
  ]);
}

/** Says once, before the first command runs, if commands are not kept from the machine. */
export function isolationNotice({ engine, onEvent }: Options): () => Promise<void> {
  let said: Promise<void> | undefined;
  const say = async (): Promise<void> => {
    const gaps = (await engine.isolationGaps?.()) ?? [];
    if (gaps.length > 0) onEvent({ type: 'not-isolated', message: sentence(gaps) });
  };
  return () => (said ??= say());
}

const sentence = (gaps: readonly string[]): string => `steps are not isolated here: ${gaps.join('; ')}`;
