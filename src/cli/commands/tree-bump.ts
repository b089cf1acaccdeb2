import { type Diagnostic, DiagnosticError, escapeTerminal, hasErrors } from '../../diagnostic/index.ts';
import type {
  Bumped,
  BumpedFile,
  BumpedVersions,
  Tree,
  TreePackage,
  VersionChange,
  View,
} from '../../tree/index.ts';
import { LuetCommand } from '../command.ts';
import type { CliContext } from '../context.ts';
import { packagesArgument } from '../flags/arguments.ts';
import { toggle, withValue } from '../flags/define.ts';
import { viewFlags } from '../flags/packages.ts';
import { treeFlags } from '../flags/tree.ts';
import { namedPackages, printText, type ViewFlags, viewsOf } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside, unreadIn } from '../unread.ts';
import { InvalidValue, UsageError } from '../usage-error.ts';

interface Flags extends TreeFlags, ViewFlags {
  readonly definitionFile?: string;
  readonly pkgVersion?: string;
  readonly major?: boolean;
  readonly minor?: boolean;
  readonly patch?: boolean;
  readonly revdeps?: boolean;
  readonly dryRun?: boolean;
  readonly toStdout?: boolean;
}

/** `tree bump`. */
export default class TreeBump extends LuetCommand<typeof TreeBump> {
  static override description = 'Gives packages their next version, and changes nothing else in their files';
  static override args = { package: packagesArgument };
  static override flags = {
    ...treeFlags,
    ...viewFlags('both; used only with --revdeps'),
    'definition-file': withValue({
      char: 'f',
      value: '<file>',
      summary: 'the packages of this definition.yaml or collection.yaml',
    }),
    major: toggle({
      summary: 'the next major version, for semantic versions',
      description: '1.2.3 becomes 2.0.0.',
    }),
    minor: toggle({
      summary: 'the next minor version',
      description: '1.2.3 becomes 1.3.0, and so does 1.3.0-rc1.',
    }),
    patch: toggle({ summary: 'the next patch version', description: '1.2.3 becomes 1.2.4.' }),
    'pkg-version': withValue({ char: 'p', value: '<version>', summary: 'this version', read: version }),
    revdeps: toggle({
      summary: 'also count a rebuild of every package that depends on them',
      description: 'At build time, also of every subpackage that is cut from one of them.',
    }),
    'dry-run': toggle({ summary: 'show the changes as a diff, and write nothing' }),
    'to-stdout': toggle({ char: 'o', summary: 'print the changed files, and write nothing' }),
  };
  static override examples = [
    {
      command: 'luet-ts tree bump -t tree libs/zlib',
      description: 'from 1.3 to 1.3+1, or from 1.3+1 to 1.3+2',
    },
    {
      command: 'luet-ts tree bump -t tree libs/zlib --revdeps --dry-run',
      description: 'what that changes, with all that depends on it',
    },
    { command: 'luet-ts tree bump -t tree utils/hello --minor', description: 'from 2.1.4 to 2.2.0' },
    {
      command: 'luet-ts tree bump -f tree/libs/zlib/definition.yaml -p 1.3.1',
      description: 'to a given version',
    },
  ];

  override check(): void {
    const { major, minor, patch, pkgVersion, dryRun, toStdout, definitionFile, revdeps } = this.flags;
    const { package: packages = [] } = this.args;
    if ([major, minor, patch, pkgVersion !== undefined].filter(Boolean).length > 1)
      throw new UsageError('--major, --minor, --patch and --pkg-version exclude each other');
    if (dryRun && toStdout) throw new UsageError('--dry-run and --to-stdout exclude each other');
    if ((packages.length === 0) === (definitionFile === undefined))
      throw new UsageError('name the packages to bump, or their file with -f');
    const idle = revdeps ? undefined : 'it is used only with --revdeps';
    this.refuseUnused({ buildtime: idle, runtime: idle, values: idle });
  }

  override run(): Promise<void> {
    return bump(this.args.package ?? [], this.flags, this.context);
  }
}

function version(value: string): string {
  if (value.trim() === '') throw new InvalidValue('Expected a version.');
  return value.trim();
}

async function bump(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const [{ dirname, resolve }, { checkFile }] = await Promise.all([
    import('node:path'),
    import('../../disk/index.ts'),
  ]);
  const file = flags.definitionFile;
  if (file !== undefined) checkFile(resolve(context.cwd, file));
  // A file says where it is; a tree is only needed for what depends on it.
  const inFile = file !== undefined && flags.tree === undefined && !flags.revdeps;
  const tree = await readTrees(inFile ? { ...flags, tree: [dirname(file)] } : flags, context);
  const targets =
    file === undefined
      ? await namedPackages(tree, names, 'runtime')
      : packagesOf(tree, resolve(context.cwd, file), file);
  const how = changeOf(flags);
  const wanted = new Map<TreePackage, VersionChange>(targets.map((pack) => [pack, how]));
  const unsolved: Diagnostic[] = [...missing(tree, targets, flags, context)];
  if (flags.revdeps) {
    const views = viewsOf(flags, ['buildtime', 'runtime']);
    const { packages, problems } = await rebuilt(tree, targets, views);
    for (const pack of packages) if (!wanted.has(pack)) wanted.set(pack, 'rebuild');
    unsolved.push(...problems);
  }
  const { bumpVersions, writeBumped } = await import('../../tree/index.ts');
  const bumped = await bumpVersions(tree, wanted);
  const { files, problems } = bumped;
  if (problems.length > 0 || hasErrors(unsolved)) throw new DiagnosticError([...problems, ...unsolved]);
  if (flags.toStdout) await printText(files.map(({ after }) => after).join('---\n'), context);
  else if (flags.dryRun) await showDifference(files, context);
  else {
    context.listen();
    await writeBumped(files, context.runId);
    context.stdout.write(
      rowsOf(bumped)
        .map((row) => `${escapeTerminal(row)}\n`)
        .join(''),
    );
  }
  printDiagnostics(context, [...unsolved, ...bumped.kept.map(keptVersion)]);
}

function changeOf({ pkgVersion, major, minor, patch }: Flags): VersionChange {
  if (pkgVersion !== undefined) return { version: pkgVersion };
  return major ? 'major' : minor ? 'minor' : patch ? 'patch' : 'rebuild';
}

/**
 * What has to be built again when packages change: what depends on them, subpackages that are cut from any of
 * these, and so on. Of a subpackage that has the version of the package that it is cut from, that package
 * counts.
 */
async function rebuilt(
  tree: Tree,
  targets: readonly TreePackage[],
  views: readonly View[],
): Promise<{ readonly packages: ReadonlySet<TreePackage>; readonly problems: readonly Diagnostic[] }> {
  const [{ dependantsOf }, { followsOwner }] = await Promise.all([
    import('../../plan/index.ts'),
    import('../../tree/index.ts'),
  ]);
  const packages = new Set(targets);
  let problems: readonly Diagnostic[] = [];
  for (let before = 0; before < packages.size; ) {
    before = packages.size;
    const related = views.map((view) => dependantsOf(tree, [...packages], view));
    problems = related.flatMap((one) => one.problems);
    for (const one of related) for (const pack of one.packages) packages.add(pack);
    const cut = tree.runtime.packages.filter(({ cutFrom }) => cutFrom !== undefined && packages.has(cutFrom));
    if (views.includes('buildtime')) for (const pack of cut) packages.add(pack);
    for (const pack of packages)
      if (pack.cutFrom !== undefined && !targets.includes(pack) && (await followsOwner(tree, pack)))
        packages.add(pack.cutFrom);
  }
  return { packages, problems };
}

function rowsOf({ files, following }: BumpedVersions): readonly string[] {
  const row = ({ package: { key }, to }: Bumped, where: string): string => `${key} → ${to} (${where})`;
  return [
    ...files.flatMap(({ packages }) => packages.map((one) => row(one, one.package.definition.place.file))),
    ...following.map((one) => row(one, `with ${one.package.cutFrom?.key ?? ''}, which it is cut from`)),
  ];
}

function keptVersion({ key, definition: { place }, cutFrom }: TreePackage): Diagnostic {
  const message = `it keeps its version, but ${cutFrom?.key ?? ''}, which it is cut from, gets a new one`;
  const hint = 'Name it as well, or use --revdeps';
  return { code: 'version-kept', severity: 'warning', message, hint, place, package: key };
}

/** What could not be read, and may belong to the packages that are asked for. */
function missing(
  tree: Tree,
  targets: readonly TreePackage[],
  flags: Flags,
  context: CliContext,
): readonly Diagnostic[] {
  const { definitionFile, revdeps } = flags;
  if (revdeps)
    return unreadIn(tree, viewsOf(flags, ['runtime']).includes('runtime') ? 'runtime' : 'buildtime');
  if (definitionFile === undefined)
    return unreadBeside(
      tree,
      targets.map(({ definition }) => definition),
      'runtime',
      context,
    );
  const files = new Set(targets.map(({ definition }) => definition.place.file));
  return tree.unassigned.filter(({ place }) => place !== undefined && files.has(place.file));
}

/** The packages that a file defines. Throws a DiagnosticError where there are none. */
function packagesOf(tree: Tree, path: string, shown: string): readonly TreePackage[] {
  const packages = tree.packages.filter(
    ({ folder, definition }) => `${folder}/${definition.place.file.replace(/^.*\//, '')}` === path,
  );
  if (packages.length > 0) return packages;
  const own = tree.diagnostics.filter(({ severity }) => severity === 'error');
  throw new DiagnosticError([
    {
      code: 'unknown-package',
      severity: 'error',
      message: `${JSON.stringify(shown)} defines no package of the tree`,
      hint: 'Name a definition.yaml or collection.yaml, and with --tree a tree that it lies in',
    },
    ...own,
  ]);
}

async function showDifference(files: readonly BumpedFile[], context: CliContext): Promise<void> {
  const { unifiedDiff } = await import('../../tree/index.ts');
  const text = files.map(({ file, before, after }) => unifiedDiff(file, before, after)).join('');
  if (!context.color) return printText(text, context);
  const paints: Readonly<Record<string, number>> = { '-': 31, '+': 32, '@': 36 };
  const painted = escapeTerminal(text)
    .split('\n')
    .map((line) => {
      const code = paints[line.charAt(0)];
      return code === undefined ? line : `\x1b[${code}m${line}\x1b[0m`;
    });
  context.stdout.write(painted.join('\n'));
}
