import { DiagnosticError } from '../diagnostic/index.ts';
import type { WorkspaceLimits } from '../engine/index.ts';
import type { ExecuteOptions } from './types.ts';

const names = ['memory', 'processes'] as const satisfies readonly (keyof WorkspaceLimits)[];

/** Throws a `DiagnosticError` if the engine cannot enforce a requested limit. */
export async function checkLimits(
  options: Pick<ExecuteOptions, 'engine' | keyof WorkspaceLimits>,
): Promise<void> {
  const asked = names.filter((name) => options[name] !== undefined);
  if (asked.length === 0) return;
  const { name: engine, limits } = await options.engine.report();
  const problems = asked.flatMap((name) => {
    const { possible, reason } = limits[name];
    if (possible) return [];
    const message = `the engine (${engine}) cannot limit ${name}: ${reason}`;
    return [{ code: 'no-limit', severity: 'error', message, option: name } as const];
  });
  if (problems.length > 0) throw new DiagnosticError(problems);
}
