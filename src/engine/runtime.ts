import type { BytePath } from '../tar/index.ts';
import type { FileEntry } from './types.ts';

/*
 * What a container runtime puts into a running container's file system: mount points and the files mounted there
 * (the OCI runtime specification's default file systems, and what Docker and podman add).
 */

const own = new Set(['.dockerenv', 'run/.containerenv']);
const mounted = new Set(['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'etc/mtab']);
const touched = new Set(['', 'dev', 'etc', 'proc', 'run', 'sys']);
const below = /^(?:dev|proc|sys)\//;
/** The place of the old root while Docker reads a container's files with the container's root for its own. */
const pivot = /^\.pivot_root\d+$/;

/** Whether a path's appearance in a running container says nothing about the image or the commands. */
export function isRuntimePath(path: BytePath): boolean {
  return own.has(path) || mounted.has(path) || below.test(path) || pivot.test(path);
}

/**
 * Whether an entry of an image's root is a runtime's doing all the same: an image's own `/etc/hosts` has content, the
 * place that a runtime made to mount one has none.
 */
export function isRuntimeStub(entry: FileEntry): boolean {
  if (own.has(entry.path) || below.test(entry.path) || pivot.test(entry.path)) return true;
  if (!mounted.has(entry.path)) return false;
  return (entry.type === 'file' && entry.size === 0) || entry.path === 'etc/mtab';
}

/** Whether a runtime mounts something at a path or below it, so that a running container shows that and not the image's own. */
export function holdsMounts(path: BytePath): boolean {
  return touched.has(path) || isRuntimePath(path);
}

/** Whether a runtime may have made a folder to mount something in it. */
export function isRuntimeFolder(path: BytePath): boolean {
  return path !== '' && touched.has(path);
}

/**
 * An entry without a time that differs between engines: folders in which a runtime makes mount points count as
 * just changed, on every engine.
 */
export function withoutRuntimeTime(entry: FileEntry): FileEntry {
  return entry.type === 'directory' && touched.has(entry.path)
    ? { ...entry, mtime: Number.MAX_SAFE_INTEGER }
    : entry;
}
