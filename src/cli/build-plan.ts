import { type Diagnostic, DiagnosticError } from '../diagnostic/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Tree, TreePackage } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { findNamed } from './packages.ts';
import { printWarnings } from './report.ts';
import { readTrees, type TreeFlags } from './trees.ts';

/** Which packages of a tree a build is about. */
export interface PlanFlags extends TreeFlags {
  readonly all?: boolean;
  readonly full?: boolean;
  readonly revdeps?: boolean;
  readonly nodeps?: boolean;
  readonly onlydeps?: boolean;
  readonly onlyTargetPackage?: boolean;
  readonly keepGoing?: boolean;
}

/** What a build is to do. */
export interface BuildPlan {
  readonly tree: Tree;
  readonly plan: Plan;
  /** Errors in the trees that did not end the command, because as much as can be is built. */
  readonly problems: readonly Diagnostic[];
}

/** Plans what the words and flags of a command ask for. Throws a DiagnosticError for errors in the trees. */
export async function planOf(
  names: readonly string[],
  flags: PlanFlags,
  context: CliContext,
): Promise<BuildPlan> {
  const tree = await readTrees(flags, context);
  const problems: Diagnostic[] = [];
  const targets = await targetsOf(tree, names, flags, problems);
  const { planBuild } = await import('../plan/index.ts');
  const plan = planBuild(tree, targets, {
    onlyTargets: flags.onlyTargetPackage === true || flags.nodeps === true,
    onlyDependencies: flags.onlydeps === true,
    leavesOnly: flags.full === true && flags.all !== true,
    onProblem: ({ diagnostics }) => problems.push(...diagnostics),
  });
  const { buildFindings } = await import('./build-findings.ts');
  const everything = flags.all === true || flags.full === true || flags.revdeps === true;
  const found = await buildFindings(tree, plan, { everything, values: flags.values ?? [] }, context);
  const warnings: Diagnostic[] = [];
  for (const one of found) (one.severity === 'error' ? problems : warnings).push(one);
  if (problems.length > 0 && !flags.keepGoing) throw new DiagnosticError([...problems, ...warnings]);
  printWarnings(context, warnings);
  return { tree, plan, problems };
}

/** What is asked for; what of that is not there, or cannot be built, is added to `problems`. */
async function targetsOf(
  tree: Tree,
  names: readonly string[],
  flags: PlanFlags,
  problems: Diagnostic[],
): Promise<readonly TreePackage[]> {
  const { isBuildable } = await import('../tree/index.ts');
  const targets = flags.all || flags.full ? tree.packages.filter(isBuildable) : [];
  const { named, problems: wrong } = await findNamed(tree, names, 'buildtime');
  problems.push(...wrong);
  if (!flags.revdeps) return [...new Set([...named, ...targets])];
  const { dependantsOf } = await import('../plan/index.ts');
  // What cannot be solved says so when it is planned.
  const { packages, unsolved } = dependantsOf(tree, named, 'buildtime');
  return [...new Set([...named, ...packages, ...unsolved, ...targets])];
}
