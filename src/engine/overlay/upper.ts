import { type BigIntStats, readlinkSync } from 'node:fs';
import { type BytePath, type FileTree, readContent, toBytes } from '../../tar/index.ts';
import { isMountedFile, isRuntimePath, isRuntimeStub, mountFolders, withoutRuntimeTime } from '../runtime.ts';
import type { Changes, FileContent, FileEntry } from '../types.ts';
import { attribute, entryOf, look, names } from './disk.ts';
import { isInitLayer } from './init-layer.ts';
import {
  FixedFolders,
  type FoundFile,
  isWhiteout,
  join,
  LayerView,
  nameOf,
  opaque,
  parentOf,
} from './layers.ts';
import { namingLongPaths } from './long-path.ts';
import type { OverlayMount } from './mount.ts';
import { sameContent } from './same.ts';

/** What the upper folder held at a path when the mark was set. */
interface AtMark {
  readonly stat: BigIntStats;
  readonly whiteout: boolean;
  /** A folder that hides what is below it. */
  readonly opaque: boolean;
}

const byPath = (a: { readonly path: BytePath }, b: { readonly path: BytePath }): number =>
  a.path < b.path ? -1 : a.path > b.path ? 1 : 0;

/**
 * The changes of a workspace, read from the upper folder of its overlay mount: the cost grows with what was
 * written, not with what is below. No command may run while it is read.
 */
export class UpperSource implements FileTree {
  readonly #upper: BytePath;
  /** Where its files lie. */
  readonly #roots: readonly BytePath[];
  readonly #below: LayerView;
  readonly #merged: LayerView;
  readonly #folder: BytePath;
  readonly #fromStart = new Set<BytePath>();
  readonly #known: ReadonlySet<BytePath>;
  #mark: ReadonlyMap<BytePath, AtMark> = new Map();

  /**
   * `folder` is the working folder, which the engine may have made when the workspace was opened; `fixed` is
   * what is known of layers; `given` are paths in the upper folder that the engine did not make, and `known`
   * those that engines made in the containers of which the layers were committed.
   */
  constructor(
    mount: OverlayMount,
    folder: BytePath,
    {
      fixed = new FixedFolders(),
      given = new Set(),
      known = new Set(),
    }: {
      readonly fixed?: FixedFolders;
      readonly given?: ReadonlySet<BytePath>;
      readonly known?: ReadonlySet<BytePath>;
    } = {},
  ) {
    const bytes = (path: string): BytePath => Buffer.from(path, 'utf8').toString('latin1');
    this.#upper = bytes(mount.upper);
    const image = mount.lowers.map(bytes).filter((layer) => !isInitLayer(layer));
    this.#roots = [this.#upper, ...image];
    this.#known = known;
    this.#below = new LayerView(image, { from: 0, folders: fixed });
    this.#merged = new LayerView([this.#upper, ...image], { from: 1, folders: fixed });
    this.#folder = folder;
    for (const path of this.#scan().keys()) if (!given.has(path)) this.#fromStart.add(path);
  }

  mark(): void {
    this.#mark = namingLongPaths(this.#roots, () => this.#scan());
  }

  #scan(): Map<BytePath, AtMark> {
    const state = new Map<BytePath, AtMark>();
    const scan = (folder: BytePath, real: BytePath): void => {
      // Only entries that hide something matter, and only a folder with another below it can hide anything.
      const hides = this.#below.isFolder(folder) ? opaque(real) : undefined;
      const own = state.get(folder);
      if (own !== undefined && hides === 'y') state.set(folder, { ...own, opaque: true });
      for (const name of names(real)) {
        const path = join(folder, name);
        const at = `${real}/${name}`;
        const stat = look(at);
        if (stat === undefined) continue;
        state.set(path, { stat, whiteout: isWhiteout(at, stat, hides), opaque: false });
        if (stat.isDirectory()) scan(path, at);
      }
    };
    scan('', this.#upper);
    return state;
  }

  /** Whether what lower layers hold in a folder was visible at the mark. */
  #seenThrough(folder: BytePath): boolean {
    if (folder === '') return true;
    const then = this.#mark.get(folder);
    if (then !== undefined && (then.whiteout || then.opaque || !then.stat.isDirectory())) return false;
    return this.#seenThrough(parentOf(folder));
  }

  #existed(path: BytePath): boolean {
    const then = this.#mark.get(path);
    if (then !== undefined) return !then.whiteout;
    return this.#seenThrough(parentOf(path)) && this.#below.find(path) !== undefined;
  }

  changes(): Promise<Changes> {
    return namingLongPaths(this.#roots, () => this.#changes());
  }

  async #changes(): Promise<Changes> {
    const touched = this.#touched(this.#view());
    const added: FileEntry[] = [];
    const changed: BytePath[] = [];
    const removed: BytePath[] = [];
    /** Paths that are not folders now, so that they hide what a folder held. */
    const replaced = new Set<BytePath>();
    const present = new Set<BytePath>();
    const visit = async (
      folder: BytePath,
      real: BytePath,
      folderExisted: boolean,
      covered: boolean,
    ): Promise<void> => {
      const through = folderExisted && this.#below.isFolder(folder);
      const hides = through ? opaque(real) : undefined;
      for (const name of names(real)) {
        const path = join(folder, name);
        if (isRuntimePath(path)) continue;
        const at = `${real}/${name}`;
        const stat = look(at);
        if (stat === undefined) continue;
        const existed = folderExisted && this.#existed(path);
        if (isWhiteout(at, stat, hides)) {
          if (existed) removed.push(path);
          continue;
        }
        present.add(path);
        if (!stat.isDirectory()) replaced.add(path);
        if (!existed) {
          const entry = entryOf(path, at, stat);
          if (entry !== undefined) added.push(withoutRuntimeTime(entry, touched));
        } else if (await this.#differs(path, { real: at, stat })) changed.push(path);
        if (stat.isDirectory()) await visit(path, at, existed, covered || hides === 'y');
      }
      // A folder that was removed and created again hides what it held, without a trace of each name.
      if (through && (covered || hides === 'y') && this.#seenThrough(folder)) {
        for (const name of this.#below.children(folder).keys()) {
          const path = join(folder, name);
          if (!present.has(path) && !isRuntimePath(path) && this.#existed(path)) removed.push(path);
        }
      }
    };
    await visit('', this.#upper, true, false);
    for (const [path, then] of this.#mark) {
      if (then.whiteout || present.has(path) || isRuntimePath(path) || this.#isMade(path)) continue;
      // What a folder held is gone with it: the change of the folder already says so.
      if (!hasAncestorIn(path, replaced)) removed.push(path);
    }
    const gone = new Set(removed);
    return {
      added: added.sort(byPath),
      changed: changed.sort(),
      removed: [...gone].filter((path) => !hasAncestorIn(path, gone)).sort(),
    };
  }

  async #differs(path: BytePath, now: FoundFile): Promise<boolean> {
    const then = this.#mark.get(path)?.stat ?? this.#below.find(path)?.stat;
    if (
      then === undefined ||
      then.mode !== now.stat.mode ||
      then.uid !== now.stat.uid ||
      then.gid !== now.stat.gid
    )
      return true;
    if (now.stat.isDirectory()) return false;
    if (then.size !== now.stat.size || then.rdev !== now.stat.rdev) return true;
    if (then.mtimeNs === now.stat.mtimeNs) return false;
    const before = this.#mark.has(path) ? undefined : this.#below.find(path)?.real;
    // A file that was opened for writing and not changed is copied up, too.
    return before === undefined || !(now.stat.isFile() && (await sameContent(before, now.real)));
  }

  list(root: BytePath): Promise<readonly FileEntry[]> {
    return namingLongPaths(this.#roots, () => this.#list(root));
  }

  async #list(root: BytePath): Promise<readonly FileEntry[]> {
    const view = this.#view();
    const touched = this.#touched(view);
    const entries: FileEntry[] = [];
    const visit = (path: BytePath, found: FoundFile): number => {
      const entry = entryOf(path, found.real, found.stat);
      if (entry === undefined || isRuntimeStub(entry)) return 0;
      const at = entries.length;
      if (path !== '') entries.push(withoutRuntimeTime(entry, touched));
      let inside = 0;
      if (entry.type === 'directory') {
        for (const [name, child] of view.children(path)) {
          const inner = join(path, name);
          inside += visit(inner, isMountedFile(inner) ? (own(view, inner) ?? child) : child);
        }
      }
      if (inside === 0 && entry.size === 0 && this.#isMade(path)) {
        entries.splice(at);
        return 0;
      }
      return 1;
    };
    const found = view.find(root);
    if (found !== undefined) visit(root, found);
    return entries.sort(byPath);
  }

  /** Whether an engine made what is at a path, and nothing else was put there since. */
  #isMade(path: BytePath): boolean {
    if (this.#known.has(path)) return true;
    return this.#fromStart.has(path) && path !== this.#folder && this.#below.find(path) === undefined;
  }

  /** Whether there is nothing at a path except what engines made. */
  #isVoid(view: LayerView, path: BytePath, { real, stat }: FoundFile): boolean {
    const entry = entryOf(path, real, stat);
    if (entry !== undefined && isRuntimeStub(entry)) return true;
    if (!this.#isMade(path)) return false;
    if (!stat.isDirectory()) return stat.isFile() && stat.size === 0n;
    return [...view.children(path)].every(([name, child]) => this.#isVoid(view, join(path, name), child));
  }

  #touched(view: LayerView): ReadonlySet<BytePath> {
    return mountFolders((path) => {
      const found = own(view, path);
      if (found === undefined || this.#isVoid(view, path, found)) return undefined;
      if (found.stat.isDirectory()) return 'folder';
      return found.stat.isSymbolicLink() ? { link: readlinkSync(toBytes(found.real), 'latin1') } : 'other';
    });
  }

  /**
   * The paths that engines made here and in the image, except those that are known by name. An image that is
   * made now has them.
   */
  made(): BytePath[] {
    const view = this.#view();
    return [...new Set([...this.#known, ...this.#fromStart])]
      .filter((path) => {
        const found = isRuntimePath(path) ? undefined : view.find(path);
        return found !== undefined && this.#isVoid(view, path, found);
      })
      .sort();
  }

  async stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]> {
    const view = this.#view();
    const touched = this.#touched(view);
    return paths.flatMap((path) => {
      const found = own(view, path);
      const entry = found && entryOf(path, found.real, found.stat);
      return entry === undefined ? [] : [withoutRuntimeTime(entry, touched)];
    });
  }

  /** Views remember what they saw, but the upper folder changes: each question needs a new view. */
  #view(): LayerView {
    return this.#merged.again();
  }

  async *read(files: readonly FileEntry[]): AsyncGenerator<FileContent, void, undefined> {
    const view = this.#view();
    for (const file of files) {
      const found = file.type === 'file' ? own(view, file.path) : undefined;
      if (found === undefined) {
        if (file.type === 'file') throw new Error(`${nameOf(file.path)} is gone from the workspace`);
        yield { file, xattrs: new Map() };
        continue;
      }
      const capability = attribute(found.real, 'security.capability');
      const xattrs = new Map(capability === undefined ? [] : [['security.capability', capability]]);
      yield { file, xattrs, content: readContent(found.real) };
    }
  }
}

/**
 * What an image itself has at a path. Docker 29 leaves an empty file in a container for each that it mounts
 * when something is put into the container, and commits it: it hides the image's own.
 */
function own(view: LayerView, path: BytePath): FoundFile | undefined {
  if (!isMountedFile(path)) return view.find(path);
  return view.findBeneath(path, (stat) => stat.isFile() && stat.size === 0n);
}

function hasAncestorIn(path: BytePath, set: ReadonlySet<BytePath>): boolean {
  for (let at = parentOf(path); at !== ''; at = parentOf(at)) if (set.has(at)) return true;
  return false;
}
