import { resolve } from 'node:path';
import type { Compression } from '../artifact/index.ts';
import { type Diagnostic, DiagnosticError, hasErrors } from '../diagnostic/index.ts';
import type { Engine } from '../engine/index.ts';
import type { BuildEvent, EventSink } from '../events/index.ts';
import type { BuildOptions, BuildResult } from '../execute/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Tree, TreePackage } from '../tree/index.ts';
import { openEngine, ownFolders } from './engine.ts';
import type { Environment } from './environment.ts';
import { ownSurroundings, type Surroundings } from './surroundings.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** What is built, where it goes, and how. Relative paths start from the current folder of the process. */
export interface BuildTreeOptions
  extends Pick<BuildOptions, 'sourceDateEpoch' | 'network' | 'memory' | 'processes' | 'isolation'> {
  /** Folders of packages. */
  readonly tree: string | readonly string[];
  /** `category/name`, also with `@VERSION` or `@SELECTOR`; every package that can be built where absent. */
  readonly packages?: readonly string[] | undefined;
  /** The folder that packages are written to; made where it is missing. */
  readonly destination: string;
  /** `native`, `docker`, `podman`, or an address; the engine that the command line finds where absent. */
  readonly engine?: string | undefined;
  /** The folder of the native engine's images; in the user's data folder where absent. */
  readonly store?: string | undefined;
  /** Of archives; `none` where absent. */
  readonly compression?: Compression | undefined;
  /** How many packages run at the same time; as many as the engine has processors where absent. */
  readonly concurrency?: number | undefined;
  /** The name under which images of packages are kept in the engine; `luet/cache` where absent. */
  readonly imageRepository?: string | undefined;
  /** Whether images of packages stay in the engine, so that the next build goes on from them; they do where absent. */
  readonly keepImages?: boolean | undefined;
  /** Whether the packages run again although their images are there. */
  readonly rebuild?: boolean | undefined;
  /** Whether packages that do not need one that failed are still built. */
  readonly keepGoing?: boolean | undefined;
  /** Files of template values, later ones winning. */
  readonly values?: readonly string[] | undefined;
  /** The environment in which the engine is found and that templates see; that of the process where absent. */
  readonly env?: Environment | undefined;
  /** Called with each event of the build. Must not throw. */
  readonly onEvent?: EventSink<BuildEvent> | undefined;
  /** Called with warnings about the trees. Must not throw. */
  readonly onWarning?: ((warning: Diagnostic) => void) | undefined;
  /** Stops the build: what runs is ended, and what the build made for itself is removed before `buildTree` rejects. */
  readonly signal?: AbortSignal | undefined;
}

/** Some packages were not built. Carries the findings of those that failed, and what became of all. */
export class BuildFailedError extends DiagnosticError {
  readonly result: BuildResult;

  constructor(result: BuildResult) {
    super(result.failed.flatMap(({ diagnostics }) => diagnostics));
    this.result = result;
  }
}

/**
 * Builds packages of a tree as `luet-ts build` does: plans, finds an engine, runs what has to run, and writes the packages.
 * Nothing of it is left behind but the packages and the images in the engine, also after an abort. Rejects with a `DiagnosticError`
 * where the trees or the options are wrong, with a `BuildFailedError` where packages fail, with a `NoEngineError` where no engine
 * answers, and with the reason of the signal.
 */
export async function buildTree(options: BuildTreeOptions): Promise<BuildResult> {
  const around = { ...ownSurroundings(), ...(options.env === undefined ? {} : { env: options.env }) };
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { tree, plan } = await planTree(options, around, signal);
  const workplace = openWorkplace(around);
  try {
    const store = options.store === undefined ? undefined : resolve(options.store);
    const { keepImages, engine: asked } = options;
    const { engine } = await openEngine({ engine: asked, store, keepImages, workplace, signal }, around);
    try {
      const own = await ownFolders({ engine: asked, store }, workplace, around);
      const result = await carryOut(plan, tree, options, { engine, workplace, own, signal });
      if (result.failed.length > 0) throw new BuildFailedError(result);
      return result;
    } finally {
      await engine.close();
    }
  } finally {
    workplace.close();
  }
}

/** Reads the trees and plans what is asked for. Rejects with a `DiagnosticError` where anything of that is wrong. */
async function planTree(
  options: BuildTreeOptions,
  { env, now }: Surroundings,
  signal: AbortSignal,
): Promise<{ readonly tree: Tree; readonly plan: Plan }> {
  const [{ loadTrees }, { planBuild }] = await Promise.all([
    import('../tree/index.ts'),
    import('../plan/index.ts'),
  ]);
  const { packages, values = [], onWarning, sourceDateEpoch } = options;
  const time = sourceDateEpoch === undefined ? now() : new Date(sourceDateEpoch * 1000);
  const folders = typeof options.tree === 'string' ? [options.tree] : options.tree;
  const tree = await loadTrees(folders, { cwd: process.cwd(), values, now: time, env, signal });
  const fatal = tree.diagnostics.filter(
    ({ code, severity, place }) =>
      code === 'no-tree' || (severity === 'error' && values.includes(place?.file ?? '')),
  );
  if (fatal.length > 0) throw new DiagnosticError(fatal);
  const plan = planBuild(tree, await targetsOf(tree, packages));
  const found = packages === undefined ? [...tree.unassigned, ...plan.warnings] : plan.warnings;
  if (hasErrors(found)) throw new DiagnosticError(found);
  for (const warning of found) onWarning?.(warning);
  return { tree, plan };
}

/** The packages that are asked for, each in its newest version that fits. Rejects where one is not there. */
async function targetsOf(tree: Tree, names: readonly string[] | undefined): Promise<readonly TreePackage[]> {
  const { findPackages, isBuildable, notBuilt } = await import('../tree/index.ts');
  if (names === undefined) return tree.packages.filter(isBuildable);
  const found = names.map((name) => findPackages(tree, name, 'buildtime'));
  const targets = [...new Set(found.flatMap(({ packages }) => packages.slice(0, 1)))];
  const problems = [
    ...found.flatMap(({ diagnostics }) => diagnostics),
    ...targets.filter((one) => !isBuildable(one)).map((one) => notBuilt(tree, one)),
  ];
  if (problems.length > 0) throw new DiagnosticError(problems);
  return targets;
}

interface Opened {
  readonly engine: Engine;
  readonly workplace: Workplace;
  /** Folders that luet-ts writes to for itself. */
  readonly own: readonly string[];
  readonly signal: AbortSignal;
}

async function carryOut(
  plan: Plan,
  tree: Tree,
  options: BuildTreeOptions,
  { engine, workplace, own, signal }: Opened,
): Promise<BuildResult> {
  const [{ build }, { luetFormat, removeUnfinished }] = await Promise.all([
    import('../execute/index.ts'),
    import('../artifact/index.ts'),
  ]);
  const { compression = 'none', keepImages = true, imageRepository = 'luet/cache' } = options;
  const { sourceDateEpoch, network, memory, processes, isolation, onEvent = () => {} } = options;
  const destination = resolve(options.destination);
  // What runs that ended badly have left concerns nothing that this build uses.
  const sweeping = engine.sweep(imageRepository);
  sweeping.catch(() => {});
  await removeUnfinished(destination, workplace.isOver).catch(() => {});
  const result = await build(plan, {
    ...{ engine, destination, imageRepository, keepImages, signal, onEvent },
    ...{ sourceDateEpoch, network, memory, processes, isolation },
    find: (key) => tree.byKey(key),
    format: luetFormat(compression),
    ownFolders: own,
    concurrency: options.concurrency ?? (await engine.report()).cpus,
    keepGoing: options.keepGoing === true,
    rebuild: options.rebuild === true,
    noDependencies: false,
    logs: workplace.logs,
    temporary: workplace.temporary,
    runId: workplace.name,
    clock: () => performance.now(),
  });
  await sweeping;
  return result;
}
