import { DiagnosticError } from '../../diagnostic/index.ts';
import { readBackendArgs } from '../backend-args.ts';
import { planOf } from '../build-plan.ts';
import type { BuildFlags } from '../build-run.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { anyNumber } from '../flags/arguments.ts';
import { checkShareFlags, shareFlags, unusedShareFlags } from '../flags/cache.ts';
import { choice, onOrOff, refused, repeatable, toggle, withValue } from '../flags/define.ts';
import { backendFlag, engineFlags } from '../flags/engine.ts';
import { imageRepositoryFlag } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { memory, positive, processes, seconds } from '../flags/values.ts';
import { pretend } from '../pretend.ts';
import { UsageError } from '../usage-error.ts';

const noRepositories = 'trees are not read from repositories yet; name each with --tree';

/** `build`. */
export default class Build extends LuetCommand<typeof Build> {
  static override description = 'Builds packages and what they need, and writes their archives';
  static override args = {
    package: anyNumber(
      'category/name, name, category/name@VERSION, category/name@>=VERSION or =category/name-VERSION',
    ),
  };
  static override flags = {
    ...treeFlags,
    destination: withValue({
      value: '<folder>',
      summary: 'folder that packages are written to',
      default: '.',
    }),
    all: toggle({ summary: 'build every package that has a build.yaml' }),
    full: toggle({ summary: 'build every package that no other package needs, and so all of them' }),
    compression: choice(['none', 'gzip', 'zstd'], { summary: 'compression of archives', default: 'none' }),
    concurrency: withValue({
      value: '<n>',
      summary: 'number of packages that are built at once (default: the CPUs of the engine)',
      read: positive,
    }),
    'engine-wait': withValue({
      value: '<seconds>',
      summary: 'how long to wait for an engine that stops answering during the build',
      description:
        'A step that ran when the engine stopped answering runs again when the engine is back. 0 does not wait.',
      read: seconds,
      default: 60,
    }),
    'image-repository': imageRepositoryFlag(),
    revdeps: toggle({ summary: 'also build what depends on the packages given' }),
    nodeps: toggle({ summary: 'build only the packages given, on parent images that exist already' }),
    onlydeps: toggle({ summary: 'build what the packages given need, but not the packages themselves' }),
    'only-target-package': toggle({ summary: 'write only the packages given, not what they need' }),
    rebuild: toggle({ summary: 'build the packages given again, even if nothing changed' }),
    'keep-images': onOrOff({
      summary: 'keep the images that this build makes, or remove them',
      default: true,
    }),
    'keep-going': toggle({
      summary: 'after an error, still build every package that can be built',
      description:
        'Where a package fails, packages that need it are not built; where trees have errors, packages without errors are. The exit code is 1 all the same.',
    }),
    network: choice(['bridge', 'host', 'none'], {
      summary: "network of packages' commands (default: the engine's default)",
    }),
    memory: withValue({
      value: '<size>',
      summary: "memory limit for each package's commands, such as 512M or 4G",
      description:
        'At least 16M (default: no limit). Sizes are written as for coreutils: 512M and 512MiB are 512 · 2^20 bytes, 512MB are 512 · 10^6.',
      read: memory,
    }),
    processes: withValue({
      value: '<n>',
      summary: "limit for the number of processes of each package's commands",
      description: 'Threads count; at least 16 (default: no limit).',
      read: processes,
    }),
    isolation: choice(['best', 'required'], {
      summary: 'isolation of commands from this machine: as good as possible, or else run nothing',
      description:
        'With required, nothing runs on an engine that cannot keep commands from this machine; with best, one line says what is open.',
      default: 'best',
    }),
    pretend: toggle({ summary: 'only print what would be built, in order' }),
    output: choice(['terminal', 'json', 'yaml'], {
      char: 'o',
      summary: 'output format of --pretend',
      default: 'terminal',
    }),
    ...engineFlags,
    backend: backendFlag,
    ...shareFlags,
    'from-repositories': refused(noRepositories),
    'backend-args': repeatable({
      char: 'a',
      value: '<words>',
      summary: 'words for docker build, as Luet takes them: --platform, --network and --load are understood',
    }),
  };
  static override examples = [
    { command: 'luet-ts build --tree tree --all --destination out', description: 'every package of a tree' },
    {
      command: 'luet-ts build -t tree utils/hello --compression zstd',
      description: 'one package, and what it needs',
    },
    { command: 'luet-ts build -t tree utils/hello --pretend', description: 'what that would build' },
    {
      command: 'luet-ts build -t tree libs/zlib --revdeps',
      description: 'one package, and what is built on it',
    },
    {
      command: 'luet-ts build -t tree --all --memory 4G --processes 1000',
      description: 'with limits for commands',
    },
    { command: 'luet-ts build -t tree --all --keep-going', description: 'as much as can be built' },
  ];

  override check(): void {
    const { all, full, onlydeps, pretend: isPretend } = this.flags;
    const { package: packages = [] } = this.args;
    if (packages.length === 0 && !all && !full)
      throw new UsageError("name the packages to build, or use --all (see 'luet-ts build --help')");
    const when = (is: unknown, because: string): string | undefined => (is ? because : undefined);
    this.refuseUnused({
      output: when(!isPretend, 'it is the format of --pretend'),
      full: when(all, '--all builds every package'),
      revdeps: when(packages.length === 0, 'no packages are named whose dependants are meant'),
      nodeps: when(onlydeps, '--onlydeps builds only what the packages need'),
      'only-target-package': when(onlydeps, '--onlydeps writes only what the packages need'),
      rebuild: when(onlydeps, '--onlydeps does not build the packages given'),
      'fail-on-miss': when(isPretend, '--pretend builds nothing'),
      ...unusedShareFlags(this.flags),
    });
    checkShareFlags(this.flags);
    readBackendArgs(this.flags.backendArgs);
  }

  override run(): Promise<void> {
    return build(this.args.package ?? [], this.flags, this.context);
  }
}

async function build(names: readonly string[], flags: BuildFlags, context: CliContext): Promise<void> {
  const { tree, plan, problems } = await planOf(names, flags, context);
  if (flags.pretend) await pretend(plan, flags.output, context);
  else await (await import('../build-run.ts')).runBuild(plan, tree, flags, context);
  if (problems.length > 0) throw new DiagnosticError(problems);
}
