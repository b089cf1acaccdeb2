import type { BigIntStats } from 'node:fs';
import { type BytePath, readContent } from '../../tar/index.ts';
import { attribute, entryOf, look, names } from '../overlay/disk.ts';
import { join, LayerView, nameOf, parentOf } from '../overlay/layers.ts';
import { isRuntimePath, isRuntimeStub, withoutRuntimeTime } from '../runtime.ts';
import type { Changes, FileContent, FileEntry } from '../types.ts';

const byPath = (a: FileEntry, b: FileEntry): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/**
 * A workspace's changes where its root is a folder of its own: by comparing what was there at the mark with what is there now, so the
 * cost grows with the whole root. No command may be running while it is read.
 */
export class CopySource {
  readonly #root: BytePath;
  /** Folders that were made for commands to run, and that the image did not have. */
  readonly #ours: ReadonlySet<BytePath>;
  #mark: ReadonlyMap<BytePath, BigIntStats> = new Map();

  constructor(root: BytePath, ours: ReadonlySet<BytePath>) {
    this.#root = root;
    this.#ours = ours;
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
    this.#mark = this.#scan();
  }

  changes(): Changes {
    const added: FileEntry[] = [];
    const changed: BytePath[] = [];
    const now = this.#scan();
    for (const [path, stat] of now) {
      const then = this.#mark.get(path);
      if (then === undefined) {
        const entry = entryOf(path, `${this.#root}/${path}`, stat);
        if (entry !== undefined) added.push(withoutRuntimeTime(entry));
      } else if (differs(then, stat)) changed.push(path);
    }
    // What a folder held before something else took its place is told by that thing's change.
    const isTop = (path: BytePath): boolean => {
      const parent = parentOf(path);
      return parent === '' || now.get(parent)?.isDirectory() === true;
    };
    const removed = [...this.#mark.keys()].filter((path) => !now.has(path) && isTop(path));
    return { added: added.sort(byPath), changed: changed.sort(), removed: removed.sort() };
  }

  list(root: BytePath): FileEntry[] {
    const view = new LayerView([this.#root]);
    const entries: FileEntry[] = [];
    const visit = (path: BytePath, real: BytePath, stat: BigIntStats): boolean => {
      const entry = entryOf(path, real, stat);
      if (entry === undefined || isRuntimeStub(entry)) return false;
      const at = entries.length;
      if (path !== '') entries.push(withoutRuntimeTime(entry));
      let inside = false;
      if (entry.type === 'directory')
        for (const [name, child] of view.children(path))
          inside = visit(join(path, name), child.real, child.stat) || inside;
      if (inside || !this.#ours.has(path)) return true;
      entries.splice(at);
      return false;
    };
    const found = view.find(root);
    if (found !== undefined) visit(root, found.real, found.stat);
    return entries.sort(byPath);
  }

  stat(paths: readonly BytePath[]): FileEntry[] {
    const view = new LayerView([this.#root]);
    return paths.flatMap((path) => {
      const found = view.find(path);
      const entry = found && entryOf(path, found.real, found.stat);
      return entry === undefined ? [] : [withoutRuntimeTime(entry)];
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
