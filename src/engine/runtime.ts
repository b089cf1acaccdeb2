import type { BytePath } from '../tar/index.ts';
import type { FileEntry } from './types.ts';

/*
 * What a container runtime adds to the file system of a running container: mount points, and the files
 * mounted there (the default file systems of the OCI runtime specification, and what Docker and podman add).
 */

const own = new Set(['.dockerenv', 'run/.containerenv']);
const mounted = new Set(['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'etc/mtab']);
const touched = new Set(['', 'dev', 'etc', 'proc', 'run', 'sys']);
const below = /^(?:dev|proc|sys)\//;
/** Docker moves the old root here while it reads a container's files from inside the container's root. */
const pivot = /^\.pivot_root\d+$/;

/** Whether a runtime mounts a file at this path. It creates an empty file for that where there is none. */
export function isMountedFile(path: BytePath): boolean {
  return mounted.has(path);
}

/** Whether a path in a running container comes from the runtime, whatever the image and the commands hold. */
export function isRuntimePath(path: BytePath): boolean {
  return own.has(path) || mounted.has(path) || below.test(path) || pivot.test(path);
}

/**
 * Whether an entry of an image's root was made by a runtime: an image's own `/etc/hosts` has content, and the
 * file that a runtime creates to mount one there is empty.
 */
export function isRuntimeStub(entry: FileEntry): boolean {
  if (own.has(entry.path) || below.test(entry.path) || pivot.test(entry.path)) return true;
  if (!mounted.has(entry.path)) return false;
  return (entry.type === 'file' && entry.size === 0) || entry.path === 'etc/mtab';
}

/**
 * Whether a runtime mounts something at a path or below it, so that a container does not show the image's
 * own.
 */
export function holdsMounts(path: BytePath): boolean {
  return touched.has(path) || isRuntimePath(path);
}

/** Whether a runtime may have created a folder to mount something in it. */
export function isRuntimeFolder(path: BytePath): boolean {
  return path !== '' && touched.has(path);
}

/**
 * An entry without a time that differs between engines: folders in which a runtime makes mount points count
 * as just changed, on every engine. `more` are such folders, from `mountFolders`.
 */
export function withoutRuntimeTime(entry: FileEntry, more: ReadonlySet<BytePath> = none): FileEntry {
  return entry.type === 'directory' && (touched.has(entry.path) || more.has(entry.path))
    ? { ...entry, mtime: Number.MAX_SAFE_INTEGER }
    : entry;
}

const none: ReadonlySet<BytePath> = new Set();

/** What is at a path, a link at its end not followed; what a runtime made there is nothing. */
export type Look = (path: BytePath) => 'folder' | 'other' | { readonly link: BytePath } | undefined;

/**
 * The folders in which runtimes make files and folders because links of the image lead a file that they mount
 * (`/etc/hosts` and others, or `/etc` itself) to where nothing is. Docker alone replaces such links.
 */
export function mountFolders(look: Look): ReadonlySet<BytePath> {
  const found = [...mounted].map((path) => destination(path, look));
  return new Set(found.flatMap((to) => (to?.missing.length ? [to.folder] : [])));
}

/** Where a path leads. */
export interface Destination {
  /** The deepest folder on the way that is there. */
  readonly folder: BytePath;
  /** The names behind it of which there is nothing. */
  readonly missing: readonly BytePath[];
  /** What is there instead, where that is no folder. */
  readonly other?: BytePath;
}

/** As many links as the kernel follows in one path (`path_resolution(7)`). */
const MOST_LINKS = 40;

/**
 * Where a path leads, links followed inside of the root, also one at its end; undefined where that is through
 * something that is no folder, or in a circle.
 */
export function destination(path: BytePath, look: Look): Destination | undefined {
  let folder = '';
  let links = 0;
  const missing: BytePath[] = [];
  const names = path.split('/').reverse();
  for (let name = names.pop(); name !== undefined; name = names.pop()) {
    if (name === '' || name === '.') continue;
    if (name === '..') {
      if (missing.pop() === undefined) folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/')));
      continue;
    }
    const here = folder === '' ? name : `${folder}/${name}`;
    const what = missing.length > 0 ? undefined : look(here);
    if (what === undefined) missing.push(name);
    else if (what === 'other') return names.length > 0 ? undefined : { folder, missing, other: here };
    else if (what === 'folder') folder = here;
    else {
      links++;
      if (links > MOST_LINKS) return undefined;
      if (what.link.startsWith('/')) folder = '';
      names.push(...what.link.split('/').reverse());
    }
  }
  return { folder, missing };
}

/**
 * The label of an image that lists paths which engines made in containers and committed with it, except those
 * that are known by name.
 */
export const MADE_LABEL = 'luet-ts.made';

/** Writes these paths as a label's value. */
export function encodeMade(paths: readonly BytePath[]): string {
  return Buffer.from(JSON.stringify(paths)).toString('base64url');
}

/** Reads the paths of a label; none where it is absent or damaged. */
export function decodeMade(label: string | undefined): ReadonlySet<BytePath> {
  if (label === undefined) return none;
  try {
    const paths: unknown = JSON.parse(Buffer.from(label, 'base64url').toString());
    return new Set(Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : []);
  } catch {
    return none;
  }
}
