import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type BytePath, type Entry, type ReadEntry, readTar, toText } from '../../tar/index.ts';
import { content } from '../overlay/disk.ts';
import { parentOf } from '../overlay/layers.ts';
import { isRuntimeFolder, isRuntimePath, isRuntimeStub, withoutRuntimeTime } from '../runtime.ts';
import type { Changes, FileContent, FileEntry } from '../types.ts';

/** How file trees are asked of a container. */
export interface Tars {
  /** The container's whole file system. */
  export(): Promise<AsyncIterable<Uint8Array>>;
  /** What is at a path, its names beginning with the path's last component; undefined where nothing is there. */
  archive(path: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Whether the image had something at a path, where the engine makes folders of its own in a container. */
  inImage?(path: string): Promise<boolean>;
  /** Paths added (1), modified (0) and deleted (2) against the image, where the engine's answer can be trusted; else undefined. */
  changes?(): Promise<readonly { readonly Path: string; readonly Kind: number }[] | null>;
}

/** Above this many separate places, one pass over the whole file system is cheaper than a request for each. */
const MANY = 48;

const byPath = (a: FileEntry, b: FileEntry): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

/** A path as the engine's JSON writes it: Go replaces each byte that is not UTF-8. */
const asJson = (path: BytePath): string => `/${toText(path)}`;

interface Spooled {
  readonly entry: FileEntry;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Where its content lies here, once it has been fetched. */
  file?: string;
}

/**
 * Changes and content where the upper folder cannot be read, out of what the engine says and the archives it gives:
 * content passes through a temporary folder, because archives come in another order than they are asked for.
 */
export class SpoolSource {
  readonly #tars: Tars;
  readonly #temporary: string;
  #folder: string | undefined;
  #files = 0;
  readonly #known = new Map<BytePath, Spooled>();
  /** State at the mark: all paths (by export), or what differed from the image (by changes). */
  #paths: ReadonlySet<BytePath> | undefined;
  #differed: ReadonlyMap<string, number> | undefined;

  /** `temporary` is an existing folder in which a folder of its own is made. */
  constructor(tars: Tars, temporary: string) {
    this.#tars = tars;
    this.#temporary = temporary;
  }

  async mark(): Promise<void> {
    if (this.#tars.changes !== undefined) {
      this.#differed = new Map((await this.#tars.changes())?.map(({ Path, Kind }) => [Path, Kind]));
      return;
    }
    const paths = new Set<BytePath>();
    for await (const { entry } of readTar(await this.#tars.export())) paths.add(entry.path);
    this.#paths = paths;
  }

  async changes(): Promise<Changes> {
    return this.#differed === undefined
      ? this.#byExport(this.#paths ?? new Set())
      : this.#byChanges(this.#differed);
  }

  async #byExport(before: ReadonlySet<BytePath>): Promise<Changes> {
    const now = new Map<BytePath, Entry['type']>();
    const added: BytePath[] = [];
    for await (const read of readTar(await this.#tars.export())) {
      const { path } = read.entry;
      now.set(path, read.entry.type);
      if (path === '' || before.has(path) || isRuntimePath(path)) continue;
      await this.#keep(path, read, true);
      added.push(path);
    }
    // What a folder held before something else took its place is told by that thing's change.
    const replaced = (path: BytePath): boolean => (now.get(parentOf(path)) ?? 'directory') !== 'directory';
    const removed = [...before].filter((path) => !now.has(path) && !replaced(path) && !isRuntimePath(path));
    const gone = new Set(removed);
    return {
      added: this.#entries(added),
      changed: [],
      removed: removed.filter((path) => !insideOf(path, gone)).sort(),
    };
  }

  async #byChanges(before: ReadonlyMap<string, number>): Promise<Changes> {
    const now = new Map((await this.#tars.changes?.())?.map(({ Path, Kind }) => [Path, Kind]));
    const deleted = (path: string): boolean => now.get(path) === 2;
    const roots = new Set<string>();
    const changed: string[] = [];
    const removed: string[] = [];
    for (const [path, kind] of now) {
      const then = before.get(path);
      if (isRuntimePath(fromJson(path))) continue;
      if (kind === 1 && then === undefined) roots.add(path);
      else if (kind === 0 && then === undefined && !hasDeletedAncestor(path, before)) changed.push(path);
      else if (kind === 2 && then !== 2 && !hasDeletedAncestor(path, before)) removed.push(path);
    }
    for (const [path, then] of before) {
      if (isRuntimePath(fromJson(path))) continue;
      // Removed at the mark and there again: new, whatever the engine says of it now.
      if (then === 2 && !deleted(path) && !hasDeletedAncestor(path, now)) roots.add(path);
      if (then === 1 && !now.has(path) && !hasDeletedAncestor(path, now)) removed.push(path);
    }
    const tops = [...roots].filter((path) => !insideOf(path, roots)).sort();
    const added = new Set<BytePath>();
    for await (const [path, read] of this.#tarsOf(tops)) {
      if (isRuntimePath(path) || !isAtOrInside(asJson(path), roots)) continue;
      await this.#keep(path, read, true);
      added.add(path);
    }
    await this.#linkAcross(tops, added);
    const gone = new Set(removed);
    return {
      added: this.#entries([...added]),
      changed: changed
        .filter((path) => !insideOf(path, roots))
        .map(fromJson)
        .sort(),
      removed: removed
        .filter((path) => !insideOf(path, gone))
        .map(fromJson)
        .sort(),
    };
  }

  /**
   * Finds names of one file that came in different archives, which do not tell. Names that agree in all that an archive
   * tells may be one; the archive of everything says whether they are.
   */
  async #linkAcross(tops: readonly string[], added: ReadonlySet<BytePath>): Promise<void> {
    if (tops.length <= 1 || needWhole(tops)) return;
    const alike = new Map<string, string>();
    const suspicious = [...added].some((path) => {
      const entry = this.#known.get(path)?.entry;
      if (entry?.type !== 'file') return false;
      const look = [entry.size, entry.mtime, entry.mode, entry.uid, entry.gid].join(':');
      const top = tops.find((one) => isAtOrInside(asJson(path), new Set([one]))) ?? '';
      const other = alike.get(look);
      alike.set(look, top);
      return other !== undefined && other !== top;
    });
    if (!suspicious) return;
    for await (const { entry } of readTar(await this.#tars.export())) {
      if (entry.type !== 'hardlink') continue;
      for (const path of [entry.path, entry.link ?? '']) {
        const known = this.#known.get(path);
        if (known !== undefined)
          this.#known.set(path, { ...known, entry: { ...known.entry, inode: `link:${entry.link}` } });
      }
    }
  }

  /** Entries at and below these paths (and perhaps others), under their whole paths. */
  async *#tarsOf(tops: readonly string[]): AsyncGenerator<[BytePath, ReadEntry], void, undefined> {
    if (needWhole(tops)) {
      for await (const read of readTar(await this.#tars.export())) yield [read.entry.path, read];
      return;
    }
    for (const top of tops) {
      const tar = await this.#tars.archive(top);
      if (tar === undefined) continue;
      const parent = fromJson(top.slice(0, top.lastIndexOf('/')));
      for await (const read of readTar(tar))
        yield [parent === '' ? read.entry.path : `${parent}/${read.entry.path}`, relocate(read, parent)];
    }
  }

  async #keep(path: BytePath, read: ReadEntry, withContent: boolean): Promise<void> {
    const { entry } = read;
    if (entry.type === 'hardlink') {
      const target = this.#known.get(entry.link ?? '');
      if (target === undefined) {
        // Its other name lies outside of what was asked for: ask for this name alone, which gives a file.
        const alone = await this.#alone(path);
        if (alone !== undefined) this.#known.set(path, alone);
        return;
      }
      const inode = target.entry.inode ?? `link:${target.entry.path}`;
      this.#known.set(target.entry.path, { ...target, entry: { ...target.entry, inode } });
      this.#known.set(path, { ...target, entry: { ...target.entry, path, inode } });
      return;
    }
    this.#known.set(path, {
      entry: withoutRuntimeTime(toFileEntry(path, entry)),
      xattrs: capabilityOf(entry),
      ...(withContent && entry.type === 'file' ? { file: await this.#store(read.content) } : {}),
    });
  }

  async #alone(path: BytePath): Promise<Spooled | undefined> {
    const tar = await this.#tars.archive(asJson(path));
    if (tar === undefined) return undefined;
    for await (const { entry, content: bytes } of readTar(tar)) {
      return {
        entry: toFileEntry(path, entry),
        xattrs: capabilityOf(entry),
        ...(entry.type === 'file' ? { file: await this.#store(bytes) } : {}),
      };
    }
    return undefined;
  }

  async #store(bytes: AsyncIterable<Uint8Array>): Promise<string> {
    this.#folder ??= await mkdtemp(joinPath(this.#temporary, 'luet-ts-'));
    const file = joinPath(this.#folder, String(this.#files++));
    await pipeline(Readable.from(bytes), createWriteStream(file));
    return file;
  }

  #entries(paths: readonly BytePath[]): FileEntry[] {
    return paths.flatMap((path) => this.#known.get(path)?.entry ?? []).sort(byPath);
  }

  async list(root: BytePath): Promise<FileEntry[]> {
    const paths: BytePath[] = [];
    const text = asJson(root);
    for await (const [path, read] of this.#tarsOf([root === '' ? '/' : text])) {
      if (path === '' || !isAtOrInside(asJson(path), new Set([text]))) continue;
      await this.#keep(path, read, false);
      paths.push(path);
    }
    const entries = this.#entries(paths).filter((entry) => !isRuntimeStub(entry));
    const empty = entries.filter(
      ({ path }) => isRuntimeFolder(path) && !entries.some((entry) => entry.path.startsWith(`${path}/`)),
    );
    if (empty.length === 0 || this.#tars.inImage === undefined) return entries;
    const made = new Set<BytePath>();
    for (const { path } of empty) if (!(await this.#tars.inImage(asJson(path)))) made.add(path);
    return entries.filter(({ path }) => !made.has(path));
  }

  async stat(paths: readonly BytePath[]): Promise<FileEntry[]> {
    const found: FileEntry[] = [];
    for (const path of paths) {
      const tar = this.#known.has(path) ? undefined : await this.#tars.archive(asJson(path));
      if (tar !== undefined) {
        for await (const read of readTar(tar)) {
          await this.#keep(path, read, false);
          break;
        }
      }
      found.push(...this.#entries([path]));
    }
    return found;
  }

  async *read(files: readonly FileEntry[]): AsyncGenerator<FileContent, void, undefined> {
    const missing = new Set(
      files
        .filter(({ path, type }) => type === 'file' && this.#known.get(path)?.file === undefined)
        .map((f) => f.path),
    );
    if (missing.size > 0) {
      for await (const [path, read] of this.#tarsOf([...missing].map(asJson)))
        if (missing.has(path)) await this.#keep(path, read, true);
    }
    for (const file of files) {
      const spooled = this.#known.get(file.path);
      const at =
        spooled?.file ??
        (spooled?.entry.inode === undefined ? undefined : this.#sharing(spooled.entry.inode));
      if (file.type === 'file' && at === undefined)
        throw new Error(`the engine's archive lacks ${asJson(file.path)}`);
      yield {
        file,
        xattrs: spooled?.xattrs ?? new Map(),
        ...(at === undefined ? {} : { content: content(Buffer.from(at).toString('latin1')) }),
      };
    }
  }

  /** The content that another name of the same file was fetched with. */
  #sharing(inode: string): string | undefined {
    for (const { entry, file } of this.#known.values())
      if (entry.inode === inode && file !== undefined) return file;
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
}

/** Whether paths are better taken from one archive of everything, or can only be told apart there. */
function needWhole(tops: readonly string[]): boolean {
  return tops.length > MANY || tops.some((path) => path === '/' || path.includes('\ufffd'));
}

function fromJson(path: string): BytePath {
  return Buffer.from(path.slice(1), 'utf8').toString('latin1');
}

function relocate(read: ReadEntry, parent: BytePath): ReadEntry {
  if (read.entry.type !== 'hardlink' || parent === '') return read;
  return { ...read, entry: { ...read.entry, link: `${parent}/${read.entry.link ?? ''}` } };
}

function toFileEntry(path: BytePath, entry: Entry): FileEntry {
  const { type, mode, uid, gid, size, mtime, link, device } = entry;
  return {
    path,
    type: type === 'hardlink' ? 'file' : type,
    mode,
    uid,
    gid,
    size,
    mtime,
    ...(type === 'symlink' && link !== undefined ? { link } : {}),
    ...(device === undefined || (type !== 'character' && type !== 'block') ? {} : { device }),
  };
}

function capabilityOf(entry: Entry): ReadonlyMap<string, Buffer> {
  const value = entry.xattrs?.get('security.capability');
  return new Map(value === undefined ? [] : [['security.capability', value]]);
}

function* ancestors(path: string): Generator<string, void, undefined> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
}

function insideOf(path: string, roots: ReadonlySet<string>): boolean {
  for (const ancestor of ancestors(path)) if (roots.has(ancestor)) return true;
  return false;
}

function isAtOrInside(path: string, roots: ReadonlySet<string>): boolean {
  return roots.has('/') || roots.has(path) || insideOf(path, roots);
}

function hasDeletedAncestor(path: string, changes: ReadonlyMap<string, number>): boolean {
  for (const ancestor of ancestors(path)) if (changes.get(ancestor) === 2) return true;
  return false;
}
