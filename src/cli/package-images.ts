import { type Diagnostic, DiagnosticError, hasErrors } from '../diagnostic/index.ts';
import type { Engine } from '../engine/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Tree, TreePackage } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { epoch } from './epoch.ts';
import { namedPackages } from './packages.ts';
import { printDiagnostics } from './report.ts';
import { readTrees, type TreeFlags } from './trees.ts';
import { unreadBeside } from './unread.ts';

/** Which images packages are built through. */
export interface PackageImageFlags extends TreeFlags {
  readonly imageRepository: string;
  readonly destination: string;
}

/** What is built of packages, before an engine is asked for anything. */
export interface PackagePlan {
  readonly tree: Tree;
  readonly named: readonly TreePackage[];
  readonly plan: Plan;
}

/**
 * Plans packages, or the whole tree where none is named. Throws a DiagnosticError where one cannot be
 * planned.
 */
export async function planPackages(
  names: readonly string[],
  flags: PackageImageFlags,
  context: CliContext,
): Promise<PackagePlan> {
  const [{ planBuild }, { isBuildable }] = await Promise.all([
    import('../plan/index.ts'),
    import('../tree/index.ts'),
  ]);
  const tree = await readTrees(flags, context);
  const named = await namedPackages(tree, names, 'buildtime');
  if (names.length === 0 && tree.unassigned.length > 0) throw new DiagnosticError(tree.unassigned);
  const plan = planBuild(tree, names.length > 0 ? named : tree.packages.filter(isBuildable));
  if (names.length > 0) {
    const planned = plan.nodes.map(({ package: { definition } }) => definition);
    const unread = unreadBeside(tree, planned, 'buildtime', context);
    if (hasErrors(unread)) throw new DiagnosticError(unread);
    printDiagnostics(context, unread);
  }
  return { tree, named, plan };
}

/**
 * The images of packages and of all that they need, those from outside that they begin with first. Throws a
 * DiagnosticError where one cannot be named, or is not there.
 */
export async function imagesOfPackages(
  engine: Engine,
  { tree, named, plan }: PackagePlan,
  flags: PackageImageFlags,
  context: CliContext,
): Promise<readonly string[]> {
  const [{ resolve }, { overriding }, { planImages }, { isLocalImage }, { SCRATCH }] = await Promise.all([
    import('node:path'),
    import('../engine/index.ts'),
    import('../execute/index.ts'),
    import('../plan/index.ts'),
    import('../spec/index.ts'),
  ]);
  const { images, problems } = await planImages(plan, {
    engine: overriding(engine, {
      resolve: (...[reference, options]: Parameters<Engine['resolve']>) =>
        engine.resolve(reference, { ...options, pull: false }),
    }),
    find: (key) => tree.byKey(key),
    destination: resolve(context.cwd, flags.destination),
    imageRepository: flags.imageRepository,
    sourceDateEpoch: epoch(context.env.SOURCE_DATE_EPOCH),
    signal: context.signal,
  });
  const errors = problems.map((one): Diagnostic => ({ ...one, severity: 'error' }));
  if (errors.length > 0) throw new DiagnosticError(errors);
  const outside = plan.nodes.flatMap(({ parent, copies }) => [
    ...(parent.kind === 'image' ? [parent.reference] : []),
    ...copies.flatMap(({ from }) => (from.kind === 'image' ? [from.reference] : [])),
  ]);
  const held = await engine.list(flags.imageRepository);
  // The empty root, and images that lie in trees, are put into any engine when they are needed.
  const fetched = outside.filter((reference) => reference !== SCRATCH && !isLocalImage(reference));
  const isHeld = (image: string): boolean => held.has(image.slice(flags.imageRepository.length + 1));
  const missing = plan.artifacts.flatMap(({ package: pack, node }) => {
    if (node === undefined || !named.includes(pack)) return [];
    const image = images[plan.nodes.indexOf(node)]?.image ?? '';
    return image.startsWith(`${flags.imageRepository}:`) && !isHeld(image) ? [notBuilt(pack, image)] : [];
  });
  if (missing.length > 0) throw new DiagnosticError(missing);
  // What is not built of what they need has no image to copy.
  const own = images.flatMap(({ image }) => image ?? []).filter(isHeld);
  return [...new Set([...fetched, ...own])];
}

function notBuilt({ key, definition }: TreePackage, image: string): Diagnostic {
  const message = `it is not built: image ${image} not found in the engine to copy from`;
  return { code: 'not-built', severity: 'error', message, place: definition.place, package: key };
}
