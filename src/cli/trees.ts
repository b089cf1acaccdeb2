import { type Command, InvalidArgumentError } from 'commander';
import { DiagnosticError } from '../diagnostic/index.ts';
import type { Tree } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { list } from './options.ts';

/** Where trees are read from, and with which values. */
export interface TreeFlags {
  readonly tree?: readonly string[];
  readonly values?: readonly string[];
  readonly dockerfiles?: boolean;
}

/** Adds the flags that say which trees are read. */
export function addTreeFlags(command: Command): Command {
  return command
    .option('-t, --tree <folder>', 'read packages from this folder (repeatable; default: here)', list)
    .option('--values <file>', 'lay these template values over those of definitions (repeatable)', list)
    .option('--dockerfiles', 'take folders with a Dockerfile as packages, too');
}

/**
 * Reads the trees that the flags name. What is wrong in them stays in the tree's diagnostics; a tree or values
 * file that cannot be read at all throws a DiagnosticError.
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

/** The time that templates see: SOURCE_DATE_EPOCH where it is set, so that they can render the same again. */
export function templateTime(context: CliContext): Date {
  const epoch = context.env.SOURCE_DATE_EPOCH;
  return epoch !== undefined && /^\d{1,12}$/.test(epoch) ? new Date(Number(epoch) * 1000) : context.now();
}

/** Reads the value of an `--output` flag that takes some formats. */
export function oneOf<T extends string>(...formats: readonly T[]): (value: string) => T {
  return (value) => {
    const found = formats.find((format) => format === value);
    if (found === undefined) throw new InvalidArgumentError(`Expected ${formats.join(' or ')}.`);
    return found;
  };
}
