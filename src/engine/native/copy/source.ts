import { type BigIntStats, readlinkSync } from 'node:fs';
import { type BytePath, type FileTree, readContent, toBytes } from '../../../tar/index.ts';
import { attribute, entryOf, look, names } from '../../overlay/disk.ts';
import { type FoundFile, join, LayerView, nameOf, parentOf } from '../../overlay/layers.ts';
import { namingLongPaths } from '../../overlay/long-path.ts';
import { isRuntimePath, isRuntimeStub, mountFolders, withoutRuntimeTime } from '../../runtime.ts';
import type { Changes, FileContent, FileEntry } from '../../types.ts';

const byPath = (a: FileEntry, b: FileEntry): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/**
 * The changes of a workspace whose root is a folder of its own: what was there at the mark is compared with
 * what is there now, so the cost grows with the whole root. No command may run while it is read.
 */
export class CopySource implements FileTree {
  readonly #root: BytePath;
  /** What was created for commands to run, and the image does not have. */
  readonly #ours: ReadonlySet<BytePath>;
  readonly #known: ReadonlySet<BytePath>;
  #mark: ReadonlyMap<BytePath, BigIntStats> = new Map();

  /** `ours` may grow; `known` are paths of the image that other engines made. */
  constructor(root: BytePath, ours: ReadonlySet<BytePath>, known: ReadonlySet<BytePath>) {
    this.#root = root;
    this.#ours = ours;
    this.#known = known;
  }

  #isMade(path: BytePath): boolean {
    return this.#ours.has(path) || this.#known.has(path);
  }

  /** Whether there is nothing at a path except what was created for commands to run. */
  #isVoid(view: LayerView, path: BytePath, { stat }: FoundFile): boolean {
    if (!this.#isMade(path)) return false;
    if (!stat.isDirectory()) return stat.isFile() && stat.size === 0n;
    return [...view.children(path)].every(([name, child]) => this.#isVoid(view, join(path, name), child));
  }

  #touched(view: LayerView): ReadonlySet<BytePath> {
    return mountFolders((path) => {
      const found = view.find(path);
      if (found === undefined || this.#isVoid(view, path, found)) return undefined;
      if (found.stat.isDirectory()) return 'folder';
      return found.stat.isSymbolicLink() ? { link: readlinkSync(toBytes(found.real), 'latin1') } : 'other';
    });
  }

  #scan(): Map<BytePath, BigIntStats> {
    const state = new Map<BytePath, BigIntStats>();
    const scan = (folder: BytePath, real: BytePath): void => {
      for (const name of names(real)) {
        const path = join(folder, name);
        if (isRuntimePath(path)) continue;
        const stat = look(`${real}/${name}`);
        if (stat === undefined) continue;
        state.set(path, stat);
        if (stat.isDirectory()) scan(path, `${real}/${name}`);
      }
    };
    scan('', this.#root);
    return state;
  }

  mark(): void {
    this.#mark = namingLongPaths([this.#root], () => this.#scan());
  }

  changes(): Changes {
    return namingLongPaths([this.#root], () => this.#changes());
  }

  #changes(): Changes {
    const view = new LayerView([this.#root]);
    const touched = this.#touched(view);
    const added: FileEntry[] = [];
    const changed: BytePath[] = [];
    const now = this.#scan();
    for (const [path, stat] of now) {
      const then = this.#mark.get(path);
      if (then === undefined) {
        if (this.#isVoid(view, path, { real: `${this.#root}/${path}`, stat })) continue;
        const entry = entryOf(path, `${this.#root}/${path}`, stat);
        if (entry !== undefined) added.push(withoutRuntimeTime(entry, touched));
      } else if (differs(then, stat)) changed.push(path);
    }
    // What a folder held before something else took its place: the change of that thing already says so.
    const isTop = (path: BytePath): boolean => {
      const parent = parentOf(path);
      return parent === '' || now.get(parent)?.isDirectory() === true;
    };
    const removed = [...this.#mark.keys()].filter((path) => !now.has(path) && isTop(path));
    return { added: added.sort(byPath), changed: changed.sort(), removed: removed.sort() };
  }

  list(root: BytePath): Promise<readonly FileEntry[]> {
    return namingLongPaths([this.#root], () => this.#list(root));
  }

  async #list(root: BytePath): Promise<readonly FileEntry[]> {
    const view = new LayerView([this.#root]);
    const touched = this.#touched(view);
    const entries: FileEntry[] = [];
    const visit = (path: BytePath, real: BytePath, stat: BigIntStats): boolean => {
      const entry = entryOf(path, real, stat);
      if (entry === undefined || isRuntimeStub(entry)) return false;
      const at = entries.length;
      if (path !== '') entries.push(withoutRuntimeTime(entry, touched));
      let inside = false;
      if (entry.type === 'directory')
        for (const [name, child] of view.children(path))
          inside = visit(join(path, name), child.real, child.stat) || inside;
      if (inside || entry.size > 0 || !this.#isMade(path)) return true;
      entries.splice(at);
      return false;
    };
    const found = view.find(root);
    if (found !== undefined) visit(root, found.real, found.stat);
    return entries.sort(byPath);
  }

  async stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]> {
    const view = new LayerView([this.#root]);
    const touched = this.#touched(view);
    return paths.flatMap((path) => {
      const found = view.find(path);
      const entry = found && entryOf(path, found.real, found.stat);
      return entry === undefined ? [] : [withoutRuntimeTime(entry, touched)];
    });
  }

  async *read(files: readonly FileEntry[]): AsyncGenerator<FileContent, void, undefined> {
    const view = new LayerView([this.#root]);
    for (const file of files) {
      if (file.type !== 'file') {
        yield { file, xattrs: new Map() };
        continue;
      }
      const found = view.find(file.path);
      if (found === undefined) throw new Error(`${nameOf(file.path)} is gone from the workspace`);
      const capability = attribute(found.real, 'security.capability');
      const xattrs = new Map(capability === undefined ? [] : [['security.capability', capability]]);
      yield { file, xattrs, content: readContent(found.real) };
    }
  }
}

function differs(then: BigIntStats, now: BigIntStats): boolean {
  if (then.mode !== now.mode || then.uid !== now.uid || then.gid !== now.gid) return true;
  if (now.isDirectory()) return false;
  return then.size !== now.size || then.rdev !== now.rdev || then.mtimeNs !== now.mtimeNs;
}
