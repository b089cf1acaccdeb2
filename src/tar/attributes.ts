import { isUtf8 } from 'node:buffer';
import { closeSync, constants, linkSync, openSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type BytePath, toBytes } from './path.ts';

/**
 * Extended attributes of files and folders on disk. The library accepts paths as JavaScript strings only, and
 * does not follow a link at the end of a path. A file whose name is not UTF-8 is therefore reached through
 * its open parent folder and a temporary hard link with another name.
 */

interface XattrLibrary {
  getAttributeSync(path: string, name: string): Buffer | null;
  setAttributeSync(path: string, name: string, value: Uint8Array): void;
  listAttributesSync(path: string): string[];
}
let library: XattrLibrary | undefined;

function load(): XattrLibrary {
  // Loaded at first use: most files have no attributes, so most runs do not need the native library.
  library ??= createRequire(import.meta.url)('@napi-rs/xattr') as XattrLibrary;
  return library;
}

/** The file or folder whose attributes are read or written. */
export interface AttributeTarget {
  /** Absolute path. Only the last component can be a symbolic link, and that link is not followed. */
  readonly path: BytePath;
  readonly isFolder: boolean;
  /**
   * An unused ASCII path on the same file system. A file whose name is not UTF-8 is hard linked there during
   * the call. Without it, such a file counts as having no attributes, and none can be set.
   */
  readonly scratch?: string;
}

/**
 * The value of an attribute, or undefined if the file does not have it or the file system has no attributes.
 */
export function getAttribute(place: AttributeTarget, name: string): Buffer | undefined {
  return answer(() => at(place, (path) => load().getAttributeSync(path, name) ?? undefined));
}

/** The names of all attributes of a file. */
export function attributeNames(place: AttributeTarget): readonly string[] {
  return answer(() => at(place, (path) => load().listAttributesSync(path))) ?? [];
}

/**
 * Sets an attribute. False if the file system does not support it or this process is not permitted to set it.
 * Throws for other errors.
 */
export function setAttribute(place: AttributeTarget, name: string, value: Uint8Array): boolean {
  let isSet = false;
  const set = (path: string): void => {
    load().setAttributeSync(path, name, value);
    isSet = true;
  };
  try {
    at(place, set);
  } catch (error) {
    // The library reports error codes only in its message: EPERM (1) and EOPNOTSUPP (95).
    if (!/\(os error (?:1|95)\)/.test((error as Error).message)) throw error;
  }
  return isSet;
}

function answer<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    // ENODATA (61) and EOPNOTSUPP (95): the file has no such attribute.
    if (/\(os error (?:61|95)\)/.test((error as Error).message)) return undefined;
    throw error;
  }
}

function at<T>({ path, isFolder, scratch }: AttributeTarget, work: (path: string) => T): T | undefined {
  const bytes = toBytes(path);
  if (isUtf8(bytes)) return work(bytes.toString('utf8'));
  if (isFolder) return inFolder(path, (open) => work(`${open}/.`));
  const slash = path.lastIndexOf('/');
  const name = toBytes(path.slice(slash + 1));
  if (isUtf8(name)) return inFolder(path.slice(0, slash), (open) => work(`${open}/${name.toString('utf8')}`));
  if (scratch === undefined) return undefined;
  linkSync(bytes, scratch);
  try {
    return work(scratch);
  } finally {
    unlinkSync(scratch);
  }
}

function inFolder<T>(path: BytePath, work: (open: string) => T): T {
  const fd = openSync(toBytes(path), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_DIRECTORY);
  try {
    return work(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}
