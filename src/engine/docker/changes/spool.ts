import { mkdtemp, rm } from 'node:fs/promises';
import { join as joinPath } from 'node:path';
import { writeTemporaryFile } from '../../../disk/index.ts';
import { type BytePath, type Entry, type ReadEntry, readContent, readTar } from '../../../tar/index.ts';
import {
  holdsMounts,
  isRuntimeFolder,
  isRuntimePath,
  isRuntimeStub,
  withoutRuntimeTime,
} from '../../runtime.ts';
import type { FileContent, FileEntry } from '../../types.ts';
import { asJson, type Tars } from './tars.ts';

/**
 * With more separate places than this, one pass over the whole file system is cheaper than a request for
 * each.
 */
const MANY = 48;

const byPath = (a: FileEntry, b: FileEntry): number => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0);

interface Spooled {
  readonly entry: FileEntry;
  /** From the archive: whole seconds since 1970. */
  readonly mtime: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** The file with its content here; absent until it is fetched. */
  readonly file?: string;
}

/**
 * The files of a container, read from archives that the engine sends. What was learned is remembered until
 * the container changes. Content goes through a temporary folder, because archives arrive in another order
 * than files are read.
 */
export class Spool {
  readonly #tars: Tars;
  readonly #temporary: string;
  #folder: string | undefined;
  #files = 0;
  readonly #known = new Map<BytePath, Spooled>();
  /** Whether everything in the container is known. */
  #isWhole = false;

  /** `temporary` is an existing folder; a folder for content is made in it. */
  constructor(tars: Tars, temporary: string) {
    this.#tars = tars;
    this.#temporary = temporary;
  }

  /** Forgets everything, because something ran in the container. */
  forget(): void {
    this.#known.clear();
    this.#isWhole = false;
  }

  /** The known entries of these paths, sorted by bytes. */
  entries(paths: Iterable<BytePath>): FileEntry[] {
    return [...paths].flatMap((path) => this.#known.get(path)?.entry ?? []).sort(byPath);
  }

  /** Remembers that paths are names of one file. */
  tie(paths: readonly BytePath[], inode: string): void {
    for (const path of paths) {
      const known = this.#known.get(path);
      if (known !== undefined) this.#known.set(path, { ...known, entry: { ...known.entry, inode } });
    }
  }

  /**
   * Whether these paths must, or better should, be read from the archive of the whole file system: there are
   * many, they lie below mounts, or single archives cannot tell them apart.
   */
  needsWhole(tops: Iterable<BytePath>): boolean {
    const all = [...tops];
    return (
      this.#tars.archive === undefined ||
      all.length > MANY ||
      all.some((path) => asJson(path).includes('\ufffd') || holdsMounts(path))
    );
  }

  /** The entries at and below these paths (and perhaps others), with their whole paths. */
  async *below(tops: readonly BytePath[]): AsyncGenerator<[BytePath, ReadEntry], void, undefined> {
    if (this.needsWhole(tops)) {
      for await (const read of readTar(await this.#tars.export())) yield [read.entry.path, read];
      return;
    }
    for (const top of tops) {
      const tar = await this.#tars.archive?.(asJson(top));
      if (tar === undefined) continue;
      const parent = top.slice(0, Math.max(0, top.lastIndexOf('/')));
      for await (const read of readTar(tar))
        yield [parent === '' ? read.entry.path : `${parent}/${read.entry.path}`, relocate(read, parent)];
    }
  }

  /** Remembers an entry, and its content where that is wanted. */
  async keep(path: BytePath, read: ReadEntry, withContent: boolean): Promise<void> {
    const { entry } = read;
    if (entry.type === 'hardlink') {
      const target = this.#known.get(entry.link ?? '') ?? (await this.#learn(entry.link ?? '', withContent));
      if (target === undefined) return;
      const inode = target.entry.inode ?? `link:${target.entry.path}`;
      this.tie([target.entry.path], inode);
      this.#known.set(path, { ...target, entry: { ...target.entry, path, inode } });
      return;
    }
    const before = this.#known.get(path);
    const file = withContent && entry.type === 'file' ? await this.#store(read.content) : before?.file;
    const inode = before?.entry.inode;
    this.#known.set(path, {
      entry: {
        ...withoutRuntimeTime(toFileEntry(path, entry)),
        ...(inode === undefined ? {} : { inode }),
      },
      mtime: entry.mtime,
      xattrs: capabilityOf(entry),
      ...(file === undefined ? {} : { file }),
    });
  }

  /** The file that a link is another name of, where it lies outside of what was asked for. */
  async #learn(path: BytePath, withContent: boolean): Promise<Spooled | undefined> {
    for await (const [at, read] of this.below([path])) {
      if (at !== path) continue;
      await this.keep(path, read, withContent);
      return this.#known.get(path);
    }
    return undefined;
  }

  async #store(bytes: AsyncIterable<Uint8Array>): Promise<string> {
    this.#folder ??= await mkdtemp(joinPath(this.#temporary, 'luet-ts-'));
    const file = joinPath(this.#folder, String(this.#files++));
    await writeTemporaryFile(file, bytes);
    return file;
  }

  /** Reads everything in one pass. */
  async #learnAll(): Promise<void> {
    if (this.#isWhole) return;
    for await (const read of readTar(await this.#tars.export()))
      await this.keep(read.entry.path, read, false);
    this.#isWhole = true;
  }

  /** As `list` of the engine's contract. */
  async list(root: BytePath): Promise<FileEntry[]> {
    const inside = (path: BytePath): boolean =>
      path !== '' && (root === '' || path === root || path.startsWith(`${root}/`));
    const paths: BytePath[] = [];
    if (this.needsWhole([root])) {
      await this.#learnAll();
      paths.push(...[...this.#known.keys()].filter(inside));
    } else {
      for await (const [path, read] of this.below([root])) {
        if (!inside(path)) continue;
        await this.keep(path, read, false);
        paths.push(path);
      }
    }
    const entries = this.entries(paths).filter((entry) => !isRuntimeStub(entry));
    const empty = entries.filter(
      ({ path }) => isRuntimeFolder(path) && !entries.some((entry) => entry.path.startsWith(`${path}/`)),
    );
    if (empty.length === 0 || this.#tars.ownFolders === undefined) return entries;
    const own = await this.#tars.ownFolders(
      empty.map(({ path, mode }) => ({ path, mode, mtime: this.#known.get(path)?.mtime ?? 0 })),
    );
    return entries.filter((entry) => !empty.includes(entry) || own.has(entry.path));
  }

  /** As `stat` of the engine's contract. */
  async stat(paths: readonly BytePath[]): Promise<FileEntry[]> {
    const unknown = this.#isWhole ? [] : paths.filter((path) => !this.#known.has(path));
    // Of a folder only the first entry is read, which is its own in every archive.
    if (unknown.length > 0 && (this.#tars.archive === undefined || unknown.some(isRuntimePath)))
      await this.#learnAll();
    else for (const path of unknown) await this.#single(path);
    return paths.flatMap((path) => this.#known.get(path)?.entry ?? []);
  }

  async #single(path: BytePath): Promise<void> {
    const tar = await this.#tars.archive?.(asJson(path));
    if (tar === undefined) return;
    for await (const read of readTar(tar)) {
      await this.keep(path, read, false);
      break;
    }
  }

  /** As `read` of the engine's contract. */
  async *read(files: readonly FileEntry[]): AsyncGenerator<FileContent, void, undefined> {
    const missing = new Set<BytePath>();
    for (const { path, type } of files)
      if (type === 'file' && this.#fileOf(path) === undefined)
        for (const name of this.#namesOf(path)) missing.add(name);
    for await (const [path, read] of missing.size === 0 ? [] : this.below([...missing]))
      if (missing.has(path) && this.#fileOf(path) === undefined) await this.keep(path, read, true);
    for (const file of files) {
      const at = this.#fileOf(file.path);
      if (file.type === 'file' && at === undefined)
        throw new Error(`the engine's archive lacks ${asJson(file.path)}`);
      yield {
        file,
        xattrs: this.#known.get(file.path)?.xattrs ?? new Map(),
        ...(at === undefined ? {} : { content: readContent(Buffer.from(at).toString('latin1')) }),
      };
    }
  }

  /** A path and the other names of its file. */
  #namesOf(path: BytePath): BytePath[] {
    const inode = this.#known.get(path)?.entry.inode;
    if (inode === undefined) return [path];
    return [...this.#known.values()]
      .filter(({ entry }) => entry.inode === inode)
      .map(({ entry }) => entry.path);
  }

  /** The file with the content that a path, or another name of its file, was fetched with. */
  #fileOf(path: BytePath): string | undefined {
    const own = this.#known.get(path);
    if (own?.file !== undefined || own?.entry.inode === undefined) return own?.file;
    for (const { entry, file } of this.#known.values())
      if (entry.inode === own.entry.inode && file !== undefined) return file;
    return undefined;
  }

  async close(): Promise<void> {
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }
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
