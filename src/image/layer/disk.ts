import { chmodSync, lstatSync, readdirSync, rmdirSync, type Stats, unlinkSync, writeSync } from 'node:fs';
import { type BytePath, toBytes } from '../../tar/index.ts';

/**
 * File functions for absolute byte paths. Callers guarantee that all parent folders are real folders; these
 * functions never follow a link at the end of a path.
 */

const ascii = /^[\x01-\x7f]*$/;

/** A byte path as an argument for Node's functions. ASCII paths are passed as strings, which is faster. */
export const native = (path: BytePath): string | Buffer => (ascii.test(path) ? path : toBytes(path));

/** Metadata of a path; undefined if it does not exist. */
export const tryLstat = (real: BytePath): Stats | undefined =>
  lstatSync(native(real), { throwIfNoEntry: false });

/** The names in a folder. */
export const names = (real: BytePath): BytePath[] => readdirSync(native(real), 'latin1');

/** Whether this is an overlayfs whiteout: a character device 0/0. */
export const isWhiteoutDevice = (stat: Stats): boolean => stat.isCharacterDevice() && stat.rdev === 0;

/** Removes a path with its content; does nothing if it does not exist. */
export function removeTree(real: BytePath, stat = tryLstat(real)): void {
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    unlinkSync(native(real));
    return;
  }
  // The owner may not have permission to read a folder.
  if ((stat.mode & 0o700) !== 0o700) chmodSync(native(real), 0o700);
  for (const name of names(real)) removeTree(`${real}/${name}`);
  rmdirSync(native(real));
}

/** Writes a whole chunk at a position, or at the current position. */
export function writeAll(fd: number, chunk: Uint8Array, position: number | null = null): void {
  for (let at = 0; at < chunk.length; )
    at += writeSync(fd, chunk, at, chunk.length - at, position === null ? null : position + at);
}

/** The parent of a path; the parent of the root is the root. */
export const parentOf = (path: BytePath): BytePath => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The last component of a path. */
export const nameOf = (path: BytePath): BytePath => path.slice(path.lastIndexOf('/') + 1);
