import type { Command } from 'commander';
import { DiagnosticError } from '../diagnostic/index.ts';
import type { Tree, TreePackage, View } from '../tree/index.ts';
import type { CliContext } from './context.ts';

/** Which packages are looked at, by expressions. */
export interface MatchFlags {
  readonly exclude?: readonly string[];
  readonly matches?: readonly string[];
}

/** An accumulator for expressions, which may have commas in them. */
const each = (value: string, previous: readonly string[] | undefined): string[] => [
  ...(previous ?? []),
  value,
];

/** Adds the flags that choose packages by expressions. */
export function addMatchFlags(command: Command): Command {
  return command
    .option(
      '-e, --exclude <expression>',
      'leave out packages whose category/name, or category/name-version, has this (repeatable)',
      each,
    )
    .option(
      '-m, --matches <expression>',
      'look only at packages whose category/name, or category/name-version, has this (repeatable)',
      each,
    );
}

/** Whether a package is looked at. An expression that is none ends the command. */
export async function selection(
  { exclude = [], matches = [] }: MatchFlags,
  command: Command,
): Promise<(one: TreePackage) => boolean> {
  if (exclude.length === 0 && matches.length === 0) return () => true;
  const { compileExpression } = await import('../spec/index.ts');
  const compile = (expression: string) => {
    const compiled = compileExpression(expression);
    if ('error' in compiled) {
      return command.error(`error: '${expression}' is no expression: ${compiled.error}`);
    }
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

/** Adds the flags that choose a view; `otherwise` tells what counts without them. */
export function addViewFlags(command: Command, otherwise: string): Command {
  return command
    .option('-b, --buildtime', `what concerns building (default: ${otherwise})`)
    .option('--runtime', 'what concerns installing');
}

/** The views that are asked for. Both flags at once mean both views. */
export function viewsOf({ buildtime, runtime }: ViewFlags, otherwise: readonly View[]): readonly View[] {
  const asked = [...(buildtime ? (['buildtime'] as const) : []), ...(runtime ? (['runtime'] as const) : [])];
  return asked.length > 0 ? asked : otherwise;
}

/** How a view is called in a sentence. */
export const viewText = (view: View): string => (view === 'runtime' ? 'at run time' : 'at build time');

/** The packages that are named, each once and in its newest version that fits. Throws a DiagnosticError that names every one that is not there. */
export async function namedPackages(tree: Tree, names: readonly string[]): Promise<readonly TreePackage[]> {
  const { findPackages } = await import('../tree/index.ts');
  const found = names.map((name) => findPackages(tree, name));
  const problems = found.flatMap(({ diagnostics }) => diagnostics);
  if (problems.length > 0) {
    // What is asked for may be in them.
    const { unreadInstead } = await import('./unread.ts');
    throw new DiagnosticError([...problems, ...unreadInstead(tree)]);
  }
  return [...new Set(found.flatMap(({ packages }) => packages.slice(0, 1)))];
}

/** Writes data as JSON, or as YAML. */
export async function printData(
  output: 'json' | 'yaml',
  data: unknown,
  { stdout }: CliContext,
): Promise<void> {
  if (output === 'json') stdout.write(`${JSON.stringify(data)}\n`);
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
