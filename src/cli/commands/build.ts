import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Compression } from '../../artifact/index.ts';
import { type Diagnostic, DiagnosticError } from '../../diagnostic/index.ts';
import type { Plan } from '../../plan/index.ts';
import type { Tree, TreePackage } from '../../tree/index.ts';
import type { CliContext } from '../context.ts';
import type { EngineFlags } from '../engine.ts';
import { addBackendFlag, addEngineFlags } from '../engine-flags.ts';
import { epoch } from '../epoch.ts';
import { addExamples } from '../help.ts';
import { within } from '../interrupt.ts';
import { memory, processes } from '../limits.ts';
import { onByDefault, refused, repository } from '../options.ts';
import { findNamed } from '../packages.ts';
import { pretend } from '../pretend.ts';
import { printWarnings } from '../report.ts';
import { addTreeFlags, oneOf, readTrees, type TreeFlags } from '../trees.ts';
import { refuseUnused } from '../unused.ts';

interface Flags extends TreeFlags, EngineFlags {
  readonly destination: string;
  readonly all?: boolean;
  readonly full?: boolean;
  readonly revdeps?: boolean;
  readonly compression: Compression;
  readonly concurrency?: number;
  readonly engineWait: number;
  readonly imageRepository: string;
  readonly nodeps?: boolean;
  readonly onlydeps?: boolean;
  readonly onlyTargetPackage?: boolean;
  readonly rebuild?: boolean;
  readonly keepImages: boolean;
  readonly keepGoing?: boolean;
  readonly network?: 'bridge' | 'host' | 'none';
  readonly memory?: number;
  readonly processes?: number;
  readonly isolation: 'required' | 'best';
  readonly pretend?: boolean;
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** Adds `build`. */
export function register(parent: Command, context: CliContext): void {
  const command = addTreeFlags(
    parent
      .command('build')
      .description('Builds packages and what they need, and writes their archives')
      .argument(
        '[package...]',
        'category/name, name, category/name@VERSION, category/name@>=VERSION or =category/name-VERSION',
      ),
  )
    .option('--destination <folder>', 'write packages here', '.')
    .option('--all', 'build every package that has a build.yaml')
    .option('--full', 'build every package that no other needs, and so all of them')
    .addOption(
      new Option('--compression <format>', 'of archives: none, gzip or zstd')
        .argParser(oneOf('none', 'gzip', 'zstd'))
        .default('none'),
    )
    .option('--concurrency <n>', 'packages at once (default: the CPUs of the engine)', positive)
    .option('--engine-wait <seconds>', 'wait so long for an engine that goes away meanwhile', seconds, 60)
    .option('--image-repository <name>', 'keep package images under this name', repository, 'luet/cache')
    .option('--revdeps', 'also build what depends on the packages given')
    .option('--nodeps', 'build only the packages given, on parent images that are there already')
    .option('--onlydeps', 'build what the packages given need, but not themselves')
    .option('--only-target-package', 'write only the packages given, not what they need')
    .option('--rebuild', 'run the packages given again, whatever is there already');
  onByDefault(command, 'keep-images', 'remove the images that this build made')
    .option('--keep-going', 'build all that can be built, whatever fails or has errors')
    .addOption(
      new Option(
        '--network <mode>',
        'of commands: bridge, host or none (default: as the engine does)',
      ).argParser(oneOf('bridge', 'host', 'none')),
    )
    .option('--memory <size>', 'that the commands of each package may take, such as 512M or 4G', memory)
    .option('--processes <n>', 'that the commands of each package may have at once', processes)
    .addOption(
      new Option(
        '--isolation <how>',
        'of commands from this machine: best (what can be had) or required (else refuse to run any)',
      )
        .argParser(oneOf('best', 'required'))
        .default('best'),
    )
    .option('--pretend', 'only say what would be built, in order')
    .addOption(
      new Option('-o, --output <format>', 'of --pretend: terminal, json or yaml')
        .argParser(oneOf('terminal', 'json', 'yaml'))
        .default('terminal'),
    )
    .action((packages: readonly string[], flags: Flags) => {
      if (packages.length === 0 && !flags.all && !flags.full)
        command.error("error: name the packages to build, or use --all (see 'luet-ts build --help')");
      refuseUnused(command, unusedOf(packages, flags));
      return run(packages, flags, context);
    });
  addBackendFlag(addEngineFlags(command));
  for (const flag of [
    '--push',
    '--push-final-images',
    '--push-final-images-repository <name>',
    '--push-final-images-force',
    '--generate-final-images',
  ]) {
    refused(command, flag, 'images are not pushed yet; push them with the engine after the build');
  }
  for (const flag of ['--pull', '-p, --pull-repository <name>', '--from-repositories'])
    refused(command, flag, 'package images are not pulled yet; what is in the engine is used');
  refused(
    command,
    '-a, --backend-args <args>',
    'the engine is reached through its API, not through a command line',
  );
  refused(command, '--wait', 'nothing of another run has to be waited for');
  addExamples(command, [
    ['luet-ts build --tree tree --all --destination out', 'every package of a tree'],
    ['luet-ts build -t tree utils/hello --compression zstd', 'one package, and what it needs'],
    ['luet-ts build -t tree utils/hello --pretend', 'what that would build'],
    ['luet-ts build -t tree libs/zlib --revdeps', 'one package, and what is built on it'],
    ['luet-ts build -t tree --all --keep-going', 'as much as can be built'],
  ]);
}

function positive(value: string): number {
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('Expected a number from 1.');
  return Number(value);
}

function seconds(value: string): number {
  if (!/^(0|[1-9]\d{0,5})$/.test(value)) throw new InvalidArgumentError('Expected a number of seconds.');
  return Number(value);
}

/** Which flags change nothing beside others, and why. */
function unusedOf(packages: readonly string[], flags: Flags): Readonly<Record<string, string | undefined>> {
  const { all, onlydeps, pretend: isPretend } = flags;
  const when = (is: unknown, because: string): string | undefined => (is ? because : undefined);
  return {
    output: when(!isPretend, 'it is the format of --pretend'),
    full: when(all, '--all builds every package'),
    revdeps: when(packages.length === 0, 'no packages are named whose dependants are meant'),
    nodeps: when(onlydeps, '--onlydeps builds nothing but what the packages need'),
    'only-target-package': when(onlydeps, '--onlydeps writes nothing but what the packages need'),
    rebuild: when(onlydeps, '--onlydeps does not build the packages given'),
  };
}

async function run(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const tree = await readTrees(flags, context);
  const problems: Diagnostic[] = [];
  const targets = await targetsOf(tree, names, flags, problems);
  const { planBuild } = await import('../../plan/index.ts');
  const plan = planBuild(tree, targets, {
    onlyTargets: flags.onlyTargetPackage === true || flags.nodeps === true,
    onlyDependencies: flags.onlydeps === true,
    leavesOnly: flags.full === true && flags.all !== true,
    onProblem: ({ diagnostics }) => problems.push(...diagnostics),
  });
  const { buildFindings } = await import('../build-findings.ts');
  const everything = flags.all === true || flags.full === true || flags.revdeps === true;
  const found = await buildFindings(tree, plan, { everything, values: flags.values ?? [] }, context);
  const warnings: Diagnostic[] = [];
  for (const one of found) (one.severity === 'error' ? problems : warnings).push(one);
  if (problems.length > 0 && !flags.keepGoing) throw new DiagnosticError([...problems, ...warnings]);
  printWarnings(context, warnings);
  if (flags.pretend) await pretend(plan, flags.output, context);
  else await carryOut(plan, tree, flags, context);
  if (problems.length > 0) throw new DiagnosticError(problems);
}

/** What is asked for; what of that is not there, or cannot be built, is added to `problems`. */
async function targetsOf(
  tree: Tree,
  names: readonly string[],
  flags: Flags,
  problems: Diagnostic[],
): Promise<readonly TreePackage[]> {
  const { isBuildable } = await import('../../tree/index.ts');
  const targets = flags.all || flags.full ? tree.packages.filter(isBuildable) : [];
  const { named, problems: wrong } = await findNamed(tree, names, 'buildtime');
  problems.push(...wrong);
  if (!flags.revdeps) return [...new Set([...named, ...targets])];
  const { dependantsOf } = await import('../../plan/index.ts');
  // What cannot be solved says so when it is planned.
  const { packages, unsolved } = dependantsOf(tree, named, 'buildtime');
  return [...new Set([...named, ...packages, ...unsolved, ...targets])];
}

/** How long an interrupted build may take to end what runs, and to remove what it made: each, in milliseconds. */
const PATIENCE = 800;

async function carryOut(plan: Plan, tree: Tree, flags: Flags, context: CliContext): Promise<void> {
  const [
    { resolve },
    { build },
    { luetFormat, removeUnfinished },
    { openEngine, ownFolders },
    { openWorkplace },
    { createProgress },
    { summarize },
    { openHistory },
    { checkWritable, isFolderThere },
  ] = await Promise.all([
    import('node:path'),
    import('../../execute/index.ts'),
    import('../../artifact/index.ts'),
    import('../engine.ts'),
    import('../workplace.ts'),
    import('../progress/index.ts'),
    import('../summary.ts'),
    import('../history.ts'),
    import('../../disk/index.ts'),
  ]);
  const destination = resolve(context.cwd, flags.destination);
  // Before hours of work: what is there and cannot be written to says so before the first package that has to be.
  if (!isFolderThere(destination)) checkWritable(destination);
  const workplace = openWorkplace(context);
  const clock = (): number => performance.now();
  const start = clock();
  try {
    const { engine } = await openEngine(flags, context, workplace);
    const history = openHistory(context);
    const progress = createProgress(context, clock, history.usual);
    let told = false;
    const tell = (interrupted: boolean): void => {
      progress.end();
      if (told) return;
      told = true;
      const milliseconds = clock() - start;
      summarize(progress.state, { milliseconds, destination, logs: workplace.logs, interrupted }, context);
    };
    try {
      // It concerns nothing that this build uses.
      const sweeping = engine.sweep(flags.imageRepository);
      sweeping.catch(() => {});
      const [report] = await Promise.all([
        flags.concurrency === undefined ? engine.report() : undefined,
        removeUnfinished(destination, workplace.isOver).catch(() => {}),
      ]);
      const building = build(plan, {
        engine,
        find: (key) => tree.byKey(key),
        destination,
        ownFolders: await ownFolders(flags, context, workplace),
        format: luetFormat(flags.compression),
        imageRepository: flags.imageRepository,
        keepImages: flags.keepImages,
        concurrency: flags.concurrency ?? report?.cpus ?? 1,
        durations: history.durations(plan.nodes.map((node) => node.package.key)),
        engineWait: flags.engineWait * 1000,
        keepGoing: flags.keepGoing === true,
        rebuild: flags.rebuild === true,
        noDependencies: flags.nodeps === true,
        network: flags.network,
        memory: flags.memory,
        processes: flags.processes,
        isolation: flags.isolation,
        sourceDateEpoch: epoch(context.env.SOURCE_DATE_EPOCH),
        logs: workplace.logs,
        temporary: workplace.temporary,
        runId: workplace.name,
        onEvent: progress.onEvent,
        signal: context.signal,
        clock,
      });
      const result = await within(building, context.signal, PATIENCE);
      await within(sweeping, context.signal, PATIENCE);
      tell(false);
      if (result.failed.length > 0) context.setExitCode(1);
    } finally {
      // What is left in the engine then ends with our connection, or goes when the next build begins.
      await within(engine.close(), context.signal, PATIENCE).catch((error: unknown) => {
        if (!context.signal.aborted) throw error;
      });
      progress.end();
      if (context.signal.aborted) tell(true);
      history.remember(progress.state.durations);
    }
  } finally {
    workplace.close();
  }
}
