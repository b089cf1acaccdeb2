import { DiagnosticError } from '../diagnostic/index.ts';
import type { Tree } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { epoch } from './epoch.ts';

/** Where trees are read from, and with which values. */
export interface TreeFlags {
  readonly tree?: readonly string[];
  readonly values?: readonly string[];
  readonly dockerfiles?: boolean;
}

/**
 * Reads the trees that the flags name. What is wrong in them stays in the tree's diagnostics; a tree or
 * values file that cannot be read at all throws a DiagnosticError.
 */
export async function readTrees(flags: TreeFlags, context: CliContext): Promise<Tree> {
  const { loadTrees } = await import('../tree/index.ts');
  const tree = await loadTrees(flags.tree ?? ['.'], {
    cwd: context.cwd,
    values: flags.values ?? [],
    dockerfiles: flags.dockerfiles === true,
    now: templateTime(context),
    env: context.env,
    signal: context.signal,
  });
  const given = new Set(flags.values);
  const fatal = tree.diagnostics.filter(
    ({ code, severity, place }) =>
      code === 'no-tree' || (severity === 'error' && place !== undefined && given.has(place.file)),
  );
  if (fatal.length > 0) throw new DiagnosticError(fatal);
  return tree;
}

/**
 * The time that templates see: SOURCE_DATE_EPOCH where it is set, so that they can render the same again.
 * Throws a DiagnosticError where that is not a time.
 */
export function templateTime({ env, now }: Pick<CliContext, 'env' | 'now'>): Date {
  const seconds = epoch(env.SOURCE_DATE_EPOCH);
  return seconds === undefined ? now() : new Date(seconds * 1000);
}
