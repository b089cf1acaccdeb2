import { isUtf8 } from 'node:buffer';
import { closeSync, constants, linkSync, openSync, unlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type BytePath, toBytes } from './path.ts';

/*
 * Extended attributes of files and folders on disk. The library takes paths as text and follows no link at their end, so
 * what is no UTF-8 is reached through a folder that is open, and a file of such a name through a link of another name.
 */

interface XattrLibrary {
  getAttributeSync(path: string, name: string): Buffer | null;
  setAttributeSync(path: string, name: string, value: Uint8Array): void;
  listAttributesSync(path: string): string[];
}
let library: XattrLibrary | undefined;

function load(): XattrLibrary {
  // Most files have no attributes to set, so most runs need no native library.
  library ??= createRequire(import.meta.url)('@napi-rs/xattr') as XattrLibrary;
  return library;
}

/** Where an attribute is asked for. */
export interface AttributePlace {
  /** Absolute; no component but the last may be a link, and that one is not followed. */
  readonly path: BytePath;
  readonly isFolder: boolean;
  /**
   * A name that nothing has, in ASCII and on the same file system: a file whose name is no UTF-8 is linked there for the time
   * of the call. Where it is absent such a file is taken to have no attributes, and cannot be given any.
   */
  readonly scratch?: string;
}

/** The value of an attribute; undefined where there is none of that name, or none at all on that file system. */
export function getAttribute(place: AttributePlace, name: string): Buffer | undefined {
  return answer(() => at(place, (path) => load().getAttributeSync(path, name) ?? undefined));
}

/** The names of all attributes. */
export function attributeNames(place: AttributePlace): readonly string[] {
  return answer(() => at(place, (path) => load().listAttributesSync(path))) ?? [];
}

/** Sets an attribute; false where the file system has none of that kind or this process may not. Throws for other failures. */
export function setAttribute(place: AttributePlace, name: string, value: Uint8Array): boolean {
  let isSet = false;
  const set = (path: string): void => {
    load().setAttributeSync(path, name, value);
    isSet = true;
  };
  try {
    at(place, set);
  } catch (error) {
    // The library tells codes in its sentence alone: EPERM and EOPNOTSUPP.
    if (!/\(os error (?:1|95)\)/.test((error as Error).message)) throw error;
  }
  return isSet;
}

function answer<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch (error) {
    // ENODATA and EOPNOTSUPP: a file system without extended attributes has none to lose.
    if (/\(os error (?:61|95)\)/.test((error as Error).message)) return undefined;
    throw error;
  }
}

function at<T>({ path, isFolder, scratch }: AttributePlace, work: (path: string) => T): T | undefined {
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
