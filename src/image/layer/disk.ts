import { chmodSync, lstatSync, readdirSync, rmdirSync, type Stats, unlinkSync, writeSync } from 'node:fs';
import { type BytePath, toBytes } from '../../tar/index.ts';

/*
 * Files by absolute byte paths. What these functions are given lies in folders whose every component is known to be a real
 * folder, and nothing here follows a link at a path's end.
 */

const ascii = /^[\x01-\x7f]*$/;

/** A byte path as Node's functions take it: text where that means the same bytes, because it is cheaper. */
export const native = (path: BytePath): string | Buffer => (ascii.test(path) ? path : toBytes(path));

/** What is at a path; undefined where nothing is. */
export const look = (real: BytePath): Stats | undefined => lstatSync(native(real), { throwIfNoEntry: false });

/** The names in a folder. */
export const names = (real: BytePath): BytePath[] => readdirSync(native(real), 'latin1');

/** A whiteout of overlayfs: a character device 0/0. */
export const isWhiteoutDevice = (stat: Stats): boolean => stat.isCharacterDevice() && stat.rdev === 0;

/** Removes what is at a path, with everything in it; nothing happens where nothing is. */
export function removeTree(real: BytePath, stat = look(real)): void {
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(native(real));
    return;
  }
  // Folders may deny their owner to look into them.
  if ((stat.mode & 0o700) !== 0o700) chmodSync(native(real), 0o700);
  for (const name of names(real)) removeTree(`${real}/${name}`);
  rmdirSync(native(real));
}

/** Writes all of a chunk, from a position or where the file is. */
export function writeAll(fd: number, chunk: Uint8Array, position: number | null = null): void {
  for (let at = 0; at < chunk.length; )
    at += writeSync(fd, chunk, at, chunk.length - at, position === null ? null : position + at);
}

/** The parent of a path; the root's is the root. */
export const parentOf = (path: BytePath): BytePath => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The last component of a path. */
export const nameOf = (path: BytePath): BytePath => path.slice(path.lastIndexOf('/') + 1);
