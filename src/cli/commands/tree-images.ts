import { type Diagnostic, DiagnosticError, hasErrors } from '../../diagnostic/index.ts';
import type { Engine } from '../../engine/index.ts';
import type { Plan } from '../../plan/index.ts';
import type { Tree } from '../../tree/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import type { EngineFlags } from '../engine.ts';
import { epoch } from '../epoch.ts';
import { packagesArgument } from '../flags/arguments.ts';
import { refusedValue } from '../flags/define.ts';
import { backendFlag, engineFlagsWith } from '../flags/engine.ts';
import { destinationFlag, imageRepositoryFlag, outputFlag } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { namedPackages, printData } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside } from '../unread.ts';

interface Flags extends TreeFlags, EngineFlags {
  readonly imageRepository: string;
  readonly destination: string;
  readonly output: 'terminal' | 'json' | 'yaml';
}

/** `tree images`. */
export default class TreeImages extends LuetCommand<typeof TreeImages> {
  static override description =
    'Lists the images that a build makes: of the packages given with all that they need, or of all packages';
  static override args = { package: packagesArgument };
  static override flags = {
    ...treeFlags,
    'image-repository': imageRepositoryFlag(),
    destination: destinationFlag,
    output: outputFlag,
    ...engineFlagsWith({
      engine: 'engine that is asked for base images: auto, native, docker, podman, or an address',
    }),
    backend: backendFlag,
    'pull-repository': refusedValue('package images are not pulled yet; what is in the engine is used', {
      char: 'p',
    }),
  };
  static override examples = [
    {
      command: 'luet-ts tree images -t tree utils/hello',
      description: 'the chain of images that it is built through',
    },
    {
      command: 'luet-ts tree images -t tree -o json | jq -r .packages[].image',
      description: 'those of the whole tree, to push or to keep',
    },
  ];

  override run(): Promise<void> {
    return images(this.args.package ?? [], this.flags, this.context);
  }
}

async function images(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const tree = await readTrees(flags, context);
  const { isBuildable, listedPackage } = await import('../../tree/index.ts');
  const { planBuild } = await import('../../plan/index.ts');
  const named = await namedPackages(tree, names, 'buildtime');
  const unplanned: Diagnostic[] = [];
  const plan = planBuild(
    tree,
    names.length > 0 ? named : tree.packages.filter(isBuildable),
    // For a whole tree, list the packages that can be planned.
    names.length > 0 ? {} : { onProblem: ({ diagnostics }) => unplanned.push(...diagnostics) },
  );
  const planned = plan.nodes.map(({ package: { definition } }) => definition);
  unplanned.push(...(names.length > 0 ? unreadBeside(tree, planned, 'buildtime', context) : tree.unassigned));
  const { images: found, problems } = await imagesOf(plan, tree, flags, context);
  const rows = found.flatMap(({ package: key, image }) => {
    const pack = tree.byKey(key);
    return pack === undefined
      ? []
      : [{ pack, listed: { ...listedPackage(pack, context.cwd, image), path: '' } }];
  });
  if (flags.output !== 'terminal')
    await printData(flags.output, { packages: rows.map(({ listed }) => listed) }, context);
  else {
    const { escapeTerminal } = await import('../../diagnostic/index.ts');
    for (const { pack, listed } of rows)
      context.stdout.write(`${escapeTerminal(`${pack.key}: ${listed.image ?? '(not known)'}`)}\n`);
  }
  const warnings = problems.map((problem) => ({ ...problem, severity: 'warning' as const }));
  printDiagnostics(context, [...unplanned, ...warnings]);
  if (hasErrors(unplanned)) context.setExitCode(1);
}

/** Names the images, with what an engine knows of base images, or nothing where none answers. */
async function imagesOf(plan: Plan, tree: Tree, flags: Flags, context: CliContext) {
  const [{ resolve }, { planImages }, { openEngine, ownFolders }, { openWorkplace }] = await Promise.all([
    import('node:path'),
    import('../../execute/index.ts'),
    import('../engine.ts'),
    import('../workplace.ts'),
  ]);
  const options = {
    find: (key: string) => tree.byKey(key),
    destination: resolve(context.cwd, flags.destination),
    imageRepository: flags.imageRepository,
    sourceDateEpoch: epoch(context.env.SOURCE_DATE_EPOCH),
    signal: context.signal,
  };
  const workplace = openWorkplace(context);
  const own = await ownFolders(flags, context, workplace);
  let engine: Engine | undefined;
  const noEngine: Diagnostic[] = [];
  try {
    try {
      ({ engine } = await openEngine(flags, context, workplace));
    } catch (error) {
      if (!(error instanceof DiagnosticError)) throw error;
      noEngine.push(...error.diagnostics);
    }
    const none = { resolve: () => Promise.resolve(undefined) };
    const { images: found, problems } = await planImages(plan, {
      ...options,
      ownFolders: own,
      engine: engine ?? none,
    });
    return { images: found, problems: [...noEngine, ...problems] };
  } finally {
    await engine?.close();
    workplace.close();
  }
}
