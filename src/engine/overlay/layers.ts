import type { BytePath } from '../../tar/index.ts';
import { attribute, isWhiteoutDevice, look, names } from './disk.ts';

/** Where a path of a stack of layers lies on disk. */
export interface Found {
  readonly real: BytePath;
  readonly stat: NonNullable<ReturnType<typeof look>>;
}

/** The parent of a path; the root's is the root. */
export const parentOf = (path: BytePath): BytePath => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The last component of a path. */
export const nameOf = (path: BytePath): string => path.slice(path.lastIndexOf('/') + 1);

/** A name in a folder, as a path. */
export const join = (folder: BytePath, name: string): BytePath =>
  folder === '' ? name : `${folder}/${name}`;

/** Whether a path's last component would lead to somewhere else than into its folder. */
const leadsOut = (path: BytePath): boolean => /^\.{0,2}$/.test(nameOf(path)) && path !== '';

/**
 * Whether a folder of a layer hides what lower layers have at its path (`trusted.overlay.opaque`, or `user.` where the
 * mount is unprivileged). The value `x` means instead that the folder holds whiteouts in the form of attributes.
 */
export function opaque(real: BytePath): 'y' | 'x' | undefined {
  const value =
    attribute(real, 'trusted.overlay.opaque', true) ?? attribute(real, 'user.overlay.opaque', true);
  const text = value?.toString('latin1');
  return text === 'y' || text === 'x' ? text : undefined;
}

/** Whether an entry of a layer only says that lower layers' is hidden. */
export function isWhiteout(real: BytePath, stat: Found['stat'], folder: 'y' | 'x' | undefined): boolean {
  if (isWhiteoutDevice(stat)) return true;
  if (folder !== 'x' || !stat.isFile() || stat.size !== 0n) return false;
  return (
    (attribute(real, 'trusted.overlay.whiteout') ?? attribute(real, 'user.overlay.whiteout')) !== undefined
  );
}

/**
 * The merged view of a stack of overlay layers, read straight from their folders
 * (kernel documentation, `filesystems/overlayfs`, without redirects and metadata-only copies).
 */
export class LayerView {
  readonly #layers: readonly BytePath[];
  /** For each folder looked at: the folders of layers that make it up, highest first. */
  readonly #stacks = new Map<BytePath, readonly { real: BytePath; opaque: 'y' | 'x' | undefined }[]>();

  /** Layers are absolute folders, the highest first. */
  constructor(layers: readonly BytePath[]) {
    this.#layers = layers;
  }

  /** The same layers, looked at anew: a view remembers the folders that it has seen. */
  again(): LayerView {
    return new LayerView(this.#layers);
  }

  #stack(path: BytePath): readonly { real: BytePath; opaque: 'y' | 'x' | undefined }[] {
    const known = this.#stacks.get(path);
    if (known !== undefined) return known;
    if (leadsOut(path)) return [];
    const stack: { real: BytePath; opaque: 'y' | 'x' | undefined }[] = [];
    const above =
      path === '' ? this.#layers.map((real) => ({ real, opaque: undefined })) : this.#stack(parentOf(path));
    for (const [at, folder] of above.entries()) {
      const real = path === '' ? folder.real : `${folder.real}/${nameOf(path)}`;
      const stat = look(real);
      if (stat === undefined) continue;
      if (!stat.isDirectory()) break;
      // Only what has something beneath it can hide anything.
      const hides = at + 1 < above.length ? opaque(real) : undefined;
      stack.push({ real, opaque: hides });
      if (hides === 'y') break;
    }
    this.#stacks.set(path, stack);
    return stack;
  }

  /** What lies at a path; undefined where nothing does. */
  find(path: BytePath): Found | undefined {
    if (path === '') {
      const real = this.#layers[0];
      const stat = real === undefined ? undefined : look(real);
      return real === undefined || stat === undefined ? undefined : { real, stat };
    }
    if (leadsOut(path)) return undefined;
    for (const folder of this.#stack(parentOf(path))) {
      const real = `${folder.real}/${nameOf(path)}`;
      const stat = look(real);
      if (stat !== undefined) return isWhiteout(real, stat, folder.opaque) ? undefined : { real, stat };
    }
    return undefined;
  }

  /** Whether a folder is there. */
  isFolder(path: BytePath): boolean {
    return this.#stack(path).length > 0;
  }

  /** What a folder holds, by name. */
  children(path: BytePath): Map<string, Found> {
    const children = new Map<string, Found>();
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
