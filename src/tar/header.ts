import { ArchiveError } from './entry.ts';
import { type BytePath, fromBytes } from './path.ts';

/** Size in bytes of a block, the unit of tar archives. */
export const BLOCK = 512;

/** The fields of a header block, before extended headers are applied. */
export interface Header {
  /** Prefix and name joined, as written. */
  readonly name: BytePath;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  /** The type flag: one character. */
  readonly flag: string;
  readonly link: BytePath;
  readonly major: number;
  readonly minor: number;
}

/** Whether a block contains only zeros, as at the end of an archive. */
export function isEmptyBlock(block: Buffer): boolean {
  for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** Parses a header block of any dialect (v7, ustar, GNU). Throws an ArchiveError if it is invalid. */
export function decodeHeader(block: Buffer): Header {
  checkSum(block);
  const magic = fromBytes(block.subarray(257, 263));
  const isUstar = magic === 'ustar\0';
  const hasDevices = isUstar || magic === 'ustar ';
  const prefix = isUstar ? text(block, 345, 155) : '';
  const name = text(block, 0, 100);
  const flag = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(block, 100, 8) & 0o7777,
    uid: unsigned(block, 108, 8),
    gid: unsigned(block, 116, 8),
    size: unsigned(block, 124, 12),
    mtime: number(block, 136, 12),
    flag,
    link: text(block, 157, 100),
    major: hasDevices ? unsigned(block, 329, 8) : 0,
    minor: hasDevices ? unsigned(block, 337, 8) : 0,
  };
}

/**
 * Additional fields of GNU's header for sparse files: the real size of the file, and the first four segments
 * of its map.
 */
export function sparseHeader(block: Buffer): {
  size: number;
  segments: { offset: number; size: number }[];
  isExtended: boolean;
} {
  return {
    size: unsigned(block, 483, 12),
    segments: sparseFields(block, 386, 4),
    isExtended: block[482] !== 0,
  };
}

/** Parses up to `count` segments of a sparse map (offset and size), until an empty one. */
export function sparseFields(block: Buffer, at: number, count: number): { offset: number; size: number }[] {
  const fields: { offset: number; size: number }[] = [];
  for (let i = 0; i < count; i++, at += 24) {
    if (block[at] === 0) break;
    fields.push({ offset: unsigned(block, at, 12), size: unsigned(block, at + 12, 12) });
  }
  return fields;
}

function checkSum(block: Buffer): void {
  const stored = number(block, 148, 8);
  let sum = 0;
  // Old tar programs summed signed bytes.
  let signed = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= 148 && i < 156 ? 0x20 : (block[i] ?? 0);
    sum += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  if (stored !== sum && stored !== signed) throw new ArchiveError('wrong checksum in a header');
}

/** The field's text up to its first NUL. */
function text(block: Buffer, at: number, length: number): BytePath {
  let stop = at;
  while (stop < at + length && block[stop] !== 0) stop++;
  return stop === at ? '' : block.toString('latin1', at, stop);
}

function unsigned(block: Buffer, at: number, length: number): number {
  const value = number(block, at, length);
  if (value < 0) throw new ArchiveError('negative number in a header');
  return value;
}

/** Parses an octal number padded with spaces or NULs, or a base-256 number if its first bit is set. */
function number(block: Buffer, at: number, length: number): number {
  if ((block[at] ?? 0) & 0x80) return base256(block.subarray(at, at + length));
  const stop = at + length;
  let i = at;
  while (i < stop && block[i] === 0x20) i++;
  let value = 0;
  for (; i < stop; i++) {
    const digit = (block[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < stop; i++)
    if (block[i] !== 0 && block[i] !== 0x20) throw new ArchiveError('malformed number in a header');
  return value;
}

function base256(bytes: Buffer): number {
  const isNegative = ((bytes[0] ?? 0) & 0x40) !== 0;
  let value = isNegative ? ((bytes[0] ?? 0) | 0x80) - 0x100 : (bytes[0] ?? 0) & 0x7f;
  for (let i = 1; i < bytes.length; i++) value = value * 256 + (bytes[i] ?? 0);
  if (!Number.isSafeInteger(value)) throw new ArchiveError('number too large in a header');
  return value;
}
