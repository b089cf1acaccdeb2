import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { type BytePath, getAttribute, toBytes } from '../../tar/index.ts';
import type { FileEntry } from '../types.ts';
import { PathTooLong } from './long-path.ts';

/*
 * Files on disk by byte paths. A `real` path is absolute, and one unit is one byte. All its components but
 * the last are known to be folders of a layer: nothing here follows a link that came from an image.
 */

/** The file at a real path; undefined where there is none. Throws a `PathTooLong`. */
export function look(real: BytePath): BigIntStats | undefined {
  try {
    return lstatSync(toBytes(real), { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG')
      throw new PathTooLong(real, { cause: error });
    throw error;
  }
}

/** The names in a folder, one unit a byte. Empty where it is not a folder. */
export function names(real: BytePath): string[] {
  try {
    return readdirSync(toBytes(real), 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

/** From how many bytes on it is of interest that a file is sparse: 64 MiB. */
const LARGE = 64n << 20n;

const S_IFMT = 0o170000n;
const types = new Map<bigint, FileEntry['type']>([
  [0o100000n, 'file'],
  [0o040000n, 'directory'],
  [0o120000n, 'symlink'],
  [0o010000n, 'fifo'],
  [0o020000n, 'character'],
  [0o060000n, 'block'],
]);

/** Device numbers as Linux packs them into `st_rdev` (`makedev(3)`). */
function device(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  };
}

/** A whiteout of overlayfs: a character device 0/0. */
export function isWhiteoutDevice(stat: BigIntStats): boolean {
  return (stat.mode & S_IFMT) === 0o020000n && stat.rdev === 0n;
}

/** Whether hardly anything of a large file is on disk. What a file system compresses is not meant: that takes more room. */
const isSparse = ({ size, blocks }: BigIntStats): boolean => size >= LARGE && blocks * 512n * 16n < size;

/** The entry for a file at a real path; undefined for sockets, which no archive holds. */
export function entryOf(path: BytePath, real: BytePath, stat: BigIntStats): FileEntry | undefined {
  const type = types.get(stat.mode & S_IFMT);
  if (type === undefined) return undefined;
  return {
    path,
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === 'file' ? Number(stat.size) : 0,
    ...(type === 'file' && isSparse(stat) ? { stored: Number(stat.blocks * 512n) } : {}),
    mtime: Math.floor(Number(stat.mtimeMs) / 1000),
    ...(type === 'symlink' ? { link: readlinkSync(toBytes(real), 'latin1') } : {}),
    ...(type === 'character' || type === 'block' ? { device: device(stat.rdev) } : {}),
    ...(type !== 'directory' && stat.nlink > 1n ? { inode: `${stat.dev}:${stat.ino}` } : {}),
  };
}

/** The value of an extended attribute of a file or folder; undefined where it has none of that name. */
export function attribute(real: BytePath, name: string, isFolder = false): Buffer | undefined {
  return getAttribute({ path: real, isFolder }, name);
}
