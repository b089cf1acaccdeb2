import {
  type Diagnostic,
  DiagnosticError,
  escapeTerminal,
  hasErrors,
  jsonText,
} from '../../diagnostic/index.ts';
import type { Member, Need, Ways } from '../../plan/index.ts';
import type { Tree, TreePackage, View } from '../../tree/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { cutBetween } from '../cut-from.ts';
import { argument } from '../flags/arguments.ts';
import { textOrJsonFlag, viewFlags } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { namedPackages, type ViewFlags, viewsOf, viewText } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside, unreadInstead } from '../unread.ts';

interface Flags extends TreeFlags, ViewFlags {
  readonly output: 'terminal' | 'json';
}

/** More ways than these tell nothing new, and there can be more than a disk holds. */
const MOST = 1000;

/** The ways in one view. */
interface Answer extends Ways {
  readonly view: View;
  /** All that the package needs. */
  readonly members: readonly Member[];
  /** Where it does not need that: what is cut from what, a sentence each. */
  readonly cut: readonly string[];
}

/** `tree why`. */
export default class TreeWhy extends LuetCommand<typeof TreeWhy> {
  static override description = 'Shows every shortest way by which one package needs another';
  static override args = {
    package: argument('package that needs the other: category/name, optionally with @VERSION'),
    needed: argument('package that is needed; without a version, any version of it'),
  };
  static override flags = {
    ...treeFlags,
    ...viewFlags('both, if the package has a build.yaml'),
    output: textOrJsonFlag,
  };
  static override examples = [
    {
      command: 'luet-ts tree why -t tree utils/hello seed/base',
      description: 'why one is built or installed with the other',
    },
    {
      command: 'luet-ts tree why -t tree -b utils/hello libs/zlib@1.3',
      description: 'only at build time, and in that version',
    },
  ];

  override run(): Promise<void> {
    return why(this.args.package, this.args.needed, this.flags, this.context);
  }
}

async function why(from: string, to: string, flags: Flags, context: CliContext): Promise<void> {
  const tree = await readTrees(flags, context);
  const { findPackages, isBuildable, notBuilt } = await import('../../tree/index.ts');
  // Without a flag the package is looked for at run time, where there are all.
  const isBuild = flags.buildtime === true && flags.runtime !== true;
  const [pack] = await namedPackages(tree, [from], isBuild ? 'buildtime' : 'runtime');
  // What is built on the content of subpackages needs those.
  const needed = findPackages(tree, to, 'runtime');
  if (needed.diagnostics.length > 0)
    throw new DiagnosticError([...needed.diagnostics, ...unreadInstead(tree, 'runtime')]);
  if (pack === undefined) throw new Error('a package was named and none was found');
  const views = viewsOf(flags, isBuildable(pack) ? ['buildtime', 'runtime'] : ['runtime']);
  if (views.includes('buildtime') && !isBuildable(pack)) throw new DiagnosticError([notBuilt(tree, pack)]);
  const targets = new Set(needed.packages.map(({ key }) => key));
  targets.delete(pack.key);
  const { answers, problems } = await waysIn(tree, views, pack, targets);
  const view = views.includes('runtime') ? 'runtime' : 'buildtime';
  const found = answers.flatMap(({ members }) => members);
  problems.push(
    ...unreadBeside(tree, [...found, ...needed.packages.map(({ definition }) => definition)], view, context),
  );
  if (hasErrors(problems) || answers.every(({ count }) => count === 0)) context.setExitCode(1);
  if (answers.length > 0) show(answers, pack.key, to, flags, context);
  printDiagnostics(context, problems);
}

function show(answers: readonly Answer[], from: string, to: string, flags: Flags, context: CliContext): void {
  if (flags.output === 'json') {
    const data = answers.map(({ view, count, ways }) => ({
      view,
      count,
      ways: [...firstOf(ways)],
    }));
    context.stdout.write(`${jsonText(data, 2)}\n`);
    return;
  }
  const rows = answers.flatMap((answer) => asText(answer, from, to));
  context.stdout.write(`${escapeTerminal(rows.join('\n'))}\n`);
}

/** The ways in each view, and why there is no answer in some. */
async function waysIn(
  tree: Tree,
  views: readonly View[],
  pack: TreePackage,
  targets: ReadonlySet<string>,
): Promise<{ readonly answers: readonly Answer[]; readonly problems: Diagnostic[] }> {
  const { Needs, shortestWays } = await import('../../plan/index.ts');
  const answers: Answer[] = [];
  const problems: Diagnostic[] = [];
  for (const view of views) {
    try {
      const graph = new Needs(tree, view).of(pack);
      const ways = shortestWays(graph, pack.key, targets);
      const keys = graph.members.map(({ key }) => key);
      const cut = ways.count > 0 ? [] : cutBetween(tree, keys, targets);
      answers.push({ view, members: graph.members, cut, ...ways });
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      problems.push(...error.diagnostics);
    }
  }
  return { answers, problems };
}

function* firstOf<T>(all: Iterable<T>): Generator<T> {
  let left = MOST;
  for (const one of all) {
    if (left-- === 0) return;
    yield one;
  }
}

function asText({ view, count, ways, cut }: Answer, from: string, to: string): string[] {
  if (count === 0) {
    const related = cut.map((one) => `  but ${one}`);
    return [`${from} does not need ${to} ${viewText(view)}${cut.length > 0 ? ',' : ''}`, ...related];
  }
  const rows = [`${from} needs ${to} ${viewText(view)}${count > 1 ? `, by ${count} shortest ways` : ''}:`];
  for (const way of firstOf(ways)) {
    rows.push(`  ${from}`, ...way.map((need) => `    ${step(need)}`));
  }
  if (count > MOST) rows.push(`  … and ${count - MOST} more`);
  return rows;
}

const verbs = {
  requires: 'requires',
  copies: 'copies from',
  content: 'is filled with what is required:',
  cut: 'is cut from',
} as const;

function step({ to, kind, name, selector, origin }: Need): string {
  const wanted = selector === '' ? name : `${name} ${selector}`;
  const where = origin === undefined ? '' : ` (${origin})`;
  const provided = to.startsWith(`${name}-`) || to === name ? '' : ', which provides it';
  return `${verbs[kind]} ${wanted}${where} → ${to}${provided}`;
}
