import { chmodSync, lchownSync, mkdirSync, readlinkSync, rmSync, utimesSync } from 'node:fs';
import { type BytePath, toBytes } from '../../../tar/index.ts';
import { EngineError } from '../../errors.ts';
import { look as lookAt } from '../../overlay/disk.ts';
import { isWhiteout, join, type LayerView, nameOf, opaque, parentOf } from '../../overlay/layers.ts';
import { giveAttribute } from './xattr.ts';

export type Stat = NonNullable<ReturnType<typeof lookAt>>;

/** A folder of the merged view of an upper folder and the layers below it. */
interface Folder {
  /** Its path with links resolved, relative to the root. */
  readonly path: BytePath;
  /** Its path in the upper folder, if it exists there. */
  upper: BytePath | undefined;
  /** Whether what lower layers hold in it is visible. */
  readonly through: boolean;
  /** The folder whose metadata its upper folder gets, where that must be created. */
  readonly like: Stat | undefined;
}

/** A place in the upper folder where something will be created. */
export interface Slot {
  /** Relative to the root, with links on the way resolved. */
  readonly path: BytePath;
  readonly real: BytePath;
  /** What the upper folder has there now, perhaps a whiteout. */
  readonly stat: Stat | undefined;
}

/** As many links as the kernel follows in one path (`path_resolution(7)`). */
const MOST_LINKS = 40;

/**
 * The writable top of a stack of layers. This program changes it as a mount would: folders are copied up, and
 * what is replaced hides what is below. Links on the way to a path stay inside of the root, wherever they
 * point.
 */
export class UpperTree {
  readonly #below: LayerView;
  readonly #opaque: string;
  readonly #folders = new Map<BytePath, Folder | undefined>();
  readonly #root: Folder;

  /** `opaque` is the name of the attribute that hides what is below a folder. The root must exist. */
  constructor(upper: BytePath, below: LayerView, opaque: string) {
    this.#below = below;
    this.#opaque = opaque;
    this.#root = { path: '', upper, through: true, like: undefined };
  }

  /**
   * The folder at a path, links followed; undefined where there is nothing. Throws an `EngineError` where
   * there is something else.
   */
  folder(path: BytePath): Folder | undefined {
    return this.#walk(
      path.split('/').filter((name) => name !== '' && name !== '.'),
      { links: 0 },
    );
  }

  #walk(names: readonly string[], budget: { links: number }): Folder | undefined {
    let at = this.#root;
    for (const [i, name] of names.entries()) {
      if (name === '..') {
        at = this.#known(parentOf(at.path));
        continue;
      }
      const path = join(at.path, name);
      if (this.#folders.has(path)) {
        const known = this.#folders.get(path);
        if (known === undefined) return undefined;
        at = known;
        continue;
      }
      const found = this.#look(at, name);
      if (found === undefined) {
        return undefined;
      }
      if (found.stat.isSymbolicLink()) {
        budget.links++;
        if (budget.links > MOST_LINKS) throw new EngineError(`too many links lead to /${shown(path)}`);
        const target = readlinkSync(toBytes(found.real), 'latin1');
        const rest = names.slice(i + 1);
        const parts = target.split('/').filter((part) => part !== '' && part !== '.');
        const from = target.startsWith('/') ? [] : at.path.split('/').filter((part) => part !== '');
        return this.#walk([...from, ...parts, ...rest], budget);
      }
      if (!found.stat.isDirectory())
        throw new EngineError(`/${shown(path)} is no folder, and nothing can be put into it`);
      at = {
        path,
        upper: found.isUpper ? found.real : undefined,
        through: at.through && this.#below.isFolder(path) && !(found.isUpper && opaque(found.real) === 'y'),
        like: found.stat,
      };
      this.#folders.set(path, at);
    }
    return at;
  }

  #known(path: BytePath): Folder {
    return path === '' ? this.#root : (this.#folders.get(path) ?? this.#root);
  }

  /** A name of a folder, in the merged view. */
  #look(folder: Folder, name: string): { real: BytePath; stat: Stat; isUpper: boolean } | undefined {
    if (folder.upper !== undefined) {
      const real = `${folder.upper}/${name}`;
      const stat = lookAt(real);
      if (stat !== undefined)
        return isWhiteout(real, stat, undefined) ? undefined : { real, stat, isUpper: true };
    }
    const below = folder.through ? this.#below.find(join(folder.path, name)) : undefined;
    return below === undefined ? undefined : { ...below, isUpper: false };
  }

  /** The file at a path. Links on the way are followed, a link at its end is not. */
  find(path: BytePath): { real: BytePath; stat: Stat } | undefined {
    const folder = this.folder(parentOf(path));
    return folder === undefined ? undefined : this.#look(folder, nameOf(path));
  }

  /** The target of the symbolic link at a path, which must be a link. */
  linkAt(path: BytePath): BytePath {
    return readlinkSync(toBytes(this.find(path)?.real ?? ''), 'latin1');
  }

  /**
   * The file that a path leads to, links at its end followed too. The resulting path has no links, also where
   * nothing is there.
   */
  resolve(path: BytePath): { readonly path: BytePath; readonly stat: Stat | undefined } {
    let at = path;
    for (let links = 0; links <= MOST_LINKS; links++) {
      const folder = this.folder(parentOf(at));
      if (folder === undefined) return { path: at, stat: undefined };
      const found = this.#look(folder, nameOf(at));
      const here = join(folder.path, nameOf(at));
      if (found === undefined || !found.stat.isSymbolicLink()) return { path: here, stat: found?.stat };
      const target = readlinkSync(toBytes(found.real), 'latin1');
      const parts = `${target.startsWith('/') ? '' : folder.path}/${target}`.split('/');
      // `..` is resolved together with the folder that it stands in.
      const up = parts.lastIndexOf('..');
      const whole = parts.filter((part) => part !== '' && part !== '.');
      at = up < 0 ? whole.join('/') : this.#lexical(whole);
    }
    throw new EngineError(`too many links lead to /${shown(path)}`);
  }

  #lexical(parts: readonly string[]): BytePath {
    const out: string[] = [];
    for (const part of parts) {
      if (part !== '..') out.push(part);
      else {
        // The folder before may be a link itself.
        const folder = this.folder(out.join('/'));
        const real = folder === undefined ? out.slice(0, -1).join('/') : parentOf(folder.path);
        out.splice(0, out.length, ...real.split('/').filter((name) => name !== ''));
      }
    }
    return out.join('/');
  }

  /**
   * The path of a folder in the upper folder. It, and the folders above it, are created there where they are
   * missing.
   */
  enter(path: BytePath): { readonly path: BytePath; readonly real: BytePath } {
    const found = this.folder(path);
    if (found !== undefined) return { path: found.path, real: this.#raise(found) };
    const slot = this.slot(path);
    this.makeFolder(slot);
    return slot;
  }

  /** Whether a folder exists in the upper folder, so that `enter` changes nothing. */
  isRaised(path: BytePath): boolean {
    return this.folder(path)?.upper !== undefined;
  }

  /** Copies a folder up, without its content. */
  #raise(folder: Folder): BytePath {
    if (folder.upper !== undefined) return folder.upper;
    const parent = this.#raise(this.#known(parentOf(folder.path)));
    const real = `${parent}/${nameOf(folder.path)}`;
    mkdirSync(toBytes(real));
    if (folder.like !== undefined) copyMetadata(real, folder.like);
    folder.upper = real;
    return real;
  }

  /** The place for something at a path. Links on the way are followed, missing folders are created. */
  slot(path: BytePath): Slot {
    const parent = this.enter(parentOf(path));
    const at = join(parent.path, nameOf(path));
    const real = `${parent.real}/${nameOf(path)}`;
    return { path: at, real, stat: lookAt(real) };
  }

  /** Clears a place of the upper folder: what is created there hides what is below. */
  clear({ path, real, stat }: Slot): void {
    if (stat === undefined) return;
    rmSync(toBytes(real), { recursive: true, force: true });
    this.#forget(path);
  }

  /** Creates a folder at a place, unless there is one. Anything else that was there is removed. */
  makeFolder(slot: Slot): void {
    const { path, real, stat } = slot;
    if (stat?.isDirectory()) return;
    this.clear(slot);
    mkdirSync(toBytes(real));
    chmodSync(toBytes(real), 0o755);
    // Something else, or a whiteout, hid what lower layers have there. The folder must hide it, too.
    if (stat !== undefined && this.#below.isFolder(path))
      giveAttribute({ path: real, isFolder: true }, this.#opaque, Buffer.from('y'));
    this.#forget(path);
  }

  #forget(path: BytePath): void {
    if (this.#folders.size === 0) return;
    for (const known of this.#folders.keys())
      if (known === path || known.startsWith(`${path}/`)) this.#folders.delete(known);
  }
}

/** Copies the owner, mode and time of a folder to another. */
export function copyMetadata(real: BytePath, like: Stat): void {
  const bytes = toBytes(real);
  lchownSync(bytes, Number(like.uid), Number(like.gid));
  chmodSync(bytes, Number(like.mode & 0o7777n));
  const time = Number(like.mtimeNs) / 1e9;
  utimesSync(bytes, time, time);
}

const shown = (path: BytePath): string => Buffer.from(path, 'latin1').toString();
