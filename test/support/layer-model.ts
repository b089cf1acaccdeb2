import { posix } from 'node:path';
import type { RawEntry } from './raw-tar.ts';

interface Folder {
  readonly kind: 'folder';
  readonly path: readonly string[];
  readonly parent: Folder | undefined;
  readonly children: Map<string, Node>;
}
type Node =
  | Folder
  | { readonly kind: 'link'; readonly target: string }
  | { readonly kind: 'file' }
  | { readonly kind: 'whiteout' };

const folder = (parent: Folder, name: string): Folder => ({
  kind: 'folder',
  path: [...parent.path, name],
  parent,
  children: new Map(),
});

/**
 * What is in a layer alone, kept in memory, and which further entries all engines take: those that replace nothing but whiteouts, that
 * lead through what is there, and that hide nothing of their own layer.
 */
export class LayerModel {
  readonly #root: Folder = { kind: 'folder', path: [], parent: undefined, children: new Map() };
  readonly #names = new Set<string>();
  readonly #lowers: readonly LayerModel[];
  /** Folders that the present entry needs. */
  readonly #made: Folder[] = [];

  /** `lowers` are the layers beneath. */
  constructor(lowers: readonly LayerModel[]) {
    this.#lowers = lowers;
  }

  /** Takes an entry, or answers false where some engine would refuse the layer, or take it for something else. */
  take(entry: RawEntry): boolean {
    this.#made.length = 0;
    const isTaken = this.#take(entry);
    if (!isTaken) for (const { parent, path } of this.#made) parent?.children.delete(path.at(-1) ?? '');
    return isTaken;
  }

  #take(entry: RawEntry): boolean {
    const path = posix.join('/', entry.name);
    const name = posix.basename(path);
    if (path === '/' || this.#names.has(path)) return false;
    const target = entry.flag === '1' ? this.#find(posix.join('/', entry.link ?? '')) : undefined;
    if (
      entry.flag === '1' &&
      (target === undefined || target.kind === 'folder' || target.kind === 'whiteout')
    )
      return false;
    const parent = this.#folder(posix.dirname(path));
    if (parent === undefined) return false;
    const hidden = /^\.wh\.(?!\.wh\.)(.*)$/.exec(name)?.[1] ?? (isDevice(entry) ? name : undefined);
    const there = parent.children.get(hidden ?? name);
    if (there !== undefined && (hidden !== undefined || there.kind !== 'whiteout')) return false;
    // In the lowest layer Docker 29 then removes what folders hold that no entry is of.
    if (name === '.wh..wh..opq' && this.#lowers.length === 0 && parent.children.size > 0) return false;
    this.#names.add(path);
    if (hidden !== undefined) parent.children.set(hidden, { kind: 'whiteout' });
    else if (entry.flag === '5') parent.children.set(name, folder(parent, name));
    else if (target !== undefined) parent.children.set(name, target);
    else if (entry.flag === '2') parent.children.set(name, { kind: 'link', target: entry.link ?? '' });
    else if (name !== '.wh..wh..opq') parent.children.set(name, { kind: 'file' });
    return true;
  }

  /** What is at a path, a link at its end not followed. */
  #find(path: string): Node | undefined {
    const parent = this.#walk(posix.dirname(path), false);
    return parent?.kind === 'folder' ? parent.children.get(posix.basename(path)) : undefined;
  }

  /** The folder at a path, made where nothing is on the way. */
  #folder(path: string): Folder | undefined {
    const found = this.#walk(path, true);
    return found?.kind === 'folder' ? found : undefined;
  }

  /** Whether something that is no folder is on the way to a path. */
  #isOther(path: readonly string[]): boolean {
    let at: Node | undefined = this.#root;
    for (const name of path) {
      at = at.kind === 'folder' ? at.children.get(name) : undefined;
      if (at === undefined) return false;
      if (at.kind !== 'folder') return true;
    }
    return false;
  }

  #walk(path: string, makes: boolean): Node | undefined {
    let at: Node = this.#root;
    let links = 0;
    const rest = path.split('/').map((name) => ({ name, makes }));
    for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
      if (at.kind !== 'folder') return undefined;
      if (part.name === '' || part.name === '.') continue;
      if (part.name === '..') {
        at = at.parent ?? at;
        continue;
      }
      let next = at.children.get(part.name);
      // Only one engine makes what a link leads to.
      if (next === undefined && !part.makes) return undefined;
      if (next === undefined) {
        next = folder(at, part.name);
        // Docker 29 fails to find out what the folder is to be like.
        const { path: made } = next;
        if (this.#lowers.some((lower) => lower.#isOther(made))) return undefined;
        at.children.set(part.name, next);
        this.#made.push(next);
      }
      if (next.kind !== 'link') {
        at = next;
        continue;
      }
      links++;
      if (links > 40) return undefined;
      if (next.target.startsWith('/')) at = this.#root;
      rest.unshift(...next.target.split('/').map((name) => ({ name, makes: false })));
    }
    return at;
  }
}

const isDevice = ({ flag, major, minor }: RawEntry): boolean => flag === '3' && major === 0 && minor === 0;
