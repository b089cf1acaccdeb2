import type { Stats } from 'node:fs';
import { type BytePath, fromText } from '../../tar/index.ts';
import { isWhiteoutDevice, tryLstat } from './disk.ts';
import { folderMark, isWhiteoutFile } from './whiteout.ts';

/** A path on disk and its metadata. */
export interface LocatedFile {
  readonly real: BytePath;
  readonly stat: Stats;
}

/** Finds a path in an overlay of these folders, the topmost first. Nothing is cached. */
export function findBelow(lowers: readonly string[], path: BytePath): LocatedFile | undefined {
  const parts = path === '' ? [] : path.split('/');
  for (const lower of lowers) {
    const found = findInLayer(fromText(lower), parts);
    if (found === 'hidden') return undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function findInLayer(root: BytePath, parts: readonly string[]): LocatedFile | 'hidden' | undefined {
  let real = root;
  let stat = tryLstat(real);
  if (stat === undefined) return undefined;
  let isOpaque = false;
  for (const part of parts) {
    // Anything except a real folder hides the path in lower layers.
    if (!stat.isDirectory()) return 'hidden';
    const mark = real === root ? undefined : folderMark(real);
    isOpaque ||= mark === 'y';
    real = `${real}/${part}`;
    stat = tryLstat(real);
    if (stat === undefined) return isOpaque ? 'hidden' : undefined;
    if (isWhiteoutDevice(stat)) return 'hidden';
    if (mark === 'x' && stat.isFile() && stat.size === 0 && isWhiteoutFile(real)) return 'hidden';
  }
  return { real, stat };
}
