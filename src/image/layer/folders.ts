import { chmodSync, mkdirSync, type Stats } from 'node:fs';
import { type BytePath, type Entry, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { look, nameOf, names, native, removeTree } from './disk.ts';

/** What a folder is given when everything else is done, because work in it changes its times and needs its permissions. */
export type FolderMetadata = Pick<Entry, 'mode' | 'uid' | 'gid' | 'xattrs'> & {
  /** Seconds. */
  readonly mtime: number;
};

/** A folder below the root that is known to be one: nobody but the extraction writes there, and it forgets what it removes. */
export interface Folder {
  readonly path: BytePath;
  readonly real: BytePath;
  readonly parent: Folder | undefined;
  readonly children: Map<BytePath, Folder>;
  after: FolderMetadata | undefined;
  /** What this layer put here; of folders that only stand above something of the layer, they are not here. */
  readonly own: Set<BytePath>;
  /** Whether there is anything of this layer in it, at any depth. */
  holdsOwn: boolean;
  /** Whether nothing of lower layers is in it. */
  isPure: boolean;
  /** Whether it hides what lower layers have in it; for overlays, and not for the root. */
  isOpaque: boolean;
  /** Names that lower layers' are hidden of. */
  readonly whiteouts: Set<BytePath>;
  /** Symbolic links that this layer put here, and what they say. */
  readonly links: Map<BytePath, BytePath>;
  /** Devices and pipes, which are made together at the end. */
  readonly nodes: Map<BytePath, Entry>;
}

/** As many links as the kernel follows in one path (`path_resolution(7)`). */
const MOST_LINKS = 40;

/**
 * The folders of a root that a layer is extracted to. A path is only ever reached through folders found here, each of which was seen
 * to be a real folder or made as one: the system itself never follows a link. Links that the layer itself put there are followed here, part
 * by part, with `..` ending at the root, as engines do whose root is the layer's folder. Links of lower layers are not: where layers lie
 * apart, as in every engine, nothing of them is in the way.
 */
export class Folders {
  readonly root: Folder;
  readonly #implied: (path: BytePath) => FolderMetadata;
  readonly #onLost: () => void;
  readonly #isPrivileged: boolean;
  #last: Folder;

  /**
   * `implied` tells what a folder gets that the archive does not have although it has something in it. `onLost` is told where
   * content that this layer put here is removed again.
   */
  constructor(root: BytePath, implied: (path: BytePath) => FolderMetadata, onLost: () => void) {
    this.#onLost = onLost;
    this.#isPrivileged = process.geteuid?.() === 0;
    const stat = look(root);
    if (stat?.isDirectory() !== true) throw new ImageError(`${shownPath(root)} is no folder`);
    this.root = this.#known('', root, undefined, stat);
    this.#last = this.root;
    this.#implied = implied;
  }

  #known(path: BytePath, real: BytePath, parent: Folder | undefined, stat: Stats | undefined): Folder {
    // What is done in a folder of a lower layer leaves no trace in its metadata.
    const after = stat && {
      mode: stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtime: stat.mtimeMs / 1000,
    };
    if (stat !== undefined && !this.#isPrivileged && (stat.mode & 0o700) !== 0o700)
      chmodSync(native(real), (stat.mode & 0o7777) | 0o700);
    const folder: Folder = {
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

  /** The folder at a path; undefined where there is none. */
  find(path: BytePath): Folder | undefined {
    const { folder, missing } = this.#resolve(path);
    return missing.length === 0 ? folder : undefined;
  }

  /** Where a path leads, whether anything is there or not. */
  resolve(path: BytePath): BytePath {
    const { folder, missing } = this.#resolve(path);
    return missing.reduce(join, folder.path);
  }

  /** The deepest folder on the way to a path, and the names behind it of which there is no folder. */
  #resolve(path: BytePath): { readonly folder: Folder; readonly missing: readonly BytePath[] } {
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
          throw new ImageError(`the links on the way to ${shownPath(path)} lead in circles`);
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

  /** The folder of a name in a folder; undefined where nothing or something else is. */
  #seen(parent: Folder, name: BytePath): Folder | undefined {
    const known = parent.children.get(name);
    if (known !== undefined) return known;
    // What this layer put here and is no child is no folder.
    if (parent.isPure || parent.own.has(name) || parent.whiteouts.has(name)) return undefined;
    const real = `${parent.real}/${checkedName(name)}`;
    const stat = look(real);
    return stat?.isDirectory() ? this.#known(join(parent.path, name), real, parent, stat) : undefined;
  }

  /**
   * The folder at a path, made, together with those above it, where there is none. What a lower layer has there instead is removed;
   * throws an ImageError where this layer has it.
   */
  make(path: BytePath): Folder {
    const resolved = this.#resolve(path);
    let { folder } = resolved;
    for (const name of resolved.missing) {
      if (folder.own.has(name))
        throw new ImageError(
          `a path leads through ${shownPath(join(folder.path, name))}, which is no folder`,
        );
      folder = this.folderIn(folder, name);
    }
    this.#last = folder;
    return folder;
  }

  /** The folder of a name in a folder, made where there is none. What is there instead, such as a link, is removed. */
  folderIn(parent: Folder, name: BytePath): Folder {
    const found = this.#seen(parent, name);
    if (found !== undefined) return found;
    // What this layer put here and now replaces hid what is beneath, and that stays hidden.
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

  /** Whether this layer hides a name of lower ones, and has nothing of that name itself. */
  isHidden(folder: Folder, name: BytePath): boolean {
    return folder.whiteouts.has(name) && !folder.own.has(name);
  }

  /** Notes that a name is this layer's. */
  put(folder: Folder, name: BytePath): void {
    folder.own.add(name);
    this.touch(folder);
  }

  /** Notes that this layer has something to say in a folder, which it thereby has itself. */
  touch(folder: Folder): void {
    for (let at: Folder | undefined = folder; at !== undefined && !at.holdsOwn; at = at.parent)
      at.holdsOwn = true;
  }

  /** Makes a name free: removes what has it. */
  clear(folder: Folder, name: BytePath): void {
    const real = `${folder.real}/${checkedName(name)}`;
    // Spares most names of a layer that has a folder to itself a call of the system.
    if (folder.isPure && !folder.own.has(name)) return;
    const stat = look(real);
    // Of what is below a folder nobody looks whether it has content.
    if (folder.own.has(name) && (stat?.isDirectory() || (stat?.isFile() && stat.size > 0))) this.#onLost();
    removeTree(real, stat);
    folder.nodes.delete(name);
    folder.links.delete(name);
    folder.own.delete(name);
    if (folder.children.delete(name)) this.#last = this.root;
  }

  /** Removes what lower layers have of a name, and keeps what is this layer's. */
  clearLower(folder: Folder, name: BytePath): void {
    const child = folder.children.get(name);
    if (child !== undefined && (child.holdsOwn || folder.own.has(name))) this.purge(child);
    else if (!folder.own.has(name)) this.clear(folder, name);
  }

  /** Removes what whiteouts hide. */
  applyWhiteouts(folder: Folder): void {
    for (const name of folder.whiteouts) this.clearLower(folder, name);
    for (const child of folder.children.values()) this.applyWhiteouts(child);
  }

  /** Removes what lower layers have in a folder. */
  purge(folder: Folder): void {
    if (folder.isPure) return;
    for (const name of names(folder.real)) this.clearLower(folder, name);
    folder.isPure = true;
  }
}

/** All folders, each after those in it. */
export function* bottomUp(folder: Folder): Generator<Folder, void, undefined> {
  for (const child of folder.children.values()) yield* bottomUp(child);
  yield folder;
}

export const join = (folder: BytePath, name: BytePath): BytePath =>
  folder === '' ? name : `${folder}/${name}`;

/** Readers of archives give no such names; what everything rests on is looked at again. */
function checkedName(name: BytePath): BytePath {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw new ImageError(`${shownPath(name)} cannot be a name`);
  return name;
}
