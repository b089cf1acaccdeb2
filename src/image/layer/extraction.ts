import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  linkSync,
  lutimesSync,
  openSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import {
  attributeNames,
  type BytePath,
  type Entry,
  getAttribute,
  type ReadEntry,
  setAttribute,
} from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { findBelow, type Located } from './below.ts';
import { look, nameOf, native, parentOf, writeAll } from './disk.ts';
import type { Extracted, ExtractLimits, ExtractOptions } from './extract.ts';
import { deviceOf, finishFolders } from './finish.ts';
import { type Folder, type FolderMetadata, Folders, join } from './folders.ts';
import { unwritable } from './unwritable.ts';
import { isKeptAttribute, meaningOf } from './whiteout.ts';

/** One more than any owner that there is; the last id means "none" to the system. */
const IDS = 2 ** 32 - 1;

/** What is linked to: a file that is there, or a device that is made at the end. */
interface Target {
  readonly real: BytePath;
  readonly node: Entry | undefined;
}

/** The state of one archive's way into a folder. */
export class Extraction {
  readonly #folders: Folders;
  readonly #options: ExtractOptions;
  readonly #limits: ExtractLimits;
  readonly #isOverlay: boolean;
  readonly #keepsOwners: boolean;
  readonly #counts = { entries: 0, bytes: 0, devices: 0, skippedDevices: 0, skippedAttributes: 0 };
  #scratch = 0;

  constructor(root: BytePath, options: ExtractOptions, limits: ExtractLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#isOverlay = options.form === 'overlay' || options.form === 'overlay-user';
    this.#keepsOwners = options.owners !== 'none';
    this.#folders = new Folders(
      root,
      (path) => this.#implied(path),
      () => options.split?.lost(),
    );
    if (this.#isOverlay) this.#folders.root.after = this.#implied('');
  }

  /** What a folder gets that the layer does not have: in an overlay it would hide the one beneath it. */
  #implied(path: BytePath): FolderMetadata {
    const below = this.#isOverlay ? this.#below(path) : undefined;
    if (below?.stat.isDirectory() !== true) return { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
    const { mode, uid, gid, mtimeMs } = below.stat;
    const xattrs = attributesOf(below.real, true);
    return { mode: mode & 0o7777, uid, gid, mtime: mtimeMs / 1000, xattrs };
  }

  /** What lower layers have at a path, where this layer does not hide it. */
  #below(path: BytePath): Located | undefined {
    let folder: Folder | undefined = this.#folders.root;
    for (const part of path === '' ? [] : path.split('/')) {
      if (folder?.isOpaque === true || folder?.whiteouts.has(part) === true) return undefined;
      folder = folder?.children.get(part);
    }
    return findBelow(this.#options.lowers ?? [], path);
  }

  /** Extracts one entry. */
  async add(read: ReadEntry): Promise<void> {
    const { entry } = read;
    this.#count(read);
    try {
      const meaning = meaningOf(entry);
      if (meaning.kind === 'entry') await this.#put(read);
      else if (meaning.kind === 'whiteout') this.#hide(meaning.folder, meaning.name);
      else if (meaning.kind === 'opaque') this.#hideAll(meaning.folder);
    } catch (error) {
      throw unwritable(error, entry.path);
    }
  }

  #count({ entry, sparse }: ReadEntry): void {
    const counts = this.#counts;
    const limits = this.#limits;
    counts.entries++;
    counts.bytes += sparse?.segments.reduce((sum, { size }) => sum + size, 0) ?? entry.size;
    if (entry.type === 'character' || entry.type === 'block') counts.devices++;
    for (const what of ['entries', 'bytes', 'devices'] as const)
      if (counts[what] > limits[what])
        throw new ImageError(`a layer has more than the ${limits[what]} ${what} that are allowed`);
    if (this.#keepsOwners && (entry.uid >= IDS || entry.gid >= IDS))
      throw new ImageError(`${JSON.stringify(entry.path)} has an owner that no system has`);
  }

  #hide(path: BytePath, name: BytePath): void {
    const folder = this.#folders.make(path);
    this.#folders.touch(folder);
    if (this.#isOverlay) folder.whiteouts.add(name);
    else this.#folders.clearLower(folder, name);
  }

  #hideAll(path: BytePath): void {
    const folder = this.#folders.make(path);
    this.#folders.touch(folder);
    if (this.#isOverlay) folder.isOpaque = true;
    else this.#folders.purge(folder);
  }

  async #put(read: ReadEntry): Promise<void> {
    const { entry } = read;
    const { path, type } = entry;
    if (type === 'directory') {
      const folder = this.#folders.make(path);
      folder.after = entry;
      if (folder.parent !== undefined) this.#folders.put(folder.parent, nameOf(path));
      return;
    }
    if (type === 'hardlink' && entry.link === path && this.#target(path) !== undefined) return;
    const name = nameOf(path);
    const folder = this.#folders.make(parentOf(path));
    this.#folders.clear(folder, name);
    const real = `${folder.real}/${name}`;
    if (type === 'file') await this.#file(real, read);
    else if (type === 'symlink') this.#symlink(real, entry, entry.link ?? '');
    else if (type === 'hardlink') this.#hardlink(real, folder, entry);
    else if (type === 'fifo' || this.#options.devices !== 'skip') folder.nodes.set(name, deviceOf(entry));
    else {
      this.#counts.skippedDevices++;
      folder.whiteouts.add(name);
      return;
    }
    this.#folders.put(folder, name);
  }

  async #file(real: BytePath, { entry, content, sparse }: ReadEntry): Promise<void> {
    const { signal, split } = this.#options;
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(native(real), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      split?.kept(entry.path);
      if (sparse !== undefined) await fill(fd, entry.size, sparse);
      else if (entry.size > 0)
        for await (const chunk of content) {
          signal?.throwIfAborted();
          writeAll(fd, chunk);
        }
      // Changing the owner takes set-id bits and capabilities away, so these come after it.
      if (this.#keepsOwners) fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, entry.mode);
      if (entry.xattrs !== undefined) this.#attributes(real, false, entry.xattrs);
      futimesSync(fd, entry.mtime, entry.mtime);
    } finally {
      closeSync(fd);
    }
  }

  #symlink(real: BytePath, entry: FolderMetadata, target: BytePath): void {
    symlinkSync(native(target), native(real));
    if (this.#keepsOwners) lchownSync(native(real), entry.uid, entry.gid);
    lutimesSync(native(real), entry.mtime, entry.mtime);
  }

  /** What this layer has at a path, other than a folder. */
  #target(path: BytePath): Target | undefined {
    const folder = this.#folders.find(parentOf(path));
    if (folder === undefined) return undefined;
    const name = nameOf(path);
    const node = folder.nodes.get(name);
    const real = `${folder.real}/${name}`;
    const stat = node === undefined ? look(real) : undefined;
    return node !== undefined || (stat !== undefined && !stat.isDirectory()) ? { real, node } : undefined;
  }

  #hardlink(real: BytePath, folder: Folder, entry: Entry): void {
    const link = entry.link ?? '';
    const target = this.#target(link) ?? this.#copyUp(link);
    if (target === undefined)
      throw new ImageError(
        `${JSON.stringify(entry.path)} is a link to ${JSON.stringify(link)}, which is no file`,
      );
    if (target.node !== undefined) folder.nodes.set(nameOf(entry.path), target.node);
    // The system call follows no link at the end of a path.
    else linkSync(native(target.real), native(real));
  }

  /** Copies what lower layers have at a path into this one, as overlayfs does for what is linked to. */
  #copyUp(path: BytePath): Target | undefined {
    const below = this.#isOverlay && path !== '' ? this.#below(path) : undefined;
    if (below === undefined || below.stat.isDirectory()) return undefined;
    const { stat } = below;
    const folder = this.#folders.make(parentOf(path));
    const real = join(folder.real, nameOf(path));
    if (look(real) !== undefined) return undefined;
    const metadata = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: stat.mtimeMs / 1000 };
    if (stat.isSymbolicLink()) this.#symlink(real, metadata, readlinkSync(native(below.real), 'latin1'));
    else if (stat.isFile()) {
      this.#counts.bytes += stat.size;
      if (this.#counts.bytes > this.#limits.bytes)
        throw new ImageError('a layer links to more than is allowed');
      copyFileSync(native(below.real), native(real), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      if (this.#keepsOwners) lchownSync(native(real), metadata.uid, metadata.gid);
      chmodSync(native(real), metadata.mode);
      this.#attributes(real, false, attributesOf(below.real, false));
      lutimesSync(native(real), metadata.mtime, metadata.mtime);
    } else return undefined;
    this.#folders.put(folder, nameOf(path));
    return { real, node: undefined };
  }

  #attributes(real: BytePath, isFolder: boolean, xattrs: ReadonlyMap<string, Uint8Array>): void {
    for (const [name, value] of xattrs) {
      if (!isKeptAttribute(name)) continue;
      const scratch = `${this.#folders.root.real}/${this.#freeName()}`;
      try {
        if (!setAttribute({ path: real, isFolder, scratch }, name, value)) this.#counts.skippedAttributes++;
      } catch (error) {
        // Such as a capability that is none, or more than the file system has room for.
        throw new ImageError(`cannot set ${JSON.stringify(name)}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }

  /** A name at the root that nothing has. */
  #freeName(): string {
    for (;;) {
      const name = `.luet-ts-${this.#scratch}`;
      if (look(`${this.#folders.root.real}/${name}`) === undefined) return name;
      this.#scratch++;
    }
  }

  /** Makes what is made together, and gives folders their metadata. */
  async finish(): Promise<Extracted> {
    const { entries, bytes } = this.#counts;
    const hidesAll = this.#folders.root.isOpaque;
    const { lowers } = this.#options;
    const finish = finishFolders(this.#folders.root, {
      mayBeBelow: (path) => lowers === undefined || findBelow(lowers, path) !== undefined,
      namespace: this.#options.form === 'overlay' ? 'trusted' : 'user',
      whiteouts: this.#options.whiteouts ?? 'device',
      keepsOwners: this.#keepsOwners,
      setAttributes: (real, xattrs) => this.#attributes(real, true, xattrs),
    });
    await finish.catch((error) => {
      throw unwritable(error);
    });
    const { skippedDevices, skippedAttributes } = this.#counts;
    return { entries, bytes, skippedDevices, skippedAttributes, hidesAll };
  }
}

/** The attributes of a file or folder that images keep. */
function attributesOf(real: BytePath, isFolder: boolean): Map<string, Buffer> {
  const kept = new Map<string, Buffer>();
  for (const name of attributeNames({ path: real, isFolder }).filter(isKeptAttribute)) {
    const value = getAttribute({ path: real, isFolder }, name);
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
}

/** Writes the parts of a sparse file to their places. */
async function fill(
  fd: number,
  size: number,
  { segments, data }: NonNullable<ReadEntry['sparse']>,
): Promise<void> {
  let index = 0;
  let done = 0;
  for await (const chunk of data) {
    for (let from = 0; from < chunk.length; ) {
      const segment = segments[index];
      if (segment === undefined) throw new ImageError('a sparse file has more bytes than places for them');
      const part = chunk.subarray(from, from + segment.size - done);
      writeAll(fd, part, segment.offset + done);
      from += part.length;
      done += part.length;
      if (done < segment.size) continue;
      index++;
      done = 0;
    }
  }
  ftruncateSync(fd, size);
}
