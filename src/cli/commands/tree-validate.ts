import type { Command } from 'commander';
import { type Diagnostic, formatDiagnostic } from '../../diagnostic/index.ts';
import type { View } from '../../tree/index.ts';
import { inFlags } from '../advice.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addMatchFlags, type MatchFlags, selection } from '../packages.ts';
import { sourceReader } from '../report.ts';
import { addTreeFlags, oneOf, readTrees, type TreeFlags } from '../trees.ts';

interface Flags extends TreeFlags, MatchFlags {
  readonly withSolver?: boolean;
  readonly onlyRuntime?: boolean;
  readonly onlyBuildtime?: boolean;
  readonly strict?: boolean;
  readonly output: 'terminal' | 'json';
}

/** Adds `tree validate`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('validate')
    .description('Finds mistakes in trees without building: all at once, each with its file and line')
    .argument('[tree...]', 'folders to read packages from, as with --tree');
  addMatchFlags(addTreeFlags(command))
    .option('-s, --with-solver', 'solve every package, too')
    .option('--only-runtime', 'only what concerns installing')
    .option('--only-buildtime', 'only what concerns building')
    .option('--strict', 'fail on warnings, too')
    .option('-o, --output <format>', 'terminal or json', oneOf('terminal', 'json'), 'terminal' as const)
    .action((trees: readonly string[], flags: Flags) => validate(trees, flags, command, context));
  addExamples(command, [
    ['luet-ts tree validate tree', 'check the files of tree/ and what its packages require'],
    ['luet-ts tree validate -s --only-buildtime', 'also solve every package, as a build would'],
    ['luet-ts tree validate -m ^utils/ -o json', 'findings about one category, as JSON'],
  ]);
}

async function validate(
  trees: readonly string[],
  flags: Flags,
  command: Command,
  context: CliContext,
): Promise<void> {
  if (flags.onlyRuntime && flags.onlyBuildtime) {
    command.error('error: --only-runtime and --only-buildtime exclude each other');
  }
  const views: readonly View[] = flags.onlyRuntime
    ? ['runtime']
    : flags.onlyBuildtime
      ? ['buildtime']
      : ['runtime', 'buildtime'];
  const selects = await selection(flags, command);
  const roots = [...(flags.tree ?? []), ...trees];
  const tree = await readTrees(roots.length > 0 ? { ...flags, tree: roots } : flags, context);
  const { validateTree } = await import('../../tree/index.ts');
  const { validateRelations } = await import('../../plan/index.ts');
  const { sortDiagnostics } = await import('../../diagnostic/index.ts');
  const { packages } = views.includes('runtime') ? tree.runtime : tree;
  const selected = new Set(packages.filter(selects).map(({ key }) => key));
  const options = {
    views,
    selects: (key: string) => selected.has(key),
    solve: flags.withSolver === true,
    signal: context.signal,
  };
  const found = sortDiagnostics([
    ...(await validateTree(tree, options)),
    ...validateRelations(tree, options),
  ]).map(inFlags);
  const checked = selected.size;
  if (flags.output === 'json') context.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
  else context.stdout.write(asText(found, checked, context));
  const fails = found.some(({ severity }) => severity === 'error' || flags.strict === true || context.fatal);
  if (fails) context.setExitCode(1);
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`;

function asText(found: readonly Diagnostic[], checked: number, context: CliContext): string {
  const source = sourceReader(context.cwd);
  const texts = found.map((one) => `${formatDiagnostic(one, { color: context.color, source })}\n`);
  const errors = found.filter(({ severity }) => severity === 'error').length;
  const counts =
    found.length === 0
      ? 'nothing is wrong'
      : `${plural(errors, 'error')}, ${plural(found.length - errors, 'warning')}`;
  return [...texts, `${plural(checked, 'package')}: ${counts}\n`].join(texts.length > 0 ? '\n' : '');
}
