import { type BytePath, toText } from '../tar/index.ts';

/** Maximum number of paths to list; the rest is only counted. */
const SHOWN = 3;

/** Formats paths: `/etc/motd, /etc/issue and 2 more`. */
export function pathList(paths: readonly BytePath[]): string {
  const shown = paths.slice(0, SHOWN).map((path) => `/${toText(path)}`);
  const more = paths.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** Whether a path is in the folder in which commands run; files there are not reported. */
export const isContext = (path: BytePath): boolean => path === 'luetbuild' || path.startsWith('luetbuild/');
