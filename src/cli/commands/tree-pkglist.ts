import type { Diagnostic } from '../../diagnostic/index.ts';
import type { ListedPackage, Tree, TreePackage, View } from '../../tree/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { toggle } from '../flags/define.ts';
import { matchFlags, outputFlag, viewFlags } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { note } from '../notes.ts';
import { type MatchFlags, printData, selection, type ViewFlags, viewsOf } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadIn } from '../unread.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends TreeFlags, MatchFlags, ViewFlags {
  readonly deps?: boolean;
  readonly revdeps?: boolean;
  readonly verbose?: boolean;
  readonly full?: boolean;
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** `tree pkglist`. */
export default class TreePkglist extends LuetCommand<typeof TreePkglist> {
  static override description = 'Lists packages of trees, or what they need, or what needs them';
  static override flags = {
    ...treeFlags,
    ...matchFlags,
    ...viewFlags('run time, which has every package'),
    deps: toggle({
      summary: 'list what the matched packages need instead, each package after what it needs',
    }),
    revdeps: toggle({ summary: 'list what needs the matched packages instead' }),
    verbose: toggle({ char: 'v', summary: 'names with versions; JSON and YAML always have them' }),
    full: toggle({ char: 'f', summary: 'also print the description, license and addresses of packages' }),
    output: outputFlag,
  };
  static override examples = [
    {
      command: 'luet-ts tree pkglist -t tree -o json | jq -r .packages[].name',
      description: 'every package',
    },
    { command: 'luet-ts tree pkglist -t tree -b -v', description: 'those that can be built' },
    {
      command: 'luet-ts tree pkglist -t tree -b --revdeps -m ^libs/zlib-',
      description: 'what has to be built again when it changes',
    },
    {
      command: 'luet-ts tree pkglist -t tree --deps -m ^utils/hello-',
      description: 'what is installed with one package',
    },
  ];

  override check(): void {
    const { deps, revdeps, buildtime, runtime } = this.flags;
    if (deps && revdeps) throw new UsageError('--deps and --revdeps exclude each other');
    if (buildtime && runtime) throw new UsageError('--buildtime and --runtime exclude each other');
  }

  override run(): Promise<void> {
    return list(this.flags, this.context);
  }
}

async function list(flags: Flags, context: CliContext): Promise<void> {
  const selects = await selection(flags);
  const [view = 'runtime'] = viewsOf(flags, ['runtime']);
  const tree = await readTrees(flags, context);
  const { listedPackage, isBuildable } = await import('../../tree/index.ts');
  const all = view === 'runtime' ? tree.runtime.packages : tree.packages.filter(isBuildable);
  const matched = view === 'runtime' ? all.filter(selects) : withOwners(tree, all, selects, flags, context);
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

/**
 * The packages that can be built among those that match; for subpackages, what they are cut from where needs are asked about. Says so,
 * and what is cut from packages whose dependants are listed.
 */
function withOwners(
  tree: Tree,
  all: readonly TreePackage[],
  selects: (pack: TreePackage) => boolean,
  { deps, revdeps }: Flags,
  context: CliContext,
): readonly TreePackage[] {
  const named = new Set(all.filter(selects));
  const found = new Set(named);
  const subpackages = tree.runtime.packages.filter((pack) => tree.ownerOf(pack.key) !== undefined);
  for (const pack of subpackages) {
    const owner = tree.ownerOf(pack.key);
    const isAsked = selects(pack);
    if (owner === undefined || !(isAsked || (revdeps && named.has(owner)))) continue;
    const said = `${pack.key} is cut from ${owner.key}`;
    if (!isAsked) note(`${said}, and changes with it`, context);
    else if (!deps && !revdeps) {
      if (!named.has(owner)) note(`${said}, which can be built`, context);
    } else if (!named.has(owner)) {
      note(`${said}, which is what the list is about`, context);
      if (all.includes(owner)) found.add(owner);
    }
  }
  return [...found];
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
