import { type BytePath, type FileTree, toText } from '../tar/index.ts';

/** Maximum number of symbolic links in one path; more are treated as a loop. */
const MOST_LINKS = 40;

/** Thrown if symbolic links of an image form a loop. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/**
 * Splits a path in an image into its parts, without `.`, `..` and empty parts. A relative path is relative to
 * `folder`.
 */
export function partsOf(path: string, folder = ''): string[] {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${folder}/${path}`).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts;
}

/**
 * Resolves all symbolic links in a path, including the last part, inside the image. A path that does not
 * exist is returned as it is. Throws a `LinkError` if the links form a loop.
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
    if (++links > MOST_LINKS) throw new LinkError(`too many symbolic links in the path ${toText(path)}`);
    const target = link.link ?? '';
    if (target.startsWith('/')) resolved = [];
    const parts = target.split('/').filter((part) => part !== '' && part !== '.');
    pending = [...parts, ...pending.slice(1)];
  }
  return resolved.join('/');
}
