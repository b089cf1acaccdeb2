import { chmodSync, chownSync, closeSync, lchownSync, lutimesSync, openSync, utimesSync } from 'node:fs';
import { type BytePath, type Entry, setAttribute, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { native } from './disk.ts';
import { bottomUp, type ExtractedFolder, join } from './folders.ts';
import { makeSpecialFiles, makeWhiteoutDevices, type SpecialFile } from './nodes.ts';
import { markFolder, type OverlayNamespace } from './whiteout.ts';

/** Options for finishing an extraction. */
export interface Finish {
  /** Whether to create whiteouts; otherwise they were already applied. */
  readonly isOverlay: boolean;
  readonly namespace: OverlayNamespace;
  readonly whiteouts: 'device' | 'attribute';
  readonly keepsOwners: boolean;
  /**
   * Whether lower layers may contain a path. A whiteout of nothing would be visible where the folder is used
   * as a single layer.
   */
  readonly mayBeBelow: (path: BytePath) => boolean;
  /** Sets the attributes of a folder. */
  readonly setAttributes: (real: BytePath, xattrs: ReadonlyMap<string, Uint8Array>) => void;
}

/** Checks the entry of a device or pipe. Throws an ImageError for invalid device numbers. */
export function deviceOf(entry: Entry): Entry {
  const { major = 0, minor = 0 } = entry.device ?? {};
  if (major < 2 ** 12 && minor < 2 ** 20) return entry;
  throw new ImageError(`invalid device numbers of ${shownPath(entry.path)}`);
}

/**
 * Creates whiteouts, devices and pipes. Sets the metadata of folders last, because creating files changes it.
 */
export async function finishFolders(root: ExtractedFolder, how: Finish): Promise<void> {
  const nodes: (SpecialFile & { readonly entry: Entry })[] = [];
  const hidden: BytePath[] = [];
  for (const { real, nodes: own } of bottomUp(root))
    for (const [name, entry] of own)
      nodes.push({ real: `${real}/${name}`, type: entry.type, device: entry.device, entry });
  if (how.isOverlay) collectHidden(root, false, how, hidden);
  const { failed, said } = await makeSpecialFiles(nodes);
  if (failed[0] !== undefined)
    throw new ImageError(
      `cannot make ${failed.length} devices or pipes, such as ${shownPath(failed[0].real)}: ${said}`,
    );
  for (const { real, entry } of nodes) {
    if (how.keepsOwners) lchownSync(native(real), entry.uid, entry.gid);
    chmodSync(native(real), entry.mode);
    lutimesSync(native(real), entry.mtime, entry.mtime);
  }
  await makeWhiteoutDevices(hidden);
  for (const folder of bottomUp(root)) applyMetadata(folder, how);
}

/** Marks opaque folders, and collects the paths of whiteouts that become devices. */
function collectHidden(folder: ExtractedFolder, isHidden: boolean, how: Finish, into: BytePath[]): void {
  const missing: BytePath[] = [];
  for (const name of folder.whiteouts) {
    const child = folder.children.get(name);
    // This layer has its own folder with a hidden name, so the folder becomes opaque.
    if (child !== undefined) child.isOpaque = true;
    else if (!folder.own.has(name) && how.mayBeBelow(join(folder.path, name)))
      missing.push(`${folder.real}/${name}`);
  }
  // Content below an opaque folder is invisible, so whiteouts are unnecessary.
  const hidesBelow = isHidden || folder.isOpaque;
  if (!hidesBelow && how.whiteouts === 'device') into.push(...missing);
  else if (!hidesBelow && missing.length > 0) makeWhiteoutFiles(folder, missing, how.namespace);
  for (const child of folder.children.values()) collectHidden(child, hidesBelow, how, into);
}

function makeWhiteoutFiles(
  folder: ExtractedFolder,
  reals: readonly BytePath[],
  namespace: OverlayNamespace,
): void {
  markFolder(folder.real, namespace, 'x');
  for (const real of reals) {
    closeSync(openSync(native(real), 'wx', 0o600));
    const name = `${namespace}.overlay.whiteout`;
    if (!setAttribute({ path: real, isFolder: false }, name, Buffer.from('y')))
      throw new ImageError(`cannot create a whiteout: the attribute ${name} cannot be set here`);
  }
}

function applyMetadata(folder: ExtractedFolder, how: Finish): void {
  const { real, after } = folder;
  if (folder.isOpaque) markFolder(real, how.namespace, 'y');
  if (after === undefined) return;
  if (how.keepsOwners) chownSync(native(real), after.uid, after.gid);
  if (after.xattrs !== undefined) how.setAttributes(real, after.xattrs);
  chmodSync(native(real), after.mode);
  utimesSync(native(real), after.mtime, after.mtime);
}
