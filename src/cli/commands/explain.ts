import { DiagnosticError, hasErrors } from '../../diagnostic/index.ts';
import { planOf } from '../build-plan.ts';
import { type FlagsOf, LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { packagesArgument } from '../flags/arguments.ts';
import { checkShareFlags, pullFlags, unusedShareFlags } from '../flags/cache.ts';
import { choice, toggle } from '../flags/define.ts';
import { backendFlag, engineFlags } from '../flags/engine.ts';
import { destinationFlag, imageRepositoryFlag, textOrJsonFlag } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { UsageError } from '../usage-error.ts';

type Flags = FlagsOf<typeof Explain.flags>;

/** `explain`. */
export default class Explain extends LuetCommand<typeof Explain> {
  static override description = [
    'Says what a build would do, and why, before anything runs',
    'Each package that would be built is compared with the nearest earlier build of it: in the engine, in the destination and, with --pull, in registries. Packages that are built only because others are follow those. Exits with 0 where nothing would be built, and with 1 where something would.',
  ].join('\n');
  static override args = { package: packagesArgument };
  static override flags = {
    ...treeFlags,
    destination: destinationFlag,
    all: toggle({ summary: 'every package that has a build.yaml' }),
    full: toggle({ summary: 'every package that no other package needs, and so all of them' }),
    revdeps: toggle({ summary: 'also what depends on the packages given' }),
    nodeps: toggle({ summary: 'only the packages given' }),
    onlydeps: toggle({ summary: 'what the packages given need, but not the packages themselves' }),
    'only-target-package': toggle({ summary: 'only the packages given are written' }),
    rebuild: toggle({ summary: 'as if the packages given were built again in any case' }),
    compression: choice(['none', 'gzip', 'zstd'], { summary: 'compression of archives', default: 'none' }),
    'image-repository': imageRepositoryFlag(),
    ...pullFlags,
    output: textOrJsonFlag,
    ...engineFlags,
    backend: backendFlag,
  };
  static override examples = [
    {
      command: 'luet-ts explain --tree tree --all --destination out',
      description: 'why each package is built',
    },
    {
      command: 'luet-ts explain -t tree --all --pull --image-repository registry.example.org/team/cache',
      description: 'with what other machines have built',
    },
    {
      command:
        'luet-ts explain -t tree --all -o json | jq -r \'.packages[] | select(.state == "build").package\'',
      description: 'the packages that would be built',
    },
  ];

  override check(): void {
    const { all, full } = this.flags;
    const { package: packages = [] } = this.args;
    if (packages.length === 0 && !all && !full)
      throw new UsageError("name the packages, or use --all (see 'luet-ts explain --help')");
    this.refuseUnused(unusedShareFlags(this.flags));
    checkShareFlags(this.flags);
  }

  override run(): Promise<void> {
    return explain(this.args.package ?? [], this.flags, this.context);
  }
}

async function explain(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { tree, plan, problems } = await planOf(names, flags, context);
  if (hasErrors(problems)) throw new DiagnosticError(problems);
  const [
    { resolve },
    { luetFormat },
    { explainResolved },
    { reportLines, jsonReport },
    { openSharedCache },
    { ownFolders },
    { inWorkplace, withEngine },
    { resolveForBuild },
    { epoch },
    { printDiagnostics },
  ] = await Promise.all([
    import('node:path'),
    import('../../artifact/index.ts'),
    import('../explain-plan.ts'),
    import('../explain-report.ts'),
    import('../shared-cache.ts'),
    import('../engine.ts'),
    import('../with-engine.ts'),
    import('../../execute/index.ts'),
    import('../epoch.ts'),
    import('../report.ts'),
  ]);
  const destination = resolve(context.cwd, flags.destination);
  await inWorkplace(context, (workplace) =>
    withEngine(flags, context, workplace, async (engine) => {
      const resolved = await resolveForBuild(plan, {
        engine,
        find: (key) => tree.byKey(key),
        destination,
        ownFolders: await ownFolders(flags, context, workplace),
        sourceDateEpoch: epoch(context.env.SOURCE_DATE_EPOCH),
        signal: context.signal,
      });
      const failed = resolved.nodes.flatMap(({ identity }) =>
        identity.state === 'failed' ? identity.diagnostics : [],
      );
      if (failed.length > 0) throw new DiagnosticError(failed);
      const notes: string[] = [];
      const cache = await openSharedCache(flags, {
        engine,
        plan,
        context,
        workplace,
        onEvent: (event) => void ('message' in event && notes.push(event.message)),
      });
      const format = luetFormat(flags.compression);
      const packages = await explainResolved(resolved, {
        flags,
        engine,
        cache,
        format,
        destination,
        context,
      });
      const text =
        flags.output === 'json'
          ? JSON.stringify({ packages: jsonReport(packages, context.cwd) })
          : reportLines(packages, context.cwd).join('\n');
      context.stdout.write(`${text}\n`);
      printDiagnostics(
        context,
        notes.map((message) => ({ code: 'cache', severity: 'warning', message })),
      );
      if (packages.some(({ state }) => state === 'build')) context.setExitCode(1);
    }),
  );
}
