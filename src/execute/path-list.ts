import { type BytePath, toText } from '../tar/index.ts';

/** How many paths are written out before the others are only counted. */
const SHOWN = 3;

/** Paths for a sentence: `/etc/motd, /etc/issue and 2 more`. */
export function pathList(paths: readonly BytePath[]): string {
  const shown = paths.slice(0, SHOWN).map((path) => `/${toText(path)}`);
  const more = paths.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** Whether a path lies in the folder that commands run in, which is there to be worked in. */
export const isContext = (path: BytePath): boolean => path === 'luetbuild' || path.startsWith('luetbuild/');
