import type { Command } from 'commander';
import type { Diagnostic } from '../../diagnostic/index.ts';
import type { Tree, TreePackage } from '../../tree/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { namedPackages } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { addTreeFlags, oneOf, readTrees, type TreeFlags } from '../trees.ts';

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
  const packages = names.length === 0 ? tree.packages : await namedPackages(tree, names);
  const specs = packages.map(renderedSpec).filter((spec) => spec !== undefined);
  if (flags.output === 'json') context.stdout.write(`${JSON.stringify(specs, undefined, 2)}\n`);
  else {
    const { dump } = await import('js-yaml');
    const documents = specs.map((spec) => dump(spec, { noRefs: true, lineWidth: -1 }));
    context.stdout.write(documents.join('---\n'));
  }
  const problems = problemsOf(tree, names.length === 0 ? undefined : packages);
  printDiagnostics(context, problems);
  if (problems.some(({ severity }) => severity === 'error')) context.setExitCode(1);
}

/** What is wrong with some packages, and with files that belong to no package that could be read. */
function problemsOf(tree: Tree, packages: readonly TreePackage[] | undefined): readonly Diagnostic[] {
  if (packages === undefined) return tree.diagnostics.filter(({ severity }) => severity === 'error');
  const keys = new Set(packages.map(({ key }) => key));
  return tree.diagnostics.filter(
    (problem) => problem.severity === 'error' && problem.package !== undefined && keys.has(problem.package),
  );
}
