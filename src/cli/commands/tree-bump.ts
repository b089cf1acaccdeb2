import { type Command, InvalidArgumentError } from 'commander';
import { type Diagnostic, DiagnosticError, escapeTerminal, hasErrors } from '../../diagnostic/index.ts';
import type { BumpedFile, Tree, TreePackage } from '../../tree/index.ts';
import type { Bump } from '../../version/index.ts';
import type { CliContext } from '../context.ts';
import { addExamples } from '../help.ts';
import { addViewFlags, namedPackages, printText, type ViewFlags, viewsOf } from '../packages.ts';
import { printDiagnostics } from '../report.ts';
import { addTreeFlags, readTrees, type TreeFlags } from '../trees.ts';
import { unreadBeside } from '../unread.ts';

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

/** Adds `tree bump`. */
export function register(parent: Command, context: CliContext): void {
  const command = parent
    .command('bump')
    .description('Gives packages their next version, and changes nothing else in their files')
    .argument('[package...]', 'category/name, optionally with @VERSION');
  addViewFlags(addTreeFlags(command), 'both; only --revdeps asks')
    .option('-f, --definition-file <file>', 'the packages of this definition.yaml or collection.yaml')
    .option('--major', 'the next major version, where versions are semantic')
    .option('--minor', 'the next minor version')
    .option('--patch', 'the next patch version')
    .option('-p, --pkg-version <version>', 'this version instead of the next one', version)
    .option('--revdeps', 'also count a rebuild of what depends on them')
    .option('--dry-run', 'show the difference, and write nothing')
    .option('-o, --to-stdout', 'print the changed files, and write nothing')
    .action((packages: readonly string[], flags: Flags) => {
      const ways = [flags.major, flags.minor, flags.patch, flags.pkgVersion !== undefined].filter(Boolean);
      if (ways.length > 1)
        command.error('error: --major, --minor, --patch and --pkg-version exclude each other');
      if (flags.dryRun && flags.toStdout)
        command.error('error: --dry-run and --to-stdout exclude each other');
      if ((packages.length === 0) === (flags.definitionFile === undefined))
        command.error('error: name the packages to bump, or their file with -f');
      return bump(packages, flags, context);
    });
  addExamples(command, [
    ['luet-ts tree bump -t tree libs/zlib', 'from 1.3 to 1.3+1, or from 1.3+1 to 1.3+2'],
    [
      'luet-ts tree bump -t tree libs/zlib --revdeps --dry-run',
      'what that changes, with all that depends on it',
    ],
    ['luet-ts tree bump -t tree utils/hello --minor', 'from 2.1.4 to 2.2.0'],
    ['luet-ts tree bump -f tree/libs/zlib/definition.yaml -p 1.3.1', 'to a given version'],
  ]);
}

function version(value: string): string {
  if (value.trim() === '') throw new InvalidArgumentError('Expected a version.');
  return value.trim();
}

async function bump(names: readonly string[], flags: Flags, context: CliContext): Promise<void> {
  const { dirname, resolve } = await import('node:path');
  const file = flags.definitionFile;
  // A file says where it is; a tree is only needed for what depends on it.
  const inFile = file !== undefined && flags.tree === undefined && !flags.revdeps;
  const tree = await readTrees(inFile ? { ...flags, tree: [dirname(file)] } : flags, context);
  const targets =
    file === undefined
      ? await namedPackages(tree, names)
      : packagesOf(tree, resolve(context.cwd, file), file);
  const how: Bump | { readonly version: string } =
    flags.pkgVersion !== undefined
      ? { version: flags.pkgVersion }
      : flags.major
        ? 'major'
        : flags.minor
          ? 'minor'
          : flags.patch
            ? 'patch'
            : 'rebuild';
  const wanted = new Map<TreePackage, typeof how>(targets.map((pack) => [pack, how]));
  const unsolved: Diagnostic[] = [...missing(tree, targets, flags, context)];
  if (flags.revdeps) {
    const { dependantsOf } = await import('../../plan/index.ts');
    for (const view of viewsOf(flags, ['buildtime', 'runtime'])) {
      const { packages, problems } = dependantsOf(tree, targets, view);
      for (const pack of packages) if (!wanted.has(pack)) wanted.set(pack, 'rebuild');
      unsolved.push(...problems);
    }
  }
  const { bumpVersions, writeBumped } = await import('../../tree/index.ts');
  const { files, problems } = await bumpVersions(tree, wanted);
  if (problems.length > 0 || hasErrors(unsolved)) throw new DiagnosticError([...problems, ...unsolved]);
  if (flags.toStdout) await printText(files.map(({ after }) => after).join('---\n'), context);
  else if (flags.dryRun) await showDifference(files, context);
  else {
    for (const one of files) writeBumped(one);
    const rows = files.flatMap(({ packages }) =>
      packages.map(({ package: pack, to }) => `${pack.key} → ${to} (${pack.definition.place.file})`),
    );
    context.stdout.write(rows.map((row) => `${escapeTerminal(row)}\n`).join(''));
  }
  printDiagnostics(context, unsolved);
}

/** What could not be read, and may belong to the packages that are asked for. */
function missing(
  tree: Tree,
  targets: readonly TreePackage[],
  { definitionFile, revdeps }: Flags,
  context: CliContext,
): readonly Diagnostic[] {
  if (revdeps) return tree.unassigned;
  if (definitionFile === undefined)
    return unreadBeside(
      tree,
      targets.map(({ definition }) => definition),
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
