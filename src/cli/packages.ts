import { type Diagnostic, DiagnosticError, jsonText } from '../diagnostic/index.ts';
import type { Tree, TreePackage, View } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './usage-error.ts';

/** Which packages are looked at, by expressions. */
export interface MatchFlags {
  readonly exclude?: readonly string[];
  readonly matches?: readonly string[];
}

/** Whether a package is looked at. Throws a UsageError for an invalid expression. */
export async function selection({
  exclude = [],
  matches = [],
}: MatchFlags): Promise<(one: TreePackage) => boolean> {
  if (exclude.length === 0 && matches.length === 0) return () => true;
  const { compileExpression } = await import('../spec/index.ts');
  const compile = (expression: string) => {
    const compiled = compileExpression(expression);
    if ('error' in compiled) throw new UsageError(`invalid expression '${expression}': ${compiled.error}`);
    const finds = (text: string): boolean => compiled.program.matcher(text).find();
    // As Luet's own lists have it, `foo$` ends a name; and, beyond it, `foo-1.2` a name with its version.
    return ({ definition: { category, name }, key }: TreePackage): boolean =>
      finds(`${category}/${name}`) || finds(key);
  };
  const excluded = exclude.map(compile);
  const matched = matches.map(compile);
  return (one) =>
    (matched.length === 0 || matched.some((finds) => finds(one))) && !excluded.some((finds) => finds(one));
}

/** In which view packages are looked at. */
export interface ViewFlags {
  readonly buildtime?: boolean;
  readonly runtime?: boolean;
}

/** The views that are asked for. Both flags at once mean both views. */
export function viewsOf({ buildtime, runtime }: ViewFlags, otherwise: readonly View[]): readonly View[] {
  const asked = [...(buildtime ? (['buildtime'] as const) : []), ...(runtime ? (['runtime'] as const) : [])];
  return asked.length > 0 ? asked : otherwise;
}

/** How a view is called in a sentence. */
export const viewText = (view: View): string => (view === 'runtime' ? 'at run time' : 'at build time');

/**
 * The packages that are named, each once and in its newest version that fits, as they are in a view: at run
 * time subpackages are among them, at build time those alone that can be built. `problems` says of every
 * other one why it is not there.
 */
export async function findNamed(
  tree: Tree,
  names: readonly string[],
  view: View,
): Promise<{ readonly named: readonly TreePackage[]; readonly problems: readonly Diagnostic[] }> {
  const { findPackages, isBuildable, notBuilt } = await import('../tree/index.ts');
  const found = names.map((name) => findPackages(tree, name, view));
  const all = [...new Set(found.flatMap(({ packages }) => packages.slice(0, 1)))];
  const missing = found.flatMap(({ diagnostics }) => diagnostics);
  const named = view === 'runtime' ? all : all.filter(isBuildable);
  const others = all.filter((pack) => !named.includes(pack)).map((pack) => notBuilt(tree, pack));
  // What is asked for may be in what could not be read.
  const isMissing = missing.some(({ code }) => code !== 'not-buildable');
  const unread = isMissing ? (await import('./unread.ts')).unreadInstead(tree, 'runtime') : [];
  return { named, problems: [...missing, ...others, ...unread] };
}

/** As `findNamed`. Throws a DiagnosticError where there are problems. */
export async function namedPackages(
  tree: Tree,
  names: readonly string[],
  view: View,
): Promise<readonly TreePackage[]> {
  const { named, problems } = await findNamed(tree, names, view);
  if (problems.length > 0) throw new DiagnosticError(problems);
  return named;
}

/** Writes data as JSON, or as YAML. */
export async function printData(
  output: 'json' | 'yaml',
  data: unknown,
  { stdout }: CliContext,
): Promise<void> {
  if (output === 'json') stdout.write(`${jsonText(data)}\n`);
  else {
    const { dump } = await import('js-yaml');
    stdout.write(dump(data, { noRefs: true, lineWidth: -1 }));
  }
}

/** Writes text as it is, so that it can be put into a file, but harmless where it goes to a terminal. */
export async function printText(text: string, { stdout }: CliContext): Promise<void> {
  if (!stdout.isTTY) stdout.write(text);
  else stdout.write((await import('../diagnostic/index.ts')).escapeTerminal(text));
}
