import { type BytePath, type FileTree, toText } from '../tar/index.ts';

/** More links than this on the way to a path are a circle. */
const MOST_LINKS = 40;

/** Thrown where symbolic links of an image lead nowhere. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** A path inside an image as its parts, without `.`, `..` and empty ones; a relative one begins in `folder`. */
export function partsOf(path: string, folder = ''): string[] {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/**
 * The path that a path leads to when every symbolic link on the way, the last part included, is followed as inside the
 * image. What is not there is taken for what it is called. Throws a `LinkError` for links in a circle.
 */
export async function resolvePath(from: Pick<FileTree, 'stat'>, path: BytePath): Promise<BytePath> {
  let resolved: string[] = [];
  let pending = partsOf(path);
  for (let links = 0; pending.length > 0; ) {
    if (pending[0] === '..') {
      resolved.pop();
      pending.shift();
      continue;
    }
    const up = pending.indexOf('..');
    const names = up < 0 ? pending : pending.slice(0, up);
    const prefixes = names.map((_, at) => [...resolved, ...names.slice(0, at + 1)].join('/'));
    const link = (await from.stat(prefixes)).find(({ type }) => type === 'symlink');
    const passed = link === undefined ? names.length : prefixes.indexOf(link.path);
    resolved.push(...names.slice(0, passed));
    pending = pending.slice(passed);
    if (link === undefined) continue;
    if (++links > MOST_LINKS) throw new LinkError(`${toText(path)} leads through too many symbolic links`);
    const target = link.link ?? '';
    if (target.startsWith('/')) resolved = [];
    const parts = target.split('/').filter((part) => part !== '' && part !== '.');
    pending = [...parts, ...pending.slice(1)];
  }
  return resolved.join('/');
}
