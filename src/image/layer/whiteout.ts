import { type BytePath, type Entry, getAttribute, setAttribute, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { nameOf, parentOf } from './disk.ts';

/**
 * Prefix of names in a layer's archive that hide the rest of the name in lower layers (OCI image layer,
 * "Whiteouts").
 */
export const WHITEOUT = '.wh.';

/** Name that hides the content of its folder in lower layers. */
export const OPAQUE = '.wh..wh..opq';

/** The effect of an entry in a layer's archive. */
export type Meaning =
  | { readonly kind: 'entry' }
  /** Hides this path in lower layers. */
  | { readonly kind: 'whiteout'; readonly folder: BytePath; readonly name: BytePath }
  /** Hides everything that lower layers have in this folder. */
  | { readonly kind: 'opaque'; readonly folder: BytePath };

/** The effect of an entry. Throws an ImageError for names that a layer cannot have. */
export function meaningOf(entry: Entry): Meaning {
  const { path } = entry;
  const folder = parentOf(path);
  const name = nameOf(path);
  // Engines check only the last name, even in the folders of AUFS (`.wh..wh.plnk`).
  if (!name.startsWith(WHITEOUT)) {
    const isDevice = entry.type === 'character' && entry.device?.major === 0 && entry.device.minor === 0;
    // A device that overlayfs treats as a whiteout is a whiteout, so that a layer has the same meaning in
    // every form.
    return isDevice ? { kind: 'whiteout', folder, name } : { kind: 'entry' };
  }
  if (name === OPAQUE) return { kind: 'opaque', folder };
  const hidden = name.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..')
    throw new ImageError(`invalid whiteout ${shownPath(path)} in a layer: it hides nothing`);
  return { kind: 'whiteout', folder, name: hidden };
}

/**
 * Namespace of the attributes that an overlay mount reads: `trusted` for root, `user` with the mount option
 * `userxattr`.
 */
export type OverlayNamespace = 'trusted' | 'user';

/**
 * Marks a folder of an overlay layer: `y` hides the content of lower layers, `x` means that it contains
 * whiteouts in the form of attributes (kernel documentation, `filesystems/overlayfs`).
 */
export function markFolder(real: BytePath, namespace: OverlayNamespace, mark: 'y' | 'x'): void {
  if (!setAttribute({ path: real, isFolder: true }, `${namespace}.overlay.opaque`, Buffer.from(mark)))
    throw new ImageError(
      `cannot hide lower layers in ${shownPath(real)}: the attribute ${namespace}.overlay.opaque cannot be set here`,
    );
}

/** The mark of a folder of an overlay layer, as in `markFolder`. */
export function folderMark(real: BytePath): 'y' | 'x' | undefined {
  for (const namespace of ['trusted', 'user']) {
    const value = getAttribute({ path: real, isFolder: true }, `${namespace}.overlay.opaque`)?.toString(
      'latin1',
    );
    if (value === 'y' || value === 'x') return value;
  }
  return undefined;
}

/** Whether an empty file in a folder marked `x` is a whiteout. */
export function isWhiteoutFile(real: BytePath, scratch?: string): boolean {
  const place = { path: real, isFolder: false, ...(scratch === undefined ? {} : { scratch }) };
  return ['trusted', 'user'].some((at) => getAttribute(place, `${at}.overlay.whiteout`) !== undefined);
}

/**
 * Whether an extended attribute belongs to an image: capabilities and user attributes. Other attributes
 * belong to the host (labels of security modules) or to overlayfs, where an image could use them to escape
 * its layer.
 */
export function isKeptAttribute(name: string): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}
