import { createHash } from 'node:crypto';
import { createReadStream, lstatSync, readlinkSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { type BytePath, type Entry, type SourceEntry, toBytes } from '../tar/index.ts';
import type { Retrieved } from './retrieve.ts';

/** The files that make a package are no part of its context. */
const own = new Set(['definition.yaml', 'collection.yaml', 'build.yaml', 'finalize.yaml']);

/** One file, folder or link beside a `build.yaml`. */
export interface ContextFile {
  /** Relative to the context. */
  readonly path: BytePath;
  readonly type: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly size: number;
  readonly link?: BytePath;
  /** Absolute, one byte a unit. */
  readonly real: BytePath;
}

/** A package's build context. */
export interface Context {
  /** Sorted by bytes. */
  readonly files: readonly ContextFile[];
  /** Hash of paths, modes, contents and link targets. */
  readonly hash: string;
}

/** SHA-256 of a file, in hexadecimal. */
export const digests = async (real: BytePath): Promise<string> => {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(toBytes(real))) hash.update(chunk as Buffer);
  return hash.digest('hex');
};

/** Reads what lies in a package's folder. Throws an `Error` that names what is neither file, folder nor link. */
export async function readContext(folder: string): Promise<Context> {
  const files: ContextFile[] = [];
  const walk = async (path: BytePath, real: BytePath): Promise<void> => {
    for (const name of await readdir(toBytes(real), 'latin1')) {
      if (path === '' && own.has(name)) continue;
      const at = path === '' ? name : `${path}/${name}`;
      const file = contextFile(at, `${real}/${name}`);
      files.push(file);
      if (file.type === 'directory') await walk(at, `${real}/${name}`);
    }
  };
  await walk('', Buffer.from(folder).toString('latin1'));
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256');
  for (const { path, type, mode, link, real } of files) {
    const content = type === 'file' ? await digests(real) : (link ?? '');
    hash.update(`${JSON.stringify([path, type, type === 'symlink' ? 0 : mode, content])}\n`);
  }
  return { files, hash: hash.digest('hex') };
}

function contextFile(path: BytePath, real: BytePath): ContextFile {
  const stat = lstatSync(toBytes(real));
  const mode = stat.mode & 0o7777;
  if (stat.isFile()) return { path, type: 'file', mode, size: stat.size, real };
  if (stat.isDirectory()) return { path, type: 'directory', mode, size: 0, real };
  if (stat.isSymbolicLink())
    return { path, type: 'symlink', mode, size: 0, link: readlinkSync(toBytes(real), 'latin1'), real };
  throw new Error(
    `${Buffer.from(real, 'latin1').toString()} is no file, folder or symbolic link, and cannot be in a build context`,
  );
}

const CONTEXT_FOLDER = 'luetbuild';

/** The folder that commands run in, and in which the context lies. */
export const BUILD_FOLDER = `/${CONTEXT_FOLDER}`;

/** A context's files as entries below a folder (the root where it is empty): owned by root, all of one time. */
export async function* plainEntries(
  files: Context['files'],
  folder = '',
  time = 0,
): AsyncGenerator<SourceEntry, void, undefined> {
  for (const { path, type, mode, size, link, real } of files) {
    const at = folder === '' ? path : `${folder}/${path}`;
    const entry: Entry = {
      path: at,
      type,
      mode,
      uid: 0,
      gid: 0,
      size,
      mtime: time,
      ...(link === undefined ? {} : { link }),
    };
    yield type === 'file' ? { entry, content: () => createReadStream(toBytes(real)) } : { entry };
  }
}

/** The build folder with its context, as entries to upload: owned by root, all of one time (seconds since 1970). */
export async function* contextEntries(
  context: Context,
  retrieved: readonly Retrieved[],
  time: number,
): AsyncGenerator<SourceEntry, void, undefined> {
  const base = { uid: 0, gid: 0, mtime: time };
  yield { entry: { ...base, path: CONTEXT_FOLDER, type: 'directory', mode: 0o755, size: 0 } };
  yield* plainEntries(context.files, CONTEXT_FOLDER, time);
  const folders = new Set<BytePath>();
  for (const { path } of retrieved)
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
      folders.add(path.slice(0, at));
  for (const { path, type } of context.files) if (type === 'directory') folders.delete(path);
  for (const path of [...folders].sort())
    yield { entry: { ...base, path: `${CONTEXT_FOLDER}/${path}`, type: 'directory', mode: 0o755, size: 0 } };
  for (const { path, size, real } of retrieved) {
    const entry: Entry = { ...base, path: `${CONTEXT_FOLDER}/${path}`, type: 'file', mode: 0o644, size };
    yield { entry, content: () => createReadStream(toBytes(real)) };
  }
}
