import type { Command } from 'commander';
import { type Diagnostic, hasErrors } from '../../diagnostic/index.ts';
import type { Tree, TreePackage } from '../../tree/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { namedPackages } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { addTreeFlags, oneOf, readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside } from '../unread.ts';

interface Flags extends TreeFlags {
  readonly output: 'yaml' | 'json';
}

/** Adds `tree render`. */
export function register(parent: Command, context: CliContext): void {
  const command = addTreeFlags(
    parent
      .command('render')
      .description('Prints build specs as they are after templates: of the packages given, or of all')
      .argument('[package...]', 'category/name, optionally with @VERSION'),
  )
    .option('-o, --output <format>', 'yaml or json', oneOf('yaml', 'json'), 'yaml' as const)
    .action((packages: readonly string[], flags: Flags) => render(packages, flags, context));
  addExamples(command, [
    ['luet-ts tree render --tree tree utils/hello', "one package's build spec"],
    ['luet-ts tree render --values arm64.yaml -o json', 'all of them as one JSON array'],
  ]);
}

async function render(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const tree = await readTrees(flags, context);
  const { renderedSpec } = await import('../../tree/index.ts');
  const named = names.length === 0 ? undefined : await namedPackages(tree, names, 'buildtime');
  const packages = named ?? tree.packages;
  const specs = packages.map(renderedSpec).filter((spec) => spec !== undefined);
  if (flags.output === 'json') context.stdout.write(`${JSON.stringify(specs, undefined, 2)}\n`);
  else {
    const { dump } = await import('js-yaml');
    const documents = specs.map((spec) => dump(spec, { noRefs: true, lineWidth: -1 }));
    context.stdout.write(documents.join('---\n'));
  }
  const problems = named === undefined ? tree.diagnostics.filter(isError) : aboutNamed(tree, named, context);
  printDiagnostics(context, problems);
  if (hasErrors(problems)) context.setExitCode(1);
}

const isError = ({ severity }: Diagnostic): boolean => severity === 'error';

function aboutNamed(tree: Tree, named: readonly TreePackage[], context: CliContext): readonly Diagnostic[] {
  const definitions = named.map(({ definition }) => definition);
  return [...named.flatMap(({ errors }) => errors), ...unreadBeside(tree, definitions, 'buildtime', context)];
}
