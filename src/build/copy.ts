import micromatch from 'micromatch';
import type { FileEntry, Reader, Workspace } from '../engine/index.ts';
import { type BytePath, fromText, type SourceEntry, toText } from '../tar/index.ts';
import { BUILD_FOLDER } from './context.ts';

/** Thrown where what is to be copied is not there. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}

/** A path inside an image as its parts, without `.`, `..` and empty ones. */
function partsOf(path: string, folder: string): string[] {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/** What lies at a path, links followed as inside the image. */
async function follow(from: Reader, path: BytePath): Promise<FileEntry | undefined> {
  let at = path;
  for (let hops = 0; hops < 40; hops++) {
    const [found] = await from.stat([at]);
    if (found?.type !== 'symlink') return found;
    at = partsOf(found.link ?? '', `/${at.split('/').slice(0, -1).join('/')}`).join('/');
  }
  throw new CopyError(`${toText(path)} leads through too many symbolic links`);
}

/** The sources that a path or glob names. */
async function sourcesOf(from: Reader, source: string): Promise<FileEntry[]> {
  const path = fromText(partsOf(source, '/').join('/'));
  if (path === '') return [{ path: '', type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 }];
  const exact = await follow(from, path);
  if (exact !== undefined) return [exact];
  const parts = path.split('/');
  const wild = parts.findIndex((part) => /[*?[]/.test(part));
  if (wild < 0) return [];
  const below = await from.list(parts.slice(0, wild).join('/'));
  return below.filter((file) => micromatch.isMatch(toText(file.path), toText(path), { dot: true }));
}

/**
 * Copies files from an image into a workspace as a Dockerfile's `COPY` does: a folder's content, or files into a folder
 * or under a new name; owned by root. Relative destinations begin in the build folder.
 */
export async function copyInto(
  workspace: Workspace,
  from: Reader,
  source: string,
  destination: string,
): Promise<void> {
  const sources = await sourcesOf(from, source);
  if (sources.length === 0) throw new CopyError(`there is no ${source} to copy`);
  const target = fromText(partsOf(destination, BUILD_FOLDER).join('/'));
  const [present] = target === '' ? [] : await workspace.stat([target]);
  const into =
    destination.endsWith('/') || sources.length > 1 || target === '' || present?.type === 'directory';
  const join = (folder: BytePath, name: BytePath): BytePath => (folder === '' ? name : `${folder}/${name}`);
  const files: { path: BytePath; file: FileEntry }[] = [];
  for (const file of sources) {
    const name = file.path.slice(file.path.lastIndexOf('/') + 1);
    if (file.type !== 'directory') {
      files.push({ path: into ? join(target, name) : target, file });
      continue;
    }
    for (const inner of await from.list(file.path)) {
      if (inner.path !== file.path)
        files.push({
          path: join(target, inner.path.slice(file.path === '' ? 0 : file.path.length + 1)),
          file: inner,
        });
    }
    if (target !== '' && present === undefined) files.push({ path: target, file: { ...file, mode: 0o755 } });
  }
  files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  await workspace.upload(uploads(workspace, from, files));
}

/** The entries to upload, with the folders on the way that are not there yet. */
async function* uploads(
  workspace: Workspace,
  from: Reader,
  files: readonly { path: BytePath; file: FileEntry }[],
): AsyncGenerator<SourceEntry, void, undefined> {
  const folders = new Set<BytePath>();
  for (const { path } of files)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      folders.add(path.slice(0, at));
  for (const { path } of files) folders.delete(path);
  const wanted = [...folders].sort();
  const there = new Set((await workspace.stat(wanted)).map(({ path }) => path));
  const owner = { uid: 0, gid: 0 };
  for (const path of wanted)
    if (!there.has(path))
      yield { entry: { ...owner, path, type: 'directory', mode: 0o755, size: 0, mtime: 0 } };
  const contents = from
    .read(files.filter(({ file }) => file.type === 'file').map(({ file }) => file))
    [Symbol.asyncIterator]();
  for (const { path, file } of files) {
    const { type, mode, mtime, size, link, device } = file;
    const entry = {
      ...owner,
      path,
      type,
      mode,
      mtime,
      size,
      ...(link === undefined ? {} : { link }),
      ...(device === undefined ? {} : { device }),
    };
    if (type !== 'file') {
      yield { entry };
      continue;
    }
    const { value } = await contents.next();
    if (value === undefined) throw new Error(`the content of ${toText(path)} did not come`);
    yield {
      entry: { ...entry, ...(value.xattrs.size === 0 ? {} : { xattrs: value.xattrs }) },
      content: value.content,
    };
  }
}
