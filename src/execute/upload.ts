import { createReadStream } from 'node:fs';
import { layEntries, type OpenEntries } from '../artifact/index.ts';
import {
  type BuildContext,
  isDamage,
  openRetrieved,
  type Packing,
  type Retrieved,
  RetrieveError,
  realPath,
} from '../resolve/index.ts';
import { type BytePath, type Entry, type EntrySource, type SourceEntry, toBytes } from '../tar/index.ts';

const CONTEXT_FOLDER = 'luetbuild';

/** The folder with the context, in which commands run. */
export const BUILD_FOLDER = `/${CONTEXT_FOLDER}`;

/**
 * The files of a context as entries below a folder of an image (`''` for its root): owned by root, all with
 * the same time (seconds since 1970). `from` is the context's folder on disk.
 */
export async function* plainEntries(
  from: string,
  files: BuildContext['files'],
  folder = '',
  time = 0,
): AsyncGenerator<SourceEntry, void, undefined> {
  for (const file of files) {
    const { path, type, mode, size, content } = file;
    const entry: Entry = {
      path: folder === '' ? path : `${folder}/${path}`,
      type,
      mode,
      uid: 0,
      gid: 0,
      size,
      mtime: time,
      ...(type === 'symlink' ? { link: content } : {}),
    };
    yield type === 'file'
      ? { entry, content: () => createReadStream(toBytes(realPath(from, file))) }
      : { entry };
  }
}

/**
 * The build folder with its context and the retrieved files, as entries to upload. They are owned by root and
 * have the same time, except for the content of archives. Rejects with a `RetrieveError` if an archive cannot
 * be unpacked.
 */
export async function contextEntries(
  from: string,
  context: Pick<BuildContext, 'files'>,
  retrieved: readonly Retrieved[],
  time: number,
): Promise<EntrySource> {
  const archives = retrieved.flatMap(({ path, real, packing }) =>
    packing === undefined ? [] : [{ path, open: () => unpacked(path, real, packing) }],
  );
  if (archives.length === 0) return plainFiles(from, context, retrieved, time);
  let bad = 0;
  const streams: OpenEntries[] = [
    () => plainFiles(from, context, retrieved, time),
    ...archives.map(({ open }) => open),
  ];
  try {
    return await layEntries(streams, (stream) => (bad = stream));
  } catch (error) {
    const archive = archives[bad - 1];
    throw archive !== undefined && isDamage(error) ? new RetrieveError(archive.path, error as Error) : error;
  }
}

/** The content of an archive, with paths beside the archive. */
async function* unpacked(
  archive: BytePath,
  real: BytePath,
  packing: Packing,
): AsyncGenerator<SourceEntry, void, undefined> {
  const folder = `${CONTEXT_FOLDER}/${archive}`.replace(/[^/]*$/, '');
  for await (const { entry, content } of openRetrieved(real, packing)) {
    // The folder itself is not changed.
    if (entry.path === '') continue;
    const path = folder + entry.path;
    const link = entry.type === 'hardlink' ? { link: folder + (entry.link ?? '') } : {};
    yield { entry: { ...entry, path, ...link }, content };
  }
}

async function* plainFiles(
  from: string,
  { files }: Pick<BuildContext, 'files'>,
  retrieved: readonly Retrieved[],
  time: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  const base = { uid: 0, gid: 0, mtime: time };
  yield { entry: { ...base, path: CONTEXT_FOLDER, type: 'directory', mode: 0o755, size: 0 } };
  yield* plainEntries(from, files, CONTEXT_FOLDER, time);
  for (const path of foldersOf(retrieved, files))
    yield { entry: { ...base, path: `${CONTEXT_FOLDER}/${path}`, type: 'directory', mode: 0o755, size: 0 } };
  for (const { path, size, real } of retrieved) {
    const entry: Entry = { ...base, path: `${CONTEXT_FOLDER}/${path}`, type: 'file', mode: 0o644, size };
    yield { entry, content: () => createReadStream(toBytes(real)) };
  }
}

/** The folders of retrieved files that are not in the context, parents first. */
function foldersOf(retrieved: readonly Retrieved[], files: BuildContext['files']): BytePath[] {
  const folders = new Set<BytePath>();
  for (const { path } of retrieved)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      folders.add(path.slice(0, at));
  for (const { path, type } of files) if (type === 'directory') folders.delete(path);
  return [...folders].sort();
}
