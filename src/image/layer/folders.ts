import { chmodSync, mkdirSync, type Stats } from 'node:fs';
import { type BytePath, type Entry, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { nameOf, names, native, removeTree, tryLstat } from './disk.ts';

/**
 * Metadata that a folder gets at the end, because extracting into it changes its times and needs permissions.
 */
export type FolderMetadata = Pick<Entry, 'mode' | 'uid' | 'gid' | 'xattrs'> & {
  /** Seconds since 1970. */
  readonly mtime: number;
};

/**
 * A known real folder below the root. Nothing else writes there during the extraction, so this stays true
 * until the extraction removes it.
 */
export interface ExtractedFolder {
  readonly path: BytePath;
  readonly real: BytePath;
  readonly parent: ExtractedFolder | undefined;
  readonly children: Map<BytePath, ExtractedFolder>;
  after: FolderMetadata | undefined;
  /** Names that this layer created. Folders that exist only as parents of entries are not included. */
  readonly own: Set<BytePath>;
  /** Whether it contains anything of this layer, at any depth. */
  holdsOwn: boolean;
  /** Whether it contains nothing of lower layers. */
  isPure: boolean;
  /** Whether it hides the content of lower layers. For overlays only, and never for the root. */
  isOpaque: boolean;
  /** Names of lower layers that are hidden. */
  readonly whiteouts: Set<BytePath>;
  /** Symbolic links that this layer created, with their targets. */
  readonly links: Map<BytePath, BytePath>;
  /** Devices and pipes, which are created together at the end. */
  readonly nodes: Map<BytePath, Entry>;
}

/** Maximum number of links in one path, as in the kernel (`path_resolution(7)`). */
const MOST_LINKS = 40;

/**
 * The folders below the root of an extraction. Paths are reached only through folders that were checked or
 * created here, so the system itself never follows a link. Links created by this layer are followed here,
 * part by part, with `..` stopping at the root, as in engines. Links of lower layers are not followed:
 * engines extract each layer separately, so there they do not exist.
 */
export class Folders {
  readonly root: ExtractedFolder;
  readonly #implied: (path: BytePath) => FolderMetadata;
  readonly #onLost: () => void;
  readonly #isPrivileged: boolean;
  #last: ExtractedFolder;

  /**
   * `implied` returns the metadata of a folder that has content in the archive but no entry of its own.
   * `onLost` is called when content of this layer is removed again.
   */
  constructor(root: BytePath, implied: (path: BytePath) => FolderMetadata, onLost: () => void) {
    this.#onLost = onLost;
    this.#isPrivileged = process.geteuid?.() === 0;
    const stat = tryLstat(root);
    if (stat?.isDirectory() !== true) throw new ImageError(`${shownPath(root)} is not a folder`);
    this.root = this.#known('', root, undefined, stat);
    this.#last = this.root;
    this.#implied = implied;
  }

  #known(
    path: BytePath,
    real: BytePath,
    parent: ExtractedFolder | undefined,
    stat: Stats | undefined,
  ): ExtractedFolder {
    // Extracting into a folder of a lower layer must not change its metadata.
    const after = stat && {
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtime: stat.mtimeMs / 1000,
    };
    if (stat !== undefined && !this.#isPrivileged && (stat.mode & 0o700) !== 0o700)
      chmodSync(native(real), (stat.mode & 0o7777) | 0o700);
    const folder: ExtractedFolder = {
      path,
      real,
      parent,
      after,
      children: new Map(),
      own: new Set(),
      holdsOwn: false,
      isPure: stat === undefined,
      isOpaque: false,
      whiteouts: new Set(),
      links: new Map(),
      nodes: new Map(),
    };
    parent?.children.set(nameOf(path), folder);
    return folder;
  }

  /** The folder at a path; undefined if it does not exist. */
  find(path: BytePath): ExtractedFolder | undefined {
    const { folder, missing } = this.#resolve(path);
    return missing.length === 0 ? folder : undefined;
  }

  /** Resolves the links in a path. The path need not exist. */
  resolve(path: BytePath): BytePath {
    const { folder, missing } = this.#resolve(path);
    return missing.reduce(join, folder.path);
  }

  /** The deepest existing folder of a path, and the names after it. */
  #resolve(path: BytePath): { readonly folder: ExtractedFolder; readonly missing: readonly BytePath[] } {
    if (path === this.#last.path) return { folder: this.#last, missing: [] };
    let folder = this.root;
    let links = 0;
    const missing: BytePath[] = [];
    const names = path.split('/').reverse();
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      if (name === '' || name === '.') continue;
      if (name === '..') {
        if (missing.pop() === undefined) folder = folder.parent ?? folder;
        continue;
      }
      const target = missing.length === 0 ? folder.links.get(name) : undefined;
      if (target !== undefined) {
        links++;
        if (links > MOST_LINKS)
          throw new ImageError(`too many symbolic links in the path ${shownPath(path)}`);
        if (target.startsWith('/')) folder = this.root;
        names.push(...target.split('/').reverse());
        continue;
      }
      const next = missing.length === 0 ? this.#seen(folder, name) : undefined;
      if (next === undefined) missing.push(name);
      else folder = next;
    }
    if (missing.length === 0) this.#last = folder;
    return { folder, missing };
  }

  /** The child folder with this name; undefined if it does not exist or is not a folder. */
  #seen(parent: ExtractedFolder, name: BytePath): ExtractedFolder | undefined {
    const known = parent.children.get(name);
    if (known !== undefined) return known;
    // A name of this layer that is not a known child is not a folder.
    if (parent.isPure || parent.own.has(name) || parent.whiteouts.has(name)) return undefined;
    const real = `${parent.real}/${checkedName(name)}`;
    const stat = tryLstat(real);
    return stat?.isDirectory() ? this.#known(join(parent.path, name), real, parent, stat) : undefined;
  }

  /**
   * Returns the folder at a path; creates it and its parents if they do not exist. Content of a lower layer
   * that is in the way is removed. Throws an ImageError if content of this layer is in the way.
   */
  make(path: BytePath): ExtractedFolder {
    const resolved = this.#resolve(path);
    let { folder } = resolved;
    for (const name of resolved.missing) {
      if (folder.own.has(name))
        throw new ImageError(`a path contains ${shownPath(join(folder.path, name))}, which is not a folder`);
      folder = this.folderIn(folder, name);
    }
    this.#last = folder;
    return folder;
  }

  /**
   * Returns the child folder with this name. Anything else with this name, such as a link, is replaced by a
   * new folder.
   */
  folderIn(parent: ExtractedFolder, name: BytePath): ExtractedFolder {
    const found = this.#seen(parent, name);
    if (found !== undefined) return found;
    // The replaced content of this layer hid the name in lower layers, and it must stay hidden.
    if (parent.own.has(name)) parent.whiteouts.add(name);
    this.clear(parent, name);
    const real = `${parent.real}/${checkedName(name)}`;
    mkdirSync(native(real), 0o700);
    const path = join(parent.path, name);
    const folder = this.#known(path, real, parent, undefined);
    folder.after = this.#implied(path);
    this.put(parent, name);
    return folder;
  }

  /** Whether this layer hides a name of lower layers without having the name itself. */
  isHidden(folder: ExtractedFolder, name: BytePath): boolean {
    return folder.whiteouts.has(name) && !folder.own.has(name);
  }

  /** Records that this layer has a name. */
  put(folder: ExtractedFolder, name: BytePath): void {
    folder.own.add(name);
    this.touch(folder);
  }

  /** Records that this layer has content in a folder, and therefore the folder itself. */
  touch(folder: ExtractedFolder): void {
    for (let at: ExtractedFolder | undefined = folder; at !== undefined && !at.holdsOwn; at = at.parent)
      at.holdsOwn = true;
  }

  /** Removes whatever has this name. */
  clear(folder: ExtractedFolder, name: BytePath): void {
    const real = `${folder.real}/${checkedName(name)}`;
    // Saves a system call for most names of a layer that is extracted to its own folder.
    if (folder.isPure && !folder.own.has(name)) return;
    const stat = tryLstat(real);
    // The content of a folder is not checked; it may include file content.
    if (folder.own.has(name) && (stat?.isDirectory() || (stat?.isFile() && stat.size > 0))) this.#onLost();
    removeTree(real, stat);
    folder.nodes.delete(name);
    folder.links.delete(name);
    folder.own.delete(name);
    if (folder.children.delete(name)) this.#last = this.root;
  }

  /** Removes a name of lower layers; keeps what this layer has. */
  clearLower(folder: ExtractedFolder, name: BytePath): void {
    const child = folder.children.get(name);
    if (child !== undefined && (child.holdsOwn || folder.own.has(name))) this.purge(child);
    else if (!folder.own.has(name)) this.clear(folder, name);
  }

  /** Removes everything that whiteouts hide. */
  applyWhiteouts(folder: ExtractedFolder): void {
    for (const name of folder.whiteouts) this.clearLower(folder, name);
    for (const child of folder.children.values()) this.applyWhiteouts(child);
  }

  /** Removes the content of lower layers in a folder. */
  purge(folder: ExtractedFolder): void {
    if (folder.isPure) return;
    for (const name of names(folder.real)) this.clearLower(folder, name);
    folder.isPure = true;
  }
}

/** All folders, children before their parents. */
export function* bottomUp(folder: ExtractedFolder): Generator<ExtractedFolder, void, undefined> {
  for (const child of folder.children.values()) yield* bottomUp(child);
  yield folder;
}

export const join = (folder: BytePath, name: BytePath): BytePath =>
  folder === '' ? name : `${folder}/${name}`;

/** Archive readers never return such names; checked again because safety depends on it. */
function checkedName(name: BytePath): BytePath {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw new ImageError(`invalid name ${shownPath(name)}`);
  return name;
}
