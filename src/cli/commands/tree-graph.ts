import { escapeTerminal, hasErrors, jsonText } from '../../diagnostic/index.ts';
import type { NeedGraphResult } from '../../plan/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { packagesArgument } from '../flags/arguments.ts';
import { choice } from '../flags/define.ts';
import { viewFlags } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { namedPackages, type ViewFlags, viewsOf } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside, unreadIn } from '../unread.ts';
import { UsageError } from '../usage-error.ts';

type Format = 'dot' | 'mermaid' | 'svg' | 'json';

interface Flags extends TreeFlags, ViewFlags {
  readonly format: Format;
}

/** `tree graph`. */
export default class TreeGraph extends LuetCommand<typeof TreeGraph> {
  static override description =
    'Draws what packages need: the packages given with all that they need, or the whole tree';
  static override args = { package: packagesArgument };
  static override flags = {
    ...treeFlags,
    ...viewFlags('this view'),
    format: choice(['dot', 'mermaid', 'svg', 'json'], { summary: 'output format', default: 'dot' }),
  };
  static override examples = [
    {
      command: 'luet-ts tree graph -t tree --format svg utils/hello > hello.svg',
      description: 'what one package is built on',
    },
    {
      command: 'luet-ts tree graph -t tree --format mermaid',
      description: 'the whole tree, to paste into Markdown',
    },
    {
      command: 'luet-ts tree graph -t tree --runtime --format json',
      description: 'what installing needs, as data',
    },
  ];

  override check(): void {
    if (this.flags.buildtime && this.flags.runtime)
      throw new UsageError('--buildtime and --runtime exclude each other');
  }

  override run(): Promise<void> {
    return draw(this.args.package ?? [], this.flags, this.context);
  }
}

async function draw(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const [view = 'buildtime'] = viewsOf(flags, ['buildtime']);
  const tree = await readTrees(flags, context);
  const { needGraph } = await import('../../plan/index.ts');
  const packages = names.length === 0 ? undefined : await namedPackages(tree, names, view);
  const graph = needGraph(tree, view, packages);
  context.stdout.write(await picture(graph, flags.format));
  const unread =
    packages === undefined ? unreadIn(tree, view) : unreadBeside(tree, graph.members, view, context);
  const problems = [...graph.problems, ...unread];
  printDiagnostics(context, problems);
  if (hasErrors(problems)) context.setExitCode(1);
}

async function picture(graph: NeedGraphResult, format: Format): Promise<string> {
  const { dotOf, mermaidOf } = await import('../../plan/index.ts');
  switch (format) {
    case 'dot':
      return escapeTerminal(dotOf(graph));
    case 'mermaid':
      return escapeTerminal(mermaidOf(graph));
    case 'svg': {
      const { Graphviz } = await import('@hpcc-js/wasm-graphviz');
      return (await Graphviz.load()).dot(dotOf(graph), 'svg');
    }
    case 'json': {
      const packages = graph.members.map(({ name, category, version, key }) => ({
        key,
        name,
        category,
        version,
      }));
      return `${jsonText({ view: graph.view, packages, needs: graph.needs }, 2)}\n`;
    }
  }
}
