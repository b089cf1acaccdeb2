import { type Expressions, select } from '../delta/index.ts';
import type { FileEntry, Reader } from '../engine/index.ts';
import { type BytePath, type Entry, type SourceEntry, toText, writeTar } from '../tar/index.ts';
import { resolvePath } from './paths.ts';

/** Which part of an image becomes a package. */
export interface CutSpec {
  readonly kind: 'delta' | 'unpack' | 'directory' | 'empty';
  /** The folder that is the package's root, for `directory`; relative, without a trailing `/`. */
  readonly folder: BytePath;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  /** Expressions over what the others have kept, for a subpackage. */
  readonly within?: Expressions;
}

/** A package's files, chosen and ready to be streamed. */
export interface Cut {
  /** Sorted by their paths inside the package. */
  readonly files: readonly { readonly path: BytePath; readonly file: FileEntry }[];
  /** Expressions that were found in no path. */
  readonly unmatched: readonly string[];
}

/** Thrown where an image does not hold what a spec wants to be packaged. */
export class CutError extends Error {
  override readonly name = 'CutError';
}

/** Chooses a package's files. `added` are the files that steps added, for `delta`. */
export async function cut(
  from: Pick<Reader, 'list' | 'stat'>,
  spec: CutSpec,
  added: readonly FileEntry[],
): Promise<Cut> {
  if (spec.kind === 'empty') return { files: [], unmatched: [] };
  const root = spec.kind === 'directory' ? await resolvePath(from, spec.folder) : '';
  const candidates = spec.kind === 'delta' ? added : await from.list(root);
  const own = candidates.find(({ path }) => path === root);
  if (root !== '' && own?.type !== 'directory') {
    throw new CutError(
      own === undefined
        ? `there is no /${toText(spec.folder)} in the image that steps left`
        : `/${toText(spec.folder)} is no folder`,
    );
  }
  const inside = (path: BytePath): BytePath => (root === '' ? path : path.slice(root.length + 1));
  const known = new Map(
    candidates.filter(({ path }) => path !== root).map((file) => [inside(file.path), file]),
  );
  const whole = select(known.keys(), spec);
  const selection =
    spec.within === undefined
      ? whole
      : select(
          whole.paths.filter((path) => !whole.folders.has(path)),
          spec.within,
        );
  const missing = selection.paths.filter((path) => !known.has(path));
  for (const file of await from.stat(missing.map((path) => (root === '' ? path : `${root}/${path}`))))
    known.set(inside(file.path), file);
  const files = selection.paths.flatMap((path) => {
    const file = known.get(path);
    return file === undefined ? [] : [{ path, file }];
  });
  return { files, unmatched: selection.unmatched };
}

/** An image's whole root file system, as a tar archive. */
export async function* rootOf(from: Reader): AsyncGenerator<Uint8Array, void, undefined> {
  const files = (await from.list(''))
    .filter(({ path }) => path !== '')
    .map((file) => ({ path: file.path, file }));
  yield* writeTar(entriesOf(from, files, Number.POSITIVE_INFINITY));
}

/** The entries of a package with their content; times later than `latest` (seconds since 1970) become it. */
export async function* entriesOf(
  from: Pick<Reader, 'read'>,
  files: Cut['files'],
  latest: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  const first = new Map<string, BytePath>();
  for (const { path, file } of files)
    if (file.inode !== undefined && !first.has(file.inode)) first.set(file.inode, path);
  const linkOf = (path: BytePath, file: FileEntry): BytePath | undefined => {
    const target = file.inode === undefined ? undefined : first.get(file.inode);
    return target === path ? undefined : target;
  };
  const readable = files.filter(({ path, file }) => file.type === 'file' && linkOf(path, file) === undefined);
  const contents = from.read(readable.map(({ file }) => file))[Symbol.asyncIterator]();
  try {
    for (const { path, file } of files) {
      const { type, mode, uid, gid, size, mtime, device } = file;
      const base = { path, mode, uid, gid, mtime: Math.min(mtime, latest) };
      const link = linkOf(path, file);
      if (link !== undefined) {
        yield { entry: { ...base, type: 'hardlink', size: 0, link } };
      } else if (type === 'file') {
        const { value } = await contents.next();
        if (value === undefined) throw new Error(`the content of ${path} did not come`);
        const { xattrs, content } = value;
        yield { entry: { ...base, type, size, ...(xattrs.size === 0 ? {} : { xattrs }) }, content };
      } else {
        const entry: Entry = {
          ...base,
          type,
          size: 0,
          ...(file.link === undefined ? {} : { link: file.link }),
          ...(device === undefined ? {} : { device }),
        };
        yield { entry };
      }
    }
  } finally {
    await contents.return?.();
  }
}
