import { type Diagnostic, formatDiagnostic, jsonText } from '../../diagnostic/index.ts';
import type { View } from '../../tree/index.ts';
import { inFlags } from '../advice.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { anyNumber } from '../flags/arguments.ts';
import { toggle } from '../flags/define.ts';
import { matchFlags, textOrJsonFlag } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { type MatchFlags, selection } from '../packages.ts';
import { sourceReader } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends TreeFlags, MatchFlags {
  readonly withSolver?: boolean;
  readonly onlyRuntime?: boolean;
  readonly onlyBuildtime?: boolean;
  readonly strict?: boolean;
  readonly output: 'terminal' | 'json';
}

/** `tree validate`. */
export default class TreeValidate extends LuetCommand<typeof TreeValidate> {
  static override description =
    'Finds mistakes in trees without building: all at once, each with its file and line';
  static override args = { tree: anyNumber('folders to read packages from, as with --tree') };
  static override flags = {
    ...treeFlags,
    ...matchFlags,
    'with-solver': toggle({ char: 's', summary: 'also solve the requirements of every package' }),
    'only-runtime': toggle({ summary: 'check only what is needed to install' }),
    'only-buildtime': toggle({ summary: 'check only what is needed to build' }),
    strict: toggle({ summary: 'exit with 1 where there are warnings, too' }),
    output: textOrJsonFlag,
  };
  static override examples = [
    {
      command: 'luet-ts tree validate tree',
      description: 'check the files of tree/ and what its packages require',
    },
    {
      command: 'luet-ts tree validate -s --only-buildtime',
      description: 'also solve every package, as a build would',
    },
    {
      command: 'luet-ts tree validate -m ^utils/ -o json',
      description: 'findings about one category, as JSON',
    },
  ];

  override check(): void {
    if (this.flags.onlyRuntime && this.flags.onlyBuildtime)
      throw new UsageError('--only-runtime and --only-buildtime exclude each other');
  }

  override run(): Promise<void> {
    return validate(this.args.tree ?? [], this.flags, this.context);
  }
}

async function validate(trees: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const views: readonly View[] = flags.onlyRuntime
    ? ['runtime']
    : flags.onlyBuildtime
      ? ['buildtime']
      : ['runtime', 'buildtime'];
  const selects = await selection(flags);
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
  if (flags.output === 'json') context.stdout.write(`${jsonText(found, 2)}\n`);
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
