import { resolve } from 'node:path';
import { luetFormat, removeUnfinished } from '../artifact/index.ts';
import { DiagnosticError } from '../diagnostic/index.ts';
import { checkWritable, isFolderThere } from '../disk/index.ts';
import type { Engine } from '../engine/index.ts';
import { type BuildResult, build } from '../execute/index.ts';
import type { Plan } from '../plan/index.ts';
import type { Tree } from '../tree/index.ts';
import { readBackendArgs } from './backend-args.ts';
import type { FlagsOf } from './command.ts';
import type Build from './commands/build.ts';
import type { CliContext } from './context.ts';
import { openEngine, ownFolders } from './engine.ts';
import { epoch } from './epoch.ts';
import { Explaining } from './explaining.ts';
import { openHistory } from './history.ts';
import { within } from './interrupt.ts';
import { createProgress, type Progress } from './progress/index.ts';
import { printDiagnostics } from './report.ts';
import { summarize } from './summary.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** The flags of `build`. */
export type BuildFlags = FlagsOf<typeof Build.flags>;

/**
 * How long an interrupted build may take to end what runs, and to remove what it made: each, in milliseconds.
 */
const PATIENCE = 800;

const clock = (): number => performance.now();

/** A build that goes on: what it is about, and where it works. */
export interface Running {
  readonly plan: Plan;
  readonly tree: Tree;
  readonly flags: BuildFlags;
  readonly context: CliContext;
  readonly workplace: Workplace;
  readonly engine: Engine;
  readonly destination: string;
}

/** Builds a plan, with progress and a summary. The exit code is 1 where a package failed. */
export async function runBuild(
  plan: Plan,
  tree: Tree,
  flags: BuildFlags,
  context: CliContext,
): Promise<void> {
  const start = clock();
  const destination = resolve(context.cwd, flags.destination);
  // A destination that cannot be written to is an error now, and not after hours of work.
  if (!isFolderThere(destination)) checkWritable(destination);
  const workplace = openWorkplace(context);
  try {
    const { engine } = await openEngine(flags, context, workplace);
    await show({ plan, tree, flags, context, workplace, engine, destination }, start);
  } finally {
    workplace.close();
  }
}

/** Builds with progress, closes the engine, and prints the summary once, however the build ends. */
async function show(running: Running, start: number): Promise<void> {
  const { context, engine, workplace, destination } = running;
  const history = openHistory(context);
  const progress = createProgress(context, clock, history.usual);
  let isTold = false;
  const tell = (interrupted: boolean): void => {
    progress.end();
    if (isTold) return;
    isTold = true;
    const milliseconds = clock() - start;
    summarize(progress.state, { milliseconds, destination, logs: workplace.logs, interrupted }, context);
  };
  try {
    const durations = history.durations(running.plan.nodes.map((node) => node.package.key));
    const { failed, undelivered, isStopped } = await execute(running, durations, progress);
    if (isStopped) {
      progress.end();
      isTold = true;
    } else tell(false);
    printDiagnostics(context, undelivered);
    if (isStopped || failed.length > 0 || undelivered.length > 0) context.setExitCode(1);
  } finally {
    // What is left in the engine ends with our connection, or is removed when the next build starts.
    await within(engine.close(), context.signal, PATIENCE).catch((error: unknown) => {
      if (!context.signal.aborted) throw error;
    });
    progress.end();
    if (context.signal.aborted) tell(true);
    history.remember(progress.state.durations);
  }
}

/** What became of a build; `isStopped` is whether it ended before anything ran, because something would have. */
type Outcome = Pick<BuildResult, 'failed' | 'undelivered'> & { readonly isStopped: boolean };

/** Builds, while what earlier builds left behind is removed. */
async function execute(
  running: Running,
  durations: ReadonlyMap<string, number>,
  progress: Progress,
): Promise<Outcome> {
  const { plan, tree, flags, context, workplace, engine, destination } = running;
  // This build uses nothing of what is swept.
  const sweeping = engine.sweep(flags.imageRepository);
  sweeping.catch(() => {});
  const [report] = await Promise.all([
    flags.concurrency === undefined || flags.backendArgs !== undefined ? engine.report() : undefined,
    removeUnfinished(destination, workplace.isOver).catch(() => {}),
  ]);
  const { network, platform } = readBackendArgs(flags.backendArgs);
  if (platform !== undefined) await checkPlatform(platform, report?.platform ?? '');
  const { onEvent } = progress;
  // Most builds share nothing: the rooms for that are loaded only if they are needed.
  const cache =
    flags.push || flags.pull
      ? await (await import('./shared-cache.ts')).openSharedCache(flags, {
          engine,
          plan,
          context,
          workplace,
          onEvent,
        })
      : undefined;
  const finals =
    flags.pushFinalImages || flags.generateFinalImages
      ? new (await import('./final-images.ts')).FinalImages(running, onEvent)
      : undefined;
  const explaining = new Explaining(running, cache, onEvent);
  const building = build(plan, {
    engine,
    cache,
    find: (key) => tree.byKey(key),
    destination,
    ownFolders: await ownFolders(flags, context, workplace),
    format: luetFormat(flags.compression),
    imageRepository: flags.imageRepository,
    keepImages: flags.keepImages,
    concurrency: flags.concurrency ?? report?.cpus ?? 1,
    durations,
    engineWait: flags.engineWait * 1000,
    keepGoing: flags.keepGoing === true,
    rebuild: flags.rebuild === true,
    noDependencies: flags.nodeps === true,
    waitForOthers: flags.wait === true,
    network: flags.network ?? network,
    memory: flags.memory,
    processes: flags.processes,
    isolation: flags.isolation,
    sourceDateEpoch: epoch(context.env.SOURCE_DATE_EPOCH),
    logs: workplace.logs,
    temporary: workplace.temporary,
    runId: workplace.name,
    onResolved: (resolved) => {
      finals?.check(resolved);
      return explaining.begin(resolved);
    },
    onEvent: (event) => {
      onEvent(event);
      explaining.take(event);
    },
    signal: context.signal,
    clock,
  });
  const { packages, failed, undelivered } = await within(building, context.signal, PATIENCE);
  const unpublished =
    finals === undefined ? [] : await within(finals.make(packages), context.signal, PATIENCE);
  await within(sweeping, context.signal, PATIENCE);
  return { failed, undelivered: [...undelivered, ...unpublished], isStopped: explaining.isStopped };
}

/** Refuses a platform that the engine does not build for. */
async function checkPlatform(asked: string, own: string): Promise<void> {
  const { parsePlatform, platformDistance } = await import('../image/index.ts');
  const [wanted, there] = [parsePlatform(asked), parsePlatform(own)];
  const isIt =
    typeof wanted !== 'string' && typeof there !== 'string' && platformDistance(wanted, there) !== undefined;
  if (isIt) return;
  throw new DiagnosticError([
    {
      code: 'other-platform',
      severity: 'error',
      message: `--backend-args: the engine builds for ${own}, and not for ${asked}`,
      hint: 'Build on a machine of that platform, or name an engine there with --engine',
    },
  ]);
}
