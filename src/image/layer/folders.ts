import { chmodSync, mkdirSync, type Stats } from 'node:fs';
import type { BytePath, Entry } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { look, nameOf, names, native, parentOf, removeTree } from './disk.ts';

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
  /** Whether it hides what lower layers have in it; for overlays. */
  isOpaque: boolean;
  /** Names that lower layers' are hidden of; for overlays. */
  readonly whiteouts: Set<BytePath>;
  /** Devices and pipes, which are made together at the end. */
  readonly nodes: Map<BytePath, Entry>;
}

/**
 * The folders of a root that a layer is extracted to. A path is only ever reached through folders found here, each of which was seen
 * to be a real folder or made as one; so no link is followed, whatever archives say.
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
    if (stat?.isDirectory() !== true) throw new ImageError(`${JSON.stringify(root)} is no folder`);
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
      nodes: new Map(),
    };
    parent?.children.set(nameOf(path), folder);
    return folder;
  }

  /** The folder at a path; undefined where there is none. Follows no link. */
  find(path: BytePath): Folder | undefined {
    if (path === this.#last.path) return this.#last;
    let folder: Folder | undefined = this.root;
    for (const part of path === '' ? [] : path.split('/')) {
      folder = folder.children.get(part) ?? this.#seen(folder, part);
      if (folder === undefined) return undefined;
    }
    this.#last = folder;
    return folder;
  }

  #seen(parent: Folder, name: BytePath): Folder | undefined {
    const real = `${parent.real}/${checkedName(name)}`;
    const stat = look(real);
    return stat?.isDirectory() ? this.#known(join(parent.path, name), real, parent, stat) : undefined;
  }

  /** The folder at a path, made, together with those above it, where there is none. What is there instead is removed. */
  make(path: BytePath): Folder {
    const found = this.find(path);
    if (found !== undefined) return found;
    const parent = this.make(parentOf(path));
    const name = nameOf(path);
    // What this layer put here and now replaces hid what is beneath, and that stays hidden.
    if (parent.own.has(name)) parent.whiteouts.add(name);
    this.clear(parent, name);
    const real = `${parent.real}/${checkedName(name)}`;
    mkdirSync(native(real), 0o700);
    const folder = this.#known(path, real, parent, undefined);
    folder.after = this.#implied(path);
    this.put(parent, name);
    return folder;
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
    folder.own.delete(name);
    if (folder.children.delete(name)) this.#last = this.root;
  }

  /** Removes what lower layers have of a name, and keeps what is this layer's. */
  clearLower(folder: Folder, name: BytePath): void {
    const child = folder.children.get(name);
    if (child !== undefined && (child.holdsOwn || folder.own.has(name))) this.purge(child);
    else if (!folder.own.has(name)) this.clear(folder, name);
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
    throw new ImageError(`${JSON.stringify(name)} cannot be a name`);
  return name;
}
