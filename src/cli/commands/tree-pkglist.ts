import type { Command } from 'commander';
import type { Diagnostic } from '../../diagnostic/index.ts';
import type { ListedPackage, Tree, TreePackage, View } from '../../tree/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import {
  addMatchFlags,
  addViewFlags,
  type MatchFlags,
  printData,
  selection,
  type ViewFlags,
  viewsOf,
} from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { addTreeFlags, oneOf, readTrees, type TreeFlags } from '../trees.ts';
import { unreadIn } from '../unread.ts';

interface Flags extends TreeFlags, MatchFlags, ViewFlags {
  readonly deps?: boolean;
  readonly revdeps?: boolean;
  readonly verbose?: boolean;
  readonly full?: boolean;
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** Adds `tree pkglist`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('pkglist')
    .description('Lists packages of trees, or what they need, or what needs them');
  addViewFlags(addMatchFlags(addTreeFlags(command)), 'what concerns installing, which is every package')
    .option('--deps', 'list what the matched packages need instead of them, each after what it needs')
    .option('--revdeps', 'list what needs the matched packages instead of them')
    .option('-v, --verbose', 'names with versions, which data has in any case')
    .option('-f, --full', 'also what definitions say about packages')
    .option(
      '-o, --output <format>',
      'terminal, json or yaml',
      oneOf('terminal', 'json', 'yaml'),
      'terminal' as const,
    )
    .action((flags: Flags) => list(flags, command, context));
  addExamples(command, [
    ['luet-ts tree pkglist -t tree -o json | jq -r .packages[].name', 'every package'],
    ['luet-ts tree pkglist -t tree -b -v', 'those that can be built'],
    [
      'luet-ts tree pkglist -t tree -b --revdeps -m ^libs/zlib-',
      'what has to be built again when it changes',
    ],
    ['luet-ts tree pkglist -t tree --deps -m ^utils/hello-', 'what installing one brings along'],
  ]);
}

async function list(flags: Flags, command: Command, context: CliContext): Promise<void> {
  if (flags.deps && flags.revdeps) command.error('error: --deps and --revdeps exclude each other');
  const selects = await selection(flags, command);
  const [view = 'runtime', other] = viewsOf(flags, ['runtime']);
  if (other !== undefined) command.error('error: --buildtime and --runtime exclude each other');
  const tree = await readTrees(flags, context);
  const { listedPackage, isBuildable } = await import('../../tree/index.ts');
  const all = view === 'runtime' ? tree.runtime.packages : tree.packages.filter(isBuildable);
  const matched = all.filter(selects);
  const { packages, problems } = await wanted(tree, matched, view, flags);
  if (flags.output === 'terminal') {
    const { escapeTerminal } = await import('../../diagnostic/index.ts');
    const { packageName } = await import('../../spec/index.ts');
    const rows = packages.flatMap((pack) => {
      if (flags.full) return details(pack);
      return flags.verbose ? pack.key : packageName(pack.definition);
    });
    context.stdout.write(rows.map((row) => `${escapeTerminal(row)}\n`).join(''));
  } else {
    const rows: readonly ListedPackage[] = packages.map((pack) => {
      const { description, license, uri } = pack.definition;
      const more = flags.full ? { description, license, uri } : {};
      return { ...listedPackage(pack, context.cwd), ...more };
    });
    await printData(flags.output, { packages: rows }, context);
  }
  printDiagnostics(context, problems);
  if (problems.some(({ severity }) => severity === 'error')) context.setExitCode(1);
}

/** A package with what its definition says about it, in rows. */
function details({ key, definition }: TreePackage): string[] {
  const { description, license, uri } = definition;
  const said = [['description', description], ['license', license], ...uri.map((one) => ['uri', one])];
  return [
    key,
    ...said.flatMap(([label = '', text = '']) =>
      text === '' ? [] : [`  ${label}: ${text.trim().replaceAll(/\s*\n\s*/g, ' ')}`],
    ),
  ];
}

/** The packages to list, and what makes the list incomplete. */
async function wanted(
  tree: Tree,
  matched: readonly TreePackage[],
  view: View,
  { deps, revdeps }: Flags,
): Promise<{ readonly packages: readonly TreePackage[]; readonly problems: readonly Diagnostic[] }> {
  const unread = unreadIn(tree, view);
  if (!deps && !revdeps) {
    const { errorsIn } = await import('../../tree/index.ts');
    // Whatever is wrong with build specs, the packages are there.
    return {
      packages: matched,
      problems: [...unread, ...matched.flatMap((pack) => errorsIn(pack, 'runtime'))],
    };
  }
  const { dependantsOf, dependenciesOf } = await import('../../plan/index.ts');
  const { packages, problems } = (revdeps ? dependantsOf : dependenciesOf)(tree, matched, view);
  return { packages, problems: [...unread, ...problems] };
}
