import { linkSync, readlinkSync } from 'node:fs';
import { type BytePath, type Entry, type ReadEntry, shownPath, toText } from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { findBelow, type LocatedFile } from './below.ts';
import { nameOf, native, parentOf, tryLstat } from './disk.ts';
import type { Extracted, ExtractLimits, ExtractOptions } from './extract.ts';
import { deviceOf, finishFolders } from './finish.ts';
import { type ExtractedFolder, type FolderMetadata, Folders, join } from './folders.ts';
import { meaningOf } from './whiteout.ts';
import { describeWriteError } from './write-error.ts';
import { attributesOf, Writer } from './writer.ts';

/** Upper bound of valid owner ids: the largest 32-bit id means "none". */
const IDS = 2 ** 32 - 1;

/** The target of a hard link: an existing file, or a device that is created at the end. */
interface HardLinkTarget {
  readonly real: BytePath;
  readonly node?: Entry | undefined;
  /** The link's target, for a symbolic link. */
  readonly link?: BytePath | undefined;
}

/** Extracts one archive to a folder. */
export class Extraction {
  /** The folder, as shown in messages. */
  readonly #root: string;
  readonly #folders: Folders;
  readonly #options: ExtractOptions;
  readonly #limits: ExtractLimits;
  readonly #isOverlay: boolean;
  readonly #keepsOwners: boolean;
  readonly #writer: Writer;
  readonly #counts = { entries: 0, bytes: 0, devices: 0, skippedDevices: 0 };

  constructor(root: BytePath, options: ExtractOptions, limits: ExtractLimits) {
    this.#root = toText(root);
    this.#options = options;
    this.#limits = limits;
    this.#isOverlay = options.form === 'overlay' || options.form === 'overlay-user';
    this.#keepsOwners = options.owners !== 'none';
    this.#writer = new Writer(root, this.#keepsOwners, options.signal);
    this.#folders = new Folders(
      root,
      (path) => this.#implied(path),
      () => options.split?.lost(),
    );
    if (this.#isOverlay) this.#folders.root.after = this.#implied('');
  }

  /**
   * Metadata of a folder that the archive does not list. In an overlay, it hides the folder of the layer
   * below, so it must have that folder's metadata.
   */
  #implied(path: BytePath): FolderMetadata {
    const below = this.#isOverlay ? this.#below(path) : undefined;
    if (below?.stat.isDirectory() !== true) return { mode: 0o755, uid: 0, gid: 0, mtime: 0 };
    const { mode, uid, gid, mtimeMs } = below.stat;
    const xattrs = attributesOf(below.real, true);
    return { mode: mode & 0o7777, uid, gid, mtime: mtimeMs / 1000, xattrs };
  }

  /** What lower layers contain at a path, unless this layer hides it. */
  #below(path: BytePath): LocatedFile | undefined {
    let folder: ExtractedFolder | undefined = this.#folders.root;
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
      else this.#hideAll(meaning.folder);
    } catch (error) {
      throw describeWriteError(error, this.#root, entry.path);
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
        throw new ImageError(`a layer exceeds the limit of ${limits[what]} ${what}`);
    if (this.#keepsOwners && (entry.uid >= IDS || entry.gid >= IDS))
      throw new ImageError(`invalid owner of ${shownPath(entry.path)}`);
  }

  #hide(path: BytePath, name: BytePath): void {
    const folder = this.#folders.make(path);
    this.#folders.touch(folder);
    folder.whiteouts.add(name);
  }

  #hideAll(path: BytePath): void {
    const folder = this.#folders.make(path);
    this.#folders.touch(folder);
    // Overlayfs cannot mark the root as opaque, so engines ignore this.
    if (folder.parent === undefined) return;
    if (this.#isOverlay) folder.isOpaque = true;
    else this.#folders.purge(folder);
  }

  async #put(read: ReadEntry): Promise<void> {
    const { entry } = read;
    const { path, type } = entry;
    // Engines create the root themselves, and ignore what archives say about it.
    if (path === '') return;
    const name = nameOf(path);
    const folder = this.#folders.make(parentOf(path));
    if (type === 'directory') {
      // As in engines, the entry replaces the whiteout, and content below it becomes visible again.
      if (!folder.own.has(name)) folder.whiteouts.delete(name);
      this.#folders.folderIn(folder, name).after = entry;
      this.#folders.put(folder, name);
      return;
    }
    const target = type === 'hardlink' ? this.#linked(entry) : undefined;
    const real = `${folder.real}/${name}`;
    if (target !== undefined && target.real === real) return;
    this.#folders.clear(folder, name);
    if (type === 'file') {
      this.#options.split?.kept(join(folder.path, name));
      await this.#writer.file(real, read);
    } else if (type === 'symlink') {
      this.#writer.symlink(real, entry, entry.link ?? '');
      folder.links.set(name, entry.link ?? '');
    } else if (target !== undefined) this.#hardlink(real, folder, target, entry);
    else if (type === 'fifo' || this.#options.devices !== 'skip') folder.nodes.set(name, deviceOf(entry));
    else {
      this.#counts.skippedDevices++;
      folder.whiteouts.add(name);
      return;
    }
    this.#folders.put(folder, name);
  }

  /** What this layer contains at a path, except folders. */
  #target(path: BytePath): HardLinkTarget | undefined {
    const folder = this.#folders.find(parentOf(path));
    if (folder === undefined) return undefined;
    const name = nameOf(path);
    const real = `${folder.real}/${name}`;
    const node = folder.nodes.get(name);
    if (node !== undefined) return { real, node };
    const stat = tryLstat(real);
    if (stat === undefined || stat.isDirectory() || this.#folders.isHidden(folder, name)) return undefined;
    return { real, link: stat.isSymbolicLink() ? readlinkSync(native(real), 'latin1') : undefined };
  }

  /** The target of a hard link. Throws an ImageError if it is not a file. */
  #linked({ path, link = '' }: Entry): HardLinkTarget {
    const target = this.#target(link) ?? this.#copyUp(link);
    if (target !== undefined) return target;
    throw new ImageError(`${shownPath(path)} is a hard link to ${shownPath(link)}, which is not a file`);
  }

  #hardlink(real: BytePath, folder: ExtractedFolder, target: HardLinkTarget, entry: Entry): void {
    const name = nameOf(entry.path);
    if (target.node !== undefined) {
      folder.nodes.set(name, target.node);
      return;
    }
    // The path that was just replaced may have contained the target.
    if (tryLstat(target.real) === undefined)
      throw new ImageError(
        `${shownPath(entry.path)} is a hard link to ${shownPath(entry.link ?? '')}, which it replaces`,
      );
    // The system call does not follow a link at the end of the path.
    linkSync(native(target.real), native(real));
    if (target.link !== undefined) folder.links.set(name, target.link);
  }

  /** Copies a file of lower layers to this layer, as overlayfs does for targets of hard links. */
  #copyUp(link: BytePath): HardLinkTarget | undefined {
    const path = join(this.#folders.resolve(parentOf(link)), nameOf(link));
    const below = this.#isOverlay && path !== '' ? this.#below(path) : undefined;
    if (below === undefined || below.stat.isDirectory()) return undefined;
    const { stat } = below;
    const folder = this.#folders.make(parentOf(path));
    const real = join(folder.real, nameOf(path));
    if (tryLstat(real) !== undefined) return undefined;
    const metadata = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: stat.mtimeMs / 1000 };
    const target = stat.isSymbolicLink() ? readlinkSync(native(below.real), 'latin1') : undefined;
    if (target !== undefined) {
      this.#writer.symlink(real, metadata, target);
      folder.links.set(nameOf(path), target);
    } else if (stat.isFile()) {
      this.#counts.bytes += stat.size;
      if (this.#counts.bytes > this.#limits.bytes)
        throw new ImageError('the hard links of a layer exceed the size limit');
      this.#writer.copy(below.real, real, metadata);
    } else return undefined;
    this.#folders.put(folder, nameOf(path));
    return { real, link: target };
  }

  /** Creates devices and pipes, and sets the metadata of folders. */
  async finish(): Promise<Extracted> {
    const { entries, bytes } = this.#counts;
    const { lowers } = this.#options;
    const isOverlay = this.#isOverlay;
    if (!isOverlay) this.#folders.applyWhiteouts(this.#folders.root);
    const finish = finishFolders(this.#folders.root, {
      isOverlay,
      mayBeBelow: (path) => lowers === undefined || findBelow(lowers, path) !== undefined,
      namespace: this.#options.form === 'overlay' ? 'trusted' : 'user',
      whiteouts: this.#options.whiteouts ?? 'device',
      keepsOwners: this.#keepsOwners,
      setAttributes: (real, xattrs) => this.#writer.attributes(real, true, xattrs),
    });
    await finish.catch((error) => {
      throw describeWriteError(error, this.#root);
    });
    const { skippedDevices } = this.#counts;
    const { skippedAttributes } = this.#writer;
    return { entries, bytes, skippedDevices, skippedAttributes };
  }
}
