import type { Diagnostic } from '../diagnostic/index.ts';
import type { PackageId } from '../spec/index.ts';
import type { Tree, View } from '../tree/index.ts';
import type { CliContext } from './context.ts';
import { sourceReader } from './report.ts';

/** Findings about files that are not asked about, before the others are only counted. */
const SHOWN = 5;

/** Errors about packages of a file, of which the others can be read. */
const OF_ONE_PACKAGE = new Set(['missing-name', 'wrong-type', 'empty-collection']);

/** What of trees could not be read, so that packages are missing: at run time subpackages may be, too. */
export function unreadIn({ unassigned, hiding }: Tree, view: View): readonly Diagnostic[] {
  return view === 'runtime' ? [...unassigned, ...hiding] : unassigned;
}

/**
 * What of trees could not be read, for an answer that rests on some packages: warnings that packages are left
 * out, but errors where what was left out seems to be another version of one of them. `packages` are all that
 * the answer rests on.
 */
export function unreadBeside(
  tree: Tree,
  packages: Iterable<Pick<PackageId, 'name'>>,
  view: View,
  { cwd }: Pick<CliContext, 'cwd'>,
): readonly Diagnostic[] {
  const unread = unreadIn(tree, view);
  if (unread.length === 0) return [];
  const names = new Set(Array.from(packages, ({ name }) => name));
  const read = sourceReader(cwd);
  const errors: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  for (const one of unread) {
    const file = one.place?.file ?? '';
    const isHiding = tree.hiding.includes(one);
    const isDefinition = /(?:^|\/)(?:definition|collection)\.yaml$/.test(file);
    const whole = isHiding || (isDefinition && !OF_ONE_PACKAGE.has(one.code));
    const text = whole ? (read(file) ?? '') : '';
    // Before that, a build spec names what it requires.
    const [, ...below] = text.split('subpackages');
    const other = namesIn(isHiding ? below.join() : text).find((name) => names.has(name));
    const what = isHiding ? 'subpackages' : /(?:^|\/)templates\/[^/]*$/.test(file) ? 'templates' : 'packages';
    if (other === undefined) warnings.push(withNote(one, 'warning', `${what} in it are left out`));
    else errors.push(withNote(one, 'error', `this may be another version of ${other}, which is asked for`));
  }
  return [...errors, ...firstOf(warnings, 'warning')];
}

/**
 * What could not be read, for an answer that misses a package: the first findings, and how many more there
 * are.
 */
export function unreadInstead(tree: Tree, view: View): readonly Diagnostic[] {
  return firstOf(unreadIn(tree, view), 'error');
}

function firstOf(all: readonly Diagnostic[], severity: Diagnostic['severity']): readonly Diagnostic[] {
  if (all.length <= SHOWN + 1) return all;
  const message = `${all.length - SHOWN} more findings say what could not be read in the trees`;
  const hint = 'luet-ts tree validate shows them all';
  return [...all.slice(0, SHOWN), { code: 'more-unread', severity, message, hint }];
}

function withNote(one: Diagnostic, severity: Diagnostic['severity'], message: string): Diagnostic {
  return { ...one, severity, notes: [...(one.notes ?? []), { message }] };
}

/** The names that a definition seems to give, whatever is wrong with it as YAML. */
function namesIn(text: string): string[] {
  const found = text.matchAll(/(?:^|[\s{,-])["']?name["']?[ \t]*:[ \t]*["']?([^\s"',}#]+)/g);
  return Array.from(found, ([, name = '']) => name);
}
