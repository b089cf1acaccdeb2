import { type BytePath, type FileEntry, type FileTree, toText } from '../tar/index.ts';
import { createFilter, type Expressions, type Filter } from './filter.ts';
import { resolvePath } from './paths.ts';
import { type PathReason, reasonsOf } from './reason.ts';
import { type Selection, select } from './select.ts';

/** Which part of an image becomes a package. */
export interface CutSpec {
  readonly kind: /** What steps added. */
    | 'delta'
    /** The whole root. */
    | 'unpack'
    /** What lies below one folder. */
    | 'directory'
    /** Nothing. */
    | 'empty';
  /** The folder that is the package's root, for `directory`; relative, without a trailing `/`. */
  readonly folder: BytePath;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** Expressions over what the others have kept, for a subpackage. */
  readonly within?: Expressions;
}

/** A package's files, chosen and ready to be written, with the reason for each path. */
export interface Cut {
  /** Sorted by their paths inside the package. */
  readonly files: readonly CutFile[];
  /** Expressions that were found in no path. */
  readonly unmatched: readonly string[];
  /** Why each candidate is in the package or not, by its path inside the package. */
  readonly reasons: ReadonlyMap<BytePath, PathReason>;
}

/** One path of a package, and the file of the image that it comes from. */
export interface CutFile {
  /** Inside the package. */
  readonly path: BytePath;
  readonly file: FileEntry;
}

/** Thrown where an image does not hold what a spec wants to be packaged. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

/**
 * Chooses a package's files. `added` are the files that steps added, for `delta`. Rejects with a `CutError` where the
 * folder that is to be the package's root is not there, and with a `LinkError` where links on the way to it form a circle.
 */
export async function cut(
  from: Pick<FileTree, 'list' | 'stat'>,
  spec: CutSpec,
  added: readonly FileEntry[],
): Promise<Cut> {
  if (spec.kind === 'empty') return { files: [], unmatched: [], reasons: new Map() };
  const root = spec.kind === 'directory' ? await resolvePath(from, spec.folder) : '';
  const candidates = spec.kind === 'delta' ? added : await from.list(root);
  checkRoot(spec, root, candidates);
  const inside = (path: BytePath): BytePath => (root === '' ? path : path.slice(root.length + 1));
  const known = new Map(
    candidates.filter(({ path }) => path !== root).map((file) => [inside(file.path), file]),
  );
  const whole = select(known.keys(), spec);
  const part = spec.within === undefined ? undefined : selectWithin(whole, spec.within);
  const { paths, unmatched } = part ?? whole;
  const missing = paths.filter((path) => !known.has(path));
  for (const file of await from.stat(missing.map((path) => (root === '' ? path : `${root}/${path}`))))
    known.set(inside(file.path), file);
  const files = paths.flatMap((path) => {
    const file = known.get(path);
    return file === undefined ? [] : [{ path, file }];
  });
  return { files, unmatched, reasons: reasonsOf(whole, part) };
}

/**
 * Those of some paths that a package holds where steps add them: its own expressions keep them, and a subpackage's do. None
 * where the package does not depend on what steps added.
 */
export function keptBy(spec: CutSpec, paths: readonly BytePath[]): readonly BytePath[] {
  if (spec.kind !== 'delta') return [];
  const filters = [createFilter(spec), ...(spec.within === undefined ? [] : [createFilter(spec.within)])];
  return paths.filter((path) => filters.every((filter) => mayKeep(filter, path)));
}

/** Whether a filter keeps a path that may be a folder's, of which nothing else is known: `^/doc/` means `/doc`, too. */
function mayKeep(filter: Filter, path: BytePath): boolean {
  const verdicts = [filter.judge(path), filter.judge(`${path}/`)];
  const isExcluded = verdicts.some(({ keeps, by }) => !keeps && by !== undefined);
  return !isExcluded && verdicts.some(({ keeps }) => keeps);
}

/** A subpackage chooses among what the package's own expressions kept. */
const selectWithin = (whole: Selection, within: Expressions): Selection =>
  select(
    whole.paths.filter((path) => !whole.folders.has(path)),
    within,
  );

function checkRoot(spec: CutSpec, root: BytePath, candidates: readonly FileEntry[]): void {
  if (root === '') return;
  const own = candidates.find(({ path }) => path === root);
  if (own === undefined) throw new CutError(`/${toText(spec.folder)} not found in the image that steps left`);
  if (own.type !== 'directory') throw new CutError(`/${toText(spec.folder)} is not a folder`);
}
