import type { BytePath } from '../../tar/index.ts';
import { attribute, isWhiteoutDevice, look, names } from './disk.ts';

/** A file of a stack of layers, and where it lies on disk. */
export interface FoundFile {
  readonly real: BytePath;
  readonly stat: NonNullable<ReturnType<typeof look>>;
}

/** The parent of a path; the root's is the root. */
export const parentOf = (path: BytePath): BytePath => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The last component of a path. */
export const nameOf = (path: BytePath): string => path.slice(path.lastIndexOf('/') + 1);

/** The path of a name in a folder. */
export const join = (folder: BytePath, name: string): BytePath =>
  folder === '' ? name : `${folder}/${name}`;

/** Whether a path's last component would lead out of its folder. */
const leadsOut = (path: BytePath): boolean => /^\.{0,2}$/.test(nameOf(path)) && path !== '';

/**
 * Whether a folder of a layer hides what lower layers have at its path (`trusted.overlay.opaque`, or `user.`
 * where the mount is unprivileged). The value `x` means instead that the folder holds whiteouts in the form
 * of attributes.
 */
export function opaque(real: BytePath): 'y' | 'x' | undefined {
  const value =
    attribute(real, 'trusted.overlay.opaque', true) ?? attribute(real, 'user.overlay.opaque', true);
  const text = value?.toString('latin1');
  return text === 'y' || text === 'x' ? text : undefined;
}

/** Whether an entry of a layer only hides an entry of lower layers. */
export function isWhiteout(real: BytePath, stat: FoundFile['stat'], folder: 'y' | 'x' | undefined): boolean {
  if (isWhiteoutDevice(stat)) return true;
  if (folder !== 'x' || !stat.isFile() || stat.size !== 0n) return false;
  return (
    (attribute(real, 'trusted.overlay.whiteout') ?? attribute(real, 'user.overlay.whiteout')) !== undefined
  );
}

/** What a path of one layer means for the layers above and below it. */
type Kind = 'folder' | 'opaque' | 'whiteouts' | 'none' | 'other';

/**
 * What is known of folders of layers that never change, for all views of these layers: paths high in a tree
 * are looked up again and again.
 */
export class FixedFolders {
  /** How many are remembered: the first ones. */
  static readonly #most = 20_000;
  readonly #known = new Map<BytePath, Kind>();

  /** What is at a path of a layer. Looked up once. */
  kind(real: BytePath): Kind {
    const known = this.#known.get(real);
    if (known !== undefined) return known;
    const kind = kindOf(real);
    if (this.#known.size < FixedFolders.#most) this.#known.set(real, kind);
    return kind;
  }
}

function kindOf(real: BytePath): Kind {
  const stat = look(real);
  if (stat === undefined) return 'none';
  if (!stat.isDirectory()) return 'other';
  const hides = opaque(real);
  return hides === undefined ? 'folder' : hides === 'y' ? 'opaque' : 'whiteouts';
}

/** How many paths a view remembers besides folders. */
const MOST_FOUND = 64;

/** The layers of a view that never change. */
export interface Fixed {
  /** The first so many layers do change. */
  readonly from: number;
  readonly folders: FixedFolders;
}

/** A folder of one layer, as part of a folder of the view. */
interface Part {
  readonly real: BytePath;
  readonly opaque: 'y' | 'x' | undefined;
  readonly isFixed: boolean;
}

/**
 * The merged view of a stack of overlay layers, read straight from their folders
 * (kernel documentation, `filesystems/overlayfs`, without redirects and metadata-only copies).
 */
export class LayerView {
  readonly #layers: readonly BytePath[];
  readonly #fixed: Fixed | undefined;
  /** For each folder: the folders of layers that it is made of, highest first. */
  readonly #stacks = new Map<BytePath, readonly Part[]>();
  /** Paths that were looked up, where no layer changes. */
  readonly #found = new Map<BytePath, FoundFile | undefined>();

  /** `layers` are absolute folders, the highest first. */
  constructor(layers: readonly BytePath[], fixed?: Fixed) {
    this.#layers = layers;
    this.#fixed = fixed;
  }

  /** A view of the same layers that has remembered nothing yet. */
  again(): LayerView {
    return new LayerView(this.#layers, this.#fixed);
  }

  #roots(): Part[] {
    const from = this.#fixed?.from ?? this.#layers.length;
    return this.#layers.map((real, i) => ({ real, opaque: undefined, isFixed: i >= from }));
  }

  /** What a folder of a layer is. Whether it is opaque matters only where something is below it. */
  #kind(real: BytePath, isFixed: boolean, hasBeneath: boolean): Kind {
    if (isFixed && this.#fixed !== undefined) return this.#fixed.folders.kind(real);
    if (hasBeneath) return kindOf(real);
    const stat = look(real);
    return stat === undefined ? 'none' : stat.isDirectory() ? 'folder' : 'other';
  }

  #stack(path: BytePath): readonly Part[] {
    const known = this.#stacks.get(path);
    if (known !== undefined) return known;
    if (leadsOut(path)) return [];
    const stack: Part[] = [];
    const above = path === '' ? this.#roots() : this.#stack(parentOf(path));
    for (const [at, { real: folder, isFixed }] of above.entries()) {
      const real = path === '' ? folder : `${folder}/${nameOf(path)}`;
      const hasBeneath = at + 1 < above.length;
      const kind = this.#kind(real, isFixed, hasBeneath);
      if (kind === 'none') continue;
      if (kind === 'other') break;
      // A folder can hide something only where something is below it.
      const hides = !hasBeneath || kind === 'folder' ? undefined : kind === 'opaque' ? 'y' : 'x';
      stack.push({ real, opaque: hides, isFixed });
      if (hides === 'y') break;
    }
    this.#stacks.set(path, stack);
    return stack;
  }

  /** The file at a path; undefined where there is none. */
  find(path: BytePath): FoundFile | undefined {
    if (path === '') {
      const real = this.#layers[0];
      const stat = real === undefined ? undefined : look(real);
      return real === undefined || stat === undefined ? undefined : { real, stat };
    }
    if (leadsOut(path)) return undefined;
    if (this.#fixed?.from !== 0) return this.#find(path);
    if (this.#found.has(path)) return this.#found.get(path);
    const found = this.#find(path);
    if (this.#found.size < MOST_FOUND) this.#found.set(path, found);
    return found;
  }

  #find(path: BytePath): FoundFile | undefined {
    for (const folder of this.#stack(parentOf(path))) {
      const real = `${folder.real}/${nameOf(path)}`;
      const stat = look(real);
      if (stat !== undefined) return isWhiteout(real, stat, folder.opaque) ? undefined : { real, stat };
    }
    return undefined;
  }

  /**
   * What lies at a path, but for the layers in which that is passed over: there the next lower one tells.
   * What all layers have is passed over is that of the highest.
   */
  findBeneath(path: BytePath, isPassedOver: (stat: FoundFile['stat']) => boolean): FoundFile | undefined {
    let first: FoundFile | undefined;
    for (const folder of this.#stack(parentOf(path))) {
      const real = `${folder.real}/${nameOf(path)}`;
      const stat = look(real);
      if (stat === undefined) continue;
      if (isWhiteout(real, stat, folder.opaque)) break;
      if (!isPassedOver(stat)) return { real, stat };
      first ??= { real, stat };
    }
    return first;
  }

  /** Whether a folder is there. */
  isFolder(path: BytePath): boolean {
    return this.#stack(path).length > 0;
  }

  /** The files of a folder, by name. */
  children(path: BytePath): Map<string, FoundFile> {
    const children = new Map<string, FoundFile>();
    const hidden = new Set<string>();
    for (const folder of this.#stack(path)) {
      for (const name of names(folder.real)) {
        if (children.has(name) || hidden.has(name)) continue;
        const real = `${folder.real}/${name}`;
        const stat = look(real);
        if (stat === undefined) continue;
        if (isWhiteout(real, stat, folder.opaque)) hidden.add(name);
        else children.set(name, { real, stat });
      }
    }
    return children;
  }
}
