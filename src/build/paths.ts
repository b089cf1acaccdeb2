import type { Reader } from '../engine/index.ts';
import { type BytePath, toText } from '../tar/index.ts';

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
export async function resolvePath(from: Pick<Reader, 'stat'>, path: BytePath): Promise<BytePath> {
  let parts = partsOf(path);
  let checked = 0;
  for (let links = 0; checked < parts.length; ) {
    const prefixes = parts.slice(checked).map((_, at) => parts.slice(0, checked + at + 1).join('/'));
    const link = (await from.stat(prefixes)).find(({ type }) => type === 'symlink');
    if (link === undefined) break;
    if (++links > MOST_LINKS) throw new LinkError(`${toText(path)} leads through too many symbolic links`);
    const at = link.path.split('/').length;
    parts = partsOf(`${link.link ?? ''}/${parts.slice(at).join('/')}`, parts.slice(0, at - 1).join('/'));
    // A target may lead through other links from its beginning on.
    checked = 0;
  }
  return parts.join('/');
}
