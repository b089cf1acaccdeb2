import { type BytePath, type FileEntry, type FileTree, toText } from '../tar/index.ts';
import { createFilter, type Expressions, type Filter } from './filter.ts';
import { resolvePath } from './paths.ts';
import { type PathReason, reasonsOf } from './reason.ts';
import { type Selection, select } from './select.ts';

/** Which part of an image becomes a package. */
export interface CutSpec {
  readonly kind: /** What steps added. */
    | 'delta'
    /** The whole root file system. */
    | 'unpack'
    /** The content of one folder. */
    | 'directory'
    /** Nothing. */
    | 'empty';
  /** The folder that becomes the package's root, for `directory`. Relative, without a trailing `/`. */
  readonly folder: BytePath;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** The filters of a subpackage, applied to the files that the other filters kept. */
  readonly within?: Expressions;
}

/** The selected files of a package, with the reason for each path. */
export interface Cut {
  /** Sorted by their paths in the package. */
  readonly files: readonly CutFile[];
  /** Expressions that matched no path. */
  readonly unmatched: readonly string[];
  /** For each candidate, by its path in the package, why it is in the package or not. */
  readonly reasons: ReadonlyMap<BytePath, PathReason>;
}

/** One path of a package, and the file of the image that it comes from. */
export interface CutFile {
  /** The path in the package. */
  readonly path: BytePath;
  readonly file: FileEntry;
}

/** Thrown if an image does not contain what a spec selects. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

/**
 * Selects the files of a package. `added` are the files that steps added, for `delta`. Rejects with a
 * `CutError` if the package's root folder does not exist, and with a `LinkError` if the links in its path
 * form a loop.
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
 * Those of some paths that would be in a package if steps added them: its own filters and those of a
 * subpackage keep them. Empty if the package does not depend on what steps add.
 */
export function keptBy(spec: CutSpec, paths: readonly BytePath[]): readonly BytePath[] {
  if (spec.kind !== 'delta') return [];
  const filters = [createFilter(spec), ...(spec.within === undefined ? [] : [createFilter(spec.within)])];
  return paths.filter((path) => filters.every((filter) => mayKeep(filter, path)));
}

/**
 * Whether a filter may keep a path of unknown type: it could be a folder, which an expression such as
 * `^/doc/` also matches.
 */
function mayKeep(filter: Filter, path: BytePath): boolean {
  const verdicts = [filter.judge(path), filter.judge(`${path}/`)];
  const isExcluded = verdicts.some(({ keeps, by }) => !keeps && by !== undefined);
  return !isExcluded && verdicts.some(({ keeps }) => keeps);
}

/** The filters of a subpackage apply to the paths that the package's own filters kept. */
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
