import {
  type BytePath,
  type Entry,
  type FileEntry,
  type FileTree,
  type SourceEntry,
  toText,
} from '../tar/index.ts';
import type { CutFile } from './cut.ts';

/**
 * The entries of a package with their content. Times later than `latest` (seconds since 1970) are replaced by
 * it.
 */
export async function* entriesOf(
  from: Pick<FileTree, 'read'>,
  files: readonly CutFile[],
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
        if (value === undefined) throw new Error(`the content of ${toText(path)} is missing`);
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

/** The entries of a whole file tree, with their original times. */
export async function* wholeTree(from: FileTree): AsyncGenerator<SourceEntry, void, undefined> {
  const files = (await from.list(''))
    .filter(({ path }) => path !== '')
    .map((file) => ({ path: file.path, file }));
  yield* entriesOf(from, files, Number.POSITIVE_INFINITY);
}
