import { type BytePath, type Entry, getAttribute, setAttribute, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { nameOf, parentOf } from './disk.ts';

/** What a name in a layer's archive begins with that says that lower layers' is gone (OCI image layer, "Whiteouts"). */
export const WHITEOUT = '.wh.';

/** The name that says that lower layers' content of its folder is gone. */
export const OPAQUE = '.wh..wh..opq';

/** What an entry of a layer's archive is there for. */
export type Meaning =
  | { readonly kind: 'entry' }
  /** Hides lower layers' of this path. */
  | { readonly kind: 'whiteout'; readonly folder: BytePath; readonly name: BytePath }
  /** Hides all that lower layers have in this folder. */
  | { readonly kind: 'opaque'; readonly folder: BytePath };

/** What an entry is there for. Throws an ImageError for names that a layer cannot have. */
export function meaningOf(entry: Entry): Meaning {
  const { path } = entry;
  const folder = parentOf(path);
  const name = nameOf(path);
  // Engines look at the last name alone, also in what AUFS kept its books in (`.wh..wh.plnk`).
  if (!name.startsWith(WHITEOUT)) {
    const isDevice = entry.type === 'character' && entry.device?.major === 0 && entry.device.minor === 0;
    // What overlayfs takes for a whiteout is one, so that a layer means the same in every form.
    return isDevice ? { kind: 'whiteout', folder, name } : { kind: 'entry' };
  }
  if (name === OPAQUE) return { kind: 'opaque', folder };
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..')
    throw new ImageError(`a layer has the name ${shownPath(path)}, which hides nothing`);
  return { kind: 'whiteout', folder, name: hidden };
}

/** Whose attributes an overlay mount reads: `trusted` as root, `user` where it is mounted with `userxattr`. */
export type OverlayNamespace = 'trusted' | 'user';

/**
 * Makes a folder of an overlay's layer hide what is beneath it (`y`), or hold whiteouts in the form of attributes (`x`)
 * (kernel documentation, `filesystems/overlayfs`).
 */
export function markFolder(real: BytePath, namespace: OverlayNamespace, mark: 'y' | 'x'): void {
  if (!setAttribute({ path: real, isFolder: true }, `${namespace}.overlay.opaque`, Buffer.from(mark)))
    throw new ImageError(
      `cannot hide what is beneath ${shownPath(real)}: ${namespace}.overlay.opaque cannot be set here`,
    );
}

/** What a folder of an overlay's layer says of what is beneath it: `y` and `x` as above. */
export function folderMark(real: BytePath): 'y' | 'x' | undefined {
  for (const namespace of ['trusted', 'user']) {
    const value = getAttribute({ path: real, isFolder: true }, `${namespace}.overlay.opaque`)?.toString(
      'latin1',
    );
    if (value === 'y' || value === 'x') return value;
  }
  return undefined;
}

/** Whether an empty file, in a folder marked `x`, is a whiteout. */
export function isWhiteoutFile(real: BytePath, scratch?: string): boolean {
  const place = { path: real, isFolder: false, ...(scratch === undefined ? {} : { scratch }) };
  return ['trusted', 'user'].some((at) => getAttribute(place, `${at}.overlay.whiteout`) !== undefined);
}

/**
 * Whether an extended attribute is part of an image: capabilities, and what users set. Others are the host's (labels of security
 * modules), or the overlay's own, with which an image could reach out of its layer.
 */
export function isKeptAttribute(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}
