import type { Command } from 'commander';
import { escapeTerminal, hasErrors } from '../../diagnostic/index.ts';
import type { NeedGraphResult } from '../../plan/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addViewFlags, namedPackages, type ViewFlags, viewsOf } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { addTreeFlags, oneOf, readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside, unreadIn } from '../unread.ts';

type Format = 'dot' | 'mermaid' | 'svg' | 'json';

interface Flags extends TreeFlags, ViewFlags {
  readonly format: Format;
}

/** Adds `tree graph`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('graph')
    .description(
      'Draws what packages need: of the packages given with all that they need, or of the whole tree',
    )
    .argument('[package...]', 'category/name, optionally with @VERSION');
  addViewFlags(addTreeFlags(command), 'what concerns building')
    .option(
      '--format <format>',
      'dot, mermaid, svg or json',
      oneOf('dot', 'mermaid', 'svg', 'json'),
      'dot' as const,
    )
    .action((packages: readonly string[], flags: Flags) => draw(packages, flags, command, context));
  addExamples(command, [
    ['luet-ts tree graph -t tree --format svg utils/hello > hello.svg', 'what one package is built on'],
    ['luet-ts tree graph -t tree --format mermaid', 'the whole tree, to paste into Markdown'],
    ['luet-ts tree graph -t tree --runtime --format json', 'what installing needs, as data'],
  ]);
}

async function draw(
  names: readonly string[],
  flags: Flags,
  command: Command,
  context: CliContext,
): Promise<void> {
  const [view = 'buildtime', other] = viewsOf(flags, ['buildtime']);
  if (other !== undefined) command.error('error: --buildtime and --runtime exclude each other');
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
      return `${JSON.stringify({ view: graph.view, packages, needs: graph.needs }, undefined, 2)}\n`;
    }
  }
}
