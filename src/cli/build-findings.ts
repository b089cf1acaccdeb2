import type { Diagnostic } from '../diagnostic/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Tree, TreePackage } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { unreadBeside } from './unread.ts';

/** What a build is asked for, as far as it matters for the findings before it. */
export interface Asked {
  /** Whether everything in the trees is, so that what could not be read is, too. */
  readonly everything: boolean;
  /** Paths of values files, as given. */
  readonly values: readonly string[];
}

/**
 * What `tree validate` would tell of the packages of a plan that planning them did not; errors and warnings,
 * not sorted.
 */
export async function buildFindings(
  tree: Tree,
  plan: Plan,
  { everything, values }: Asked,
  context: Pick<CliContext, 'cwd'>,
): Promise<readonly Diagnostic[]> {
  const packages = new Set([...plan.artifacts, ...plan.nodes].map((one) => one.package));
  const definitions = Array.from(packages, ({ definition }) => definition);
  return [
    ...warningsOfFiles(tree, packages, everything, values),
    ...(everything ? tree.unassigned : unreadBeside(tree, definitions, 'buildtime', context)),
    ...plan.warnings,
    ...(await runtimeFindings(tree, packages)),
  ];
}

/**
 * Warnings about the files that some packages are read from; with `everything`, also those that are about no
 * package.
 */
function warningsOfFiles(
  { diagnostics }: Tree,
  packages: ReadonlySet<TreePackage>,
  everything: boolean,
  values: readonly string[],
): readonly Diagnostic[] {
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning');
  if (warnings.length === 0) return warnings;
  const keys = new Set(Array.from(packages, ({ key }) => key));
  const files = new Set([...values, ...Array.from(packages, ({ definition }) => definition.place.file)]);
  return warnings.filter(({ package: key, place }) =>
    key === undefined ? everything || files.has(place?.file ?? '') : keys.has(key),
  );
}

/**
 * What is wrong with finalizers, and with what packages require to be installed with them, as far as it is a
 * warning.
 */
async function runtimeFindings(tree: Tree, packages: ReadonlySet<TreePackage>): Promise<Diagnostic[]> {
  const found: Diagnostic[] = [];
  for (const pack of packages) {
    if (pack.finalizeFile === undefined) continue;
    const { problems = [] } = (await tree.finalizer(pack)) ?? {};
    found.push(...problems.map((problem) => ({ ...problem, package: problem.package ?? pack.key })));
  }
  const cut = tree.runtime.packages.filter(({ cutFrom }) => cutFrom !== undefined && packages.has(cutFrom));
  const requiring = [...packages, ...cut].filter(({ definition: { requires } }) => requires.length > 0);
  if (requiring.length > 0) {
    const { runtimeCycles } = await import('../plan/index.ts');
    found.push(...runtimeCycles(tree, requiring));
  }
  return found;
}
