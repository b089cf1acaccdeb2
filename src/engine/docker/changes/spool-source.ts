import { type BytePath, type Entry, readTar } from '../../../tar/index.ts';
import { parentOf } from '../../overlay/layers.ts';
import { isRuntimePath } from '../../runtime.ts';
import type { Changes, FileContent, FileEntry } from '../../types.ts';
import { Spool } from './spool.ts';
import { asJson, fromJson, type Tars } from './tars.ts';

/** Changes where the upper folder cannot be read: from the engine's list of changes and from archives. */
export class SpoolSource {
  readonly #tars: Tars;
  readonly #spool: Spool;
  /**
   * The state at the mark: all paths (with `export`), or those that differed from the image (with `changes`).
   */
  #paths: ReadonlySet<BytePath> | undefined;
  #differed: ReadonlyMap<string, number> | undefined;

  /** `temporary` is an existing folder; a folder for content is made in it. */
  constructor(tars: Tars, temporary: string) {
    this.#tars = tars;
    this.#spool = new Spool(tars, temporary);
  }

  /** Must be called after a command ran, or something was uploaded. */
  forget(): void {
    this.#spool.forget();
  }

  list(root: BytePath): Promise<FileEntry[]> {
    return this.#spool.list(root);
  }

  stat(paths: readonly BytePath[]): Promise<FileEntry[]> {
    return this.#spool.stat(paths);
  }

  read(files: readonly FileEntry[]): AsyncIterable<FileContent> {
    return this.#spool.read(files);
  }

  close(): Promise<void> {
    return this.#spool.close();
  }

  async mark(): Promise<void> {
    // What was learned before commands ran may be wrong now.
    this.forget();
    if (this.#tars.changes !== undefined) {
      this.#differed = new Map((await this.#tars.changes())?.map(({ Path, Kind }) => [Path, Kind]));
      return;
    }
    const paths = new Set<BytePath>();
    for await (const { entry } of readTar(await this.#tars.export())) paths.add(entry.path);
    this.#paths = paths;
  }

  async changes(): Promise<Changes> {
    this.forget();
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
      await this.#spool.keep(path, read, true);
      added.push(path);
    }
    // What a folder held before something else took its place: the change of that thing already says so.
    const replaced = (path: BytePath): boolean => {
      const parent = parentOf(path);
      return parent !== '' && ((now.get(parent) ?? 'directory') !== 'directory' || replaced(parent));
    };
    const removed = [...before].filter((path) => !now.has(path) && !replaced(path) && !isRuntimePath(path));
    const gone = new Set(removed);
    return {
      added: this.#spool.entries(added),
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
      // Removed at the mark and there again: it is new, whatever the engine says of it.
      if (then === 2 && !deleted(path) && !hasDeletedAncestor(path, now)) roots.add(path);
      if (then === 1 && !now.has(path) && !hasDeletedAncestor(path, now)) removed.push(path);
    }
    const tops = [...roots]
      .filter((path) => !insideOf(path, roots))
      .sort()
      .map(fromJson);
    const added = new Set<BytePath>();
    for await (const [path, read] of this.#spool.below(tops)) {
      if (isRuntimePath(path) || !isAtOrInside(asJson(path), roots)) continue;
      await this.#spool.keep(path, read, true);
      added.add(path);
    }
    await this.#linkAcross(tops, added);
    const gone = new Set(removed);
    const highest = removed.filter((path) => !insideOf(path, gone));
    const replaced = await this.#replaced(highest, before);
    // The engine lists a folder for changes inside of it; whether the folder itself changed cannot be seen.
    const around = new Set([...roots, ...removed, ...changed].flatMap((path) => [...ancestors(path)]));
    return {
      added: this.#spool.entries(added),
      changed: changed
        .filter((path) => !insideOf(path, roots) && !around.has(path))
        .map(fromJson)
        .sort(),
      removed: highest
        .map(fromJson)
        .filter((path) => !replaced.has(parentOf(path)))
        .sort(),
    };
  }

  /** What took the place of folders that prelude made. The engine only says that something is there. */
  async #replaced(
    removed: readonly string[],
    before: ReadonlyMap<string, number>,
  ): Promise<ReadonlySet<BytePath>> {
    const parents = removed.map((path) => path.slice(0, path.lastIndexOf('/')));
    const asked = [...new Set(parents)].filter((path) => before.get(path) === 1).map(fromJson);
    const found = asked.length === 0 ? [] : await this.#spool.stat(asked);
    return new Set(found.filter(({ type }) => type !== 'directory').map(({ path }) => path));
  }

  /**
   * Finds names of one file that came in different archives, which do not show that. Names whose entries
   * agree in everything may be one file; the archive of the whole file system says whether they are.
   */
  async #linkAcross(tops: readonly BytePath[], added: ReadonlySet<BytePath>): Promise<void> {
    if (tops.length <= 1 || this.#spool.needsWhole(tops)) return;
    const alike = new Map<string, BytePath>();
    const suspicious = this.#spool.entries(added).some((entry) => {
      if (entry.type !== 'file') return false;
      const look = [entry.size, entry.mtime, entry.mode, entry.uid, entry.gid].join(':');
      const top = tops.find((one) => isAtOrInside(entry.path, new Set([one]))) ?? '';
      const other = alike.get(look);
      alike.set(look, top);
      return other !== undefined && other !== top;
    });
    if (!suspicious) return;
    for await (const { entry } of readTar(await this.#tars.export()))
      if (entry.type === 'hardlink') this.#spool.tie([entry.path, entry.link ?? ''], `link:${entry.link}`);
  }
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
