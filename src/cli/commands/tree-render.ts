import { type Diagnostic, hasErrors, jsonText } from '../../diagnostic/index.ts';
import type { Tree, TreePackage } from '../../tree/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { packagesArgument } from '../flags/arguments.ts';
import { choice } from '../flags/define.ts';
import { treeFlags } from '../flags/tree.ts';
import { namedPackages } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside } from '../unread.ts';

interface Flags extends TreeFlags {
  readonly output: 'yaml' | 'json';
}

/** `tree render`. */
export default class TreeRender extends LuetCommand<typeof TreeRender> {
  static override description =
    'Prints build specs after their templates are rendered: of the packages given, or of all';
  static override args = { package: packagesArgument };
  static override flags = {
    ...treeFlags,
    output: choice(['yaml', 'json'], { char: 'o', summary: 'output format', default: 'yaml' }),
  };
  static override examples = [
    { command: 'luet-ts tree render --tree tree utils/hello', description: "one package's build spec" },
    {
      command: 'luet-ts tree render --values arm64.yaml -o json',
      description: 'all of them as one JSON array',
    },
  ];

  override run(): Promise<void> {
    return render(this.args.package ?? [], this.flags, this.context);
  }
}

async function render(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const tree = await readTrees(flags, context);
  const { renderedSpec } = await import('../../tree/index.ts');
  const named = names.length === 0 ? undefined : await namedPackages(tree, names, 'buildtime');
  const packages = named ?? tree.packages;
  const specs = packages.map(renderedSpec).filter((spec) => spec !== undefined);
  if (flags.output === 'json') context.stdout.write(`${jsonText(specs, 2)}\n`);
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
