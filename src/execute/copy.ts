import { partsOf, resolvePath } from '../delta/index.ts';
import type { Reader, Workspace } from '../engine/index.ts';
import { compileGlob, isGlob } from '../spec/index.ts';
import { type BytePath, type FileEntry, fromText, type SourceEntry, toText } from '../tar/index.ts';
import { BUILD_FOLDER } from './upload.ts';

/** Thrown if the source of `copy` does not exist. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
}

/** A source of `copy`: the file, and its name in a destination folder. */
interface NamedSource {
  readonly file: FileEntry;
  readonly name: BytePath;
}

const lastPart = (path: BytePath): BytePath => path.slice(path.lastIndexOf('/') + 1);
const join = (folder: BytePath, name: BytePath): BytePath => (folder === '' ? name : `${folder}/${name}`);
const byPath = (a: { path: BytePath }, b: { path: BytePath }): number => (a.path < b.path ? -1 : 1);

/** Images have no entry for the root. */
const root: FileEntry = { path: '', type: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 };

/** The file at a path, with links resolved inside the image. */
async function follow(from: Reader, path: BytePath): Promise<NamedSource | undefined> {
  const at = await resolvePath(from, path);
  if (at === '') return { file: root, name: '' };
  const [file] = await from.stat([at]);
  return file === undefined ? undefined : { file, name: lastPart(path) };
}

/** The files that a path or glob matches. */
async function sourcesOf(from: Reader, source: string): Promise<NamedSource[]> {
  const parts = partsOf(source);
  const wild = parts.findIndex(isGlob);
  if (wild < 0) {
    const exact = await follow(from, fromText(parts.join('/')));
    return exact === undefined ? [] : [exact];
  }
  const folder = await resolvePath(from, fromText(parts.slice(0, wild).join('/')));
  const glob = compileGlob(parts.slice(wild).join('/'));
  if ('error' in glob) throw new CopyError(`invalid glob ${source}: ${glob.error}`);
  const start = folder === '' ? 0 : folder.length + 1;
  const found: NamedSource[] = [];
  for (const file of await from.list(folder))
    if (glob.matches(toText(file.path.slice(start))))
      found.push((await follow(from, file.path)) ?? { file, name: lastPart(file.path) });
  return found;
}

/**
 * Copies files from an image into a workspace like `COPY` in a Dockerfile: the content of a folder, or files
 * into a folder or to a new name; owned by root. Relative destinations are relative to the build folder.
 */
export async function copyInto(
  workspace: Workspace,
  from: Reader,
  source: string,
  destination: string,
): Promise<void> {
  const sources = await sourcesOf(from, source);
  if (sources.length === 0) throw new CopyError(`${source} not found`);
  const target = await resolvePath(workspace, fromText(partsOf(destination, BUILD_FOLDER).join('/')));
  const [present] = target === '' ? [root] : await workspace.stat([target]);
  const into = destination.endsWith('/') || sources.length > 1 || present?.type === 'directory';
  const files = new Map<BytePath, FileEntry>();
  for (const { file, name } of sources) {
    if (file.type !== 'directory') {
      files.set(into ? join(target, name) : target, file);
      continue;
    }
    if (target !== '') files.set(target, { ...file, mode: 0o755 });
    const prefix = file.path === '' ? 0 : file.path.length + 1;
    for (const inner of await from.list(file.path))
      if (inner.path !== file.path) files.set(join(target, inner.path.slice(prefix)), inner);
  }
  const all = [...files].map(([path, file]) => ({ path, file })).sort(byPath);
  await workspace.upload(uploads(from, await placed(workspace, all)));
}

interface Placed {
  readonly path: BytePath;
  readonly file: FileEntry;
}

/**
 * The files with their final paths. Existing folders are kept, links to folders are followed, and missing
 * parent folders are created.
 */
async function placed(workspace: Workspace, files: readonly Placed[]): Promise<Placed[]> {
  const folders = new Map<BytePath, FileEntry>();
  for (const { path, file } of files) {
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      const folder = path.slice(0, at);
      if (!folders.has(folder)) folders.set(folder, { ...root, path: folder });
    }
    if (file.type === 'directory') folders.set(path, file);
  }
  /** The final path of each folder, and whether it is created here. */
  const places = new Map<BytePath, { at: BytePath; fresh: boolean }>([['', { at: '', fresh: false }]]);
  const parentOf = (path: BytePath): { at: BytePath; fresh: boolean } =>
    places.get(path.slice(0, Math.max(0, path.lastIndexOf('/')))) ?? { at: '', fresh: false };
  const result: Placed[] = [];
  for (const [path, file] of [...folders].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const parent = parentOf(path);
    const at = join(parent.at, lastPart(path));
    const led = parent.fresh ? at : await resolvePath(workspace, at);
    const [present] = parent.fresh || led === '' ? [] : await workspace.stat([led]);
    const isThere = led === '' || present?.type === 'directory';
    places.set(path, { at: isThere ? led : at, fresh: !isThere });
    if (!isThere) result.push({ path: at, file });
  }
  for (const { path, file } of files)
    if (file.type !== 'directory') result.push({ path: join(parentOf(path).at, lastPart(path)), file });
  return result.sort(byPath);
}

/** The entries to upload. */
async function* uploads(
  from: Reader,
  files: readonly Placed[],
): AsyncGenerator<SourceEntry, void, undefined> {
  const owner = { uid: 0, gid: 0 };
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
    if (value === undefined) throw new Error(`internal error: no content for ${toText(path)}`);
    yield {
      entry: { ...entry, ...(value.xattrs.size === 0 ? {} : { xattrs: value.xattrs }) },
      content: value.content,
    };
  }
}
