import { closeSync, constants, openSync, readlinkSync, readSync, type Stats } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { fileError } from '../../disk/index.ts';
import {
  attributeNames,
  type BytePath,
  type Content,
  type Entry,
  type EntrySource,
  fromText,
  getAttribute,
  readContent,
  shownPath,
  writeTar,
} from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { isWhiteoutDevice, names, native, tryLstat } from './disk.ts';
import { join } from './folders.ts';
import { folderMark, isKeptAttribute, isWhiteoutFile, OPAQUE, WHITEOUT } from './whiteout.ts';

/** Options of `packFolder`. */
export interface PackOptions {
  /**
   * `overlay`: the folder is a layer of an overlay mount; its whiteouts and opaque folders are converted to
   * those of archives. Default: `plain`.
   */
  readonly form?: 'plain' | 'overlay';
  /** Owner of all entries, for folders of a process that can use one id only. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /**
   * An unused path on the folder's file system (see `AttributeTarget`). Needed for attributes of files whose
   * names are not UTF-8.
   */
  readonly scratch?: string;
  readonly signal?: AbortSignal;
}

/**
 * Packs the content of a folder as a layer (uncompressed tar archive): sorted by bytes, times in whole
 * seconds, hard links as links to the first name, only extended attributes that images keep, without sockets.
 * Equal folders give equal bytes. The folder itself is not included. Nobody may write to the folder at the
 * same time.
 *
 * Throws an ImageError for content that a layer cannot represent: names that start with `.wh.`, and parts of
 * an overlay that are in other layers. Throws a `FileError` if something cannot be read.
 */
export function packFolder(folder: string, options: PackOptions = {}): AsyncIterable<Uint8Array> {
  return readable(folder, writeTar(entriesOf(fromText(folder), options)));
}

/** Converts read errors to errors that name the file. */
async function* readable(
  folder: string,
  content: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* content;
  } catch (error) {
    throw fileError(error, (error as NodeJS.ErrnoException).path ?? folder, 'read');
  }
}

/** One path of the folder. */
interface Item {
  readonly path: BytePath;
  readonly real: BytePath;
  /** Undefined for whiteouts. */
  readonly stat?: Stats;
}

const breath = 15;

async function* entriesOf(root: BytePath, options: PackOptions): EntrySource {
  const items = await list(root, options);
  const first = new Map<string, BytePath>();
  let sinceBreath = performance.now();
  for (const item of items) {
    if (performance.now() - sinceBreath > breath) {
      await setImmediate();
      options.signal?.throwIfAborted();
      sinceBreath = performance.now();
    }
    const { path, real, stat } = item;
    if (stat === undefined) {
      yield { entry: { path, type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 0 } };
      continue;
    }
    const inode = stat.nlink > 1 && !stat.isDirectory() ? `${stat.dev}:${stat.ino}` : undefined;
    const link = inode === undefined ? undefined : first.get(inode);
    if (inode !== undefined && link === undefined) first.set(inode, path);
    const entry = entryOf(item as Required<Item>, link, options);
    if (entry === undefined) continue;
    yield entry.type === 'file' && entry.size > 0
      ? { entry, content: contentOf(real, entry.size) }
      : { entry };
  }
}

/** All paths below the root, sorted by bytes. */
async function list(root: BytePath, options: PackOptions): Promise<Item[]> {
  const isOverlay = options.form === 'overlay';
  const items: Item[] = [];
  const hide = (folder: BytePath, name: BytePath): void => {
    items.push({ path: join(folder, name), real: '' });
  };
  const open: { path: BytePath; real: BytePath }[] = [{ path: '', real: root }];
  let sinceBreath = performance.now();
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    const mark = isOverlay ? folderMark(folder.real) : undefined;
    if (mark === 'y' && folder.path !== '') hide(folder.path, OPAQUE);
    for (const name of names(folder.real)) {
      const path = join(folder.path, name);
      const real = `${folder.real}/${name}`;
      const stat = tryLstat(real);
      if (stat === undefined || stat.isSocket()) continue;
      if (name.startsWith(WHITEOUT))
        throw new ImageError(
          `${shownPath(path)} cannot be in a layer: names that start with ${WHITEOUT} mark removed files`,
        );
      if (isOverlay && isWhiteout(real, stat, mark, options)) {
        hide(folder.path, WHITEOUT + name);
        continue;
      }
      items.push({ path, real, stat });
      if (stat.isDirectory()) open.push({ path, real });
    }
    if (performance.now() - sinceBreath < breath) continue;
    await setImmediate();
    options.signal?.throwIfAborted();
    sinceBreath = performance.now();
  }
  return items.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function isWhiteout(
  real: BytePath,
  stat: Stats,
  mark: 'y' | 'x' | undefined,
  { scratch }: PackOptions,
): boolean {
  return (
    isWhiteoutDevice(stat) ||
    (mark === 'x' && stat.isFile() && stat.size === 0 && isWhiteoutFile(real, scratch))
  );
}

function entryOf(item: Required<Item>, link: BytePath | undefined, options: PackOptions): Entry | undefined {
  const { path, real, stat } = item;
  const type = link === undefined ? typeOf(stat) : 'hardlink';
  if (type === undefined) return undefined;
  const xattrs = type === 'file' || type === 'directory' ? attributesOf(item, options) : undefined;
  return {
    path,
    type,
    mode: stat.mode & 0o7777,
    uid: options.owner?.uid ?? stat.uid,
    gid: options.owner?.gid ?? stat.gid,
    size: type === 'file' ? stat.size : 0,
    mtime: Math.floor(stat.mtimeMs / 1000),
    ...(link === undefined ? {} : { link }),
    ...(type === 'symlink' ? { link: readlinkSync(native(real), 'latin1') } : {}),
    ...(type === 'character' || type === 'block' ? { device: deviceNumbers(stat.rdev) } : {}),
    ...(xattrs === undefined ? {} : { xattrs }),
  };
}

function typeOf(stat: Stats): Entry['type'] | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isCharacterDevice()) return 'character';
  return stat.isBlockDevice() ? 'block' : undefined;
}

/** Splits `st_rdev` as Linux packs it (`makedev(3)`). Minor numbers above 20 bits do not occur. */
const deviceNumbers = (rdev: number): { major: number; minor: number } => ({
  major: Math.floor(rdev / 2 ** 8) % 2 ** 12,
  minor: (rdev % 2 ** 8) + Math.floor(rdev / 2 ** 20) * 2 ** 8,
});

function attributesOf(
  { path, real, stat }: Required<Item>,
  { scratch }: PackOptions,
): Map<string, Buffer> | undefined {
  const place = { path: real, isFolder: stat.isDirectory(), ...(scratch === undefined ? {} : { scratch }) };
  let kept: Map<string, Buffer> | undefined;
  for (const name of [...attributeNames(place)].sort()) {
    if (/^(?:trusted|user)\.overlay\.(?:redirect|metacopy)$/.test(name))
      throw new ImageError(`the content of ${shownPath(path)} is in another layer (${name})`);
    const value = isKeptAttribute(name) ? getAttribute(place, name) : undefined;
    if (value !== undefined) kept = (kept ?? new Map<string, Buffer>()).set(name, value);
  }
  return kept;
}

/** Files up to this size in bytes are read at once, which is faster than a stream. */
const SMALL = 256 * 1024;

const contentOf = (real: BytePath, size: number): Content =>
  size > SMALL ? () => readContent(real) : () => readSmall(real, size);

async function* readSmall(real: BytePath, size: number): AsyncGenerator<Uint8Array, void, undefined> {
  const fd = openSync(native(real), constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const bytes = Buffer.allocUnsafe(size);
    let filled = 0;
    for (let count = -1; filled < size && count !== 0; filled += count)
      count = readSync(fd, bytes, filled, size - filled, null);
    yield bytes.subarray(0, filled);
  } finally {
    closeSync(fd);
  }
}
