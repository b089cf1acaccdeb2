import { openWorkplace as open, type Workplace } from '../library/index.ts';
import type { CliContext } from './context.ts';

export type { Workplace } from '../library/index.ts';

/**
 * Makes the folders of this run, and removes those of runs that ended without doing so. From then on, signals
 * are waited for.
 */
export function openWorkplace(context: CliContext): Workplace {
  context.listen();
  return open(context);
}
