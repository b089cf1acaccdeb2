import { escapeTerminal, hasErrors, jsonText } from '../../diagnostic/index.ts';
import type { Explained, RequestedBy, SelectedPackage } from '../../plan/index.ts';
import type { PackageArgument } from '../../spec/index.ts';
import type { Tree } from '../../tree/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { oneOrMore } from '../flags/arguments.ts';
import { textOrJsonFlag, viewFlags } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { type ViewFlags, viewsOf, viewText } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside, unreadInstead } from '../unread.ts';
import { UsageError } from '../usage-error.ts';

interface Flags extends TreeFlags, ViewFlags {
  readonly output: 'terminal' | 'json';
}

/** `tree explain`. */
export default class TreeExplain extends LuetCommand<typeof TreeExplain> {
  static override description =
    'Explains why packages can be used together and what comes with them, or why they cannot';
  static override args = {
    request: oneOrMore('category/name, optionally with @VERSION or a selector such as @>=VERSION'),
  };
  static override flags = {
    ...treeFlags,
    ...viewFlags('build time, if a package of that name has a build.yaml'),
    output: textOrJsonFlag,
  };
  static override examples = [
    {
      command: 'luet-ts tree explain -t tree utils/hello',
      description: 'what it is built on, and why in these versions',
    },
    {
      command: "luet-ts tree explain -t tree --runtime 'utils/hello@>=2' libs/zlib@1.2",
      description: 'whether both can be installed together',
    },
  ];

  override run(): Promise<void> {
    return explain(this.args.request, this.flags, this.context);
  }
}

async function explain(requests: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { parsePackageArgument } = await import('../../spec/index.ts');
  const wanted = requests.map((request) => {
    const parsed = parsePackageArgument(request);
    if ('error' in parsed) throw new UsageError(parsed.error);
    return parsed;
  });
  const tree = await readTrees(flags, context);
  const { explainRequest } = await import('../../plan/index.ts');
  const views = viewsOf(flags, [(await isBuilt(tree, wanted)) ? 'buildtime' : 'runtime']);
  const answers = views.map((view) => explainRequest(tree, wanted, view));
  const chosen = answers.flatMap((answer) => (answer.ok ? answer.packages : []));
  const named = chosen.map(({ name }) => ({ name: name.slice(name.lastIndexOf('/') + 1) }));
  const view = views.includes('runtime') ? 'runtime' : 'buildtime';
  const problems = [...unreadBeside(tree, named, view, context)];
  // Unreadable files may define the missing packages.
  if (answers.some(({ ok }) => !ok)) problems.push(...unreadInstead(tree, view));
  if (hasErrors(problems) || answers.some(({ ok }) => !ok)) context.setExitCode(1);
  show(answers, requests, flags, context);
  printDiagnostics(context, problems);
}

function show(
  answers: readonly Explained[],
  requests: readonly string[],
  flags: Flags,
  context: CliContext,
): void {
  if (flags.output === 'json') {
    const [only] = answers;
    context.stdout.write(`${jsonText(answers.length === 1 ? only : answers, 2)}\n`);
    return;
  }
  const rows = answers.flatMap((answer) => asText(answer, requests.join(' and ')));
  context.stdout.write(`${escapeTerminal(rows.join('\n'))}\n`);
}

/** Whether anything that is asked for can be built, by its name or by what it provides. */
async function isBuilt(tree: Tree, wanted: readonly PackageArgument[]): Promise<boolean> {
  const { buildProvides, isBuildable } = await import('../../tree/index.ts');
  return wanted.some(({ candidates }) =>
    candidates.some(({ name, category }) => {
      const meant = (one: { readonly name: string; readonly category: string }): boolean =>
        one.name === name && (category === undefined || one.category === category);
      return tree.packages.some(
        (pack) => isBuildable(pack) && (meant(pack.definition) || buildProvides(pack).some(meant)),
      );
    }),
  );
}

function asText(answer: Explained, request: string): string[] {
  if (!answer.ok)
    return [
      `no solution for ${request} ${viewText(answer.view)}:`,
      ...answer.steps.map((step) => `  ${step}`),
    ];
  const { packages, view } = answer;
  const count = packages.length === 1 ? '1 package' : `${packages.length} packages`;
  return [`solution for ${request} ${viewText(view)}, ${count}:`, ...packages.flatMap(chosenText)];
}

function chosenText(chosen: SelectedPackage): string[] {
  const { package: key, version, versions, reasons, notNewest } = chosen;
  const rows = [`  ${key}`, ...reasons.map((reason) => `    ${reasonText(reason, chosen)}`)];
  if (notNewest !== undefined) {
    rows.push(
      `    ${versions.at(-1)} is newer, but was not selected:`,
      ...notNewest.map((step) => `      ${step}`),
    );
  } else if (versions.length > 1) {
    rows.push(`    ${version} is the newest of ${versions.length} versions`);
  }
  return rows;
}

function reasonText({ from, name, selector, origin }: RequestedBy, chosen: SelectedPackage): string {
  const wanted = selector === '' ? name : `${name} ${selector}`;
  const where = origin === undefined ? '' : ` (${origin})`;
  const provides = name === chosen.name ? '' : ', which it provides';
  return from === undefined
    ? `the request asks for ${wanted}${provides}`
    : `${from} requires ${wanted}${where}${provides}`;
}
