import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { makeFolder, replaceFileSync } from '../../../disk/index.ts';
import type { Measured } from '../../../image/index.ts';
import { EngineError } from '../../errors.ts';
import { GROUP_LIST, removeGroups } from '../groups.ts';
import { isNoSpace, storeError, syncDisk } from './disk.ts';
import { Holds } from './holds.ts';
import { Locks, type Release } from './lock.ts';
import { formatName, fromFileName, parseName, toFileName } from './names.ts';
import { type ImageRecord, names, type RecordLayer, Records } from './records.ts';

/** What a store needs to know. */
export interface StoreOptions {
  /** Absolute path of the store's folder; made where it is missing. */
  readonly folder: string;
  /** Names this run among all runs on all machines. */
  readonly runId: string;
  /** The form of layers in a store that is made here: `trusted` takes a root that may mount. */
  readonly form: OverlayForm;
}

/** Which extended attributes overlays keep in their layers: those that only a root outside of namespaces can write, or others. */
export type OverlayForm = 'trusted' | 'user';

/** A layer in the making, or made. */
export interface LayerFolder {
  readonly id: string;
  /** Absolute path of what the layer holds, in the form of an overlay's upper folder. */
  readonly files: string;
}

/** A layer and what it takes. */
export interface LayerUse {
  readonly id: string;
  /** The images that have it, by name; none of a layer that is only left over. */
  readonly images: readonly string[];
}

/** An archive of a layer: as this program packs the folder, or the one that it came from, put together again. */
export type ArchiveKind = 'packed' | 'joined';

/**
 * Images on this machine's disk, shared by all runs that name the same folder:
 *
 *     images/REPOSITORY/TAG.json   a record: configuration, and layers, lowest first
 *     layers/ID/files              what a layer holds, as an overlay's upper folder has it, mounted as it lies
 *     layers/ID/archive.json       digest and size of the archive that it packs to, where that was asked for
 *     layers/ID/split.zst          what the archive that it came from is besides the content of files
 *     layers/ID/joined.json        digest and size of that archive, once it was put together again
 *     runs/RUN/                    what a run keeps while it goes on: workspaces, and in `w…` links to the layers that they use
 *     synced/RUN                   says that all that a run wrote has reached the disk
 *     form, way.json               which attributes the layers bear, and how work was found to be done here
 *     locks                        locks between runs, a byte each; it stays empty
 *
 * A layer's folder is never changed once a record has it. Its id begins with its run's, so that what a run left behind
 * unfinished can be told from what another is about to finish. Layers that no record has go by `collect`.
 */
export class Store {
  readonly folder: string;
  readonly records: Records;
  /** The layers that this run works on. */
  readonly holds: Holds;
  readonly #options: StoreOptions;
  readonly #boot: string;
  readonly #prefix: string;
  readonly #run: string;
  readonly #synced = new Map<string, boolean>();
  readonly #made = new Set<string>();
  readonly #locks: Locks;
  #endRun: Release | undefined;
  #form: OverlayForm | undefined;
  #count = 0;
  #isDirty = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.#boot = bootId();
    this.#prefix = prefixOf(options.runId);
    this.#run = join(this.folder, 'runs', toFileName(options.runId));
    this.#locks = new Locks(this.folder);
    this.holds = new Holds(() => this.freshPath('w'));
    this.records = new Records(join(this.folder, 'images'), {
      boot: this.#boot,
      isSynced: (run) => this.#isSynced(run),
    });
  }

  #isSynced(run: string): boolean {
    let known = this.#synced.get(run);
    if (known === undefined) {
      known = existsSync(join(this.folder, 'synced', toFileName(run)));
      this.#synced.set(run, known);
    }
    return known;
  }

  /**
   * Which attributes the store's layers bear; said when it was made. Throws an `EngineError` where this process cannot make such.
   */
  get form(): OverlayForm {
    if (this.#form !== undefined) return this.#form;
    const file = join(this.folder, 'form');
    let form: string;
    try {
      form = readFileSync(file, 'utf8');
    } catch {
      this.runFolder();
      form = this.#options.form;
      writeFileSync(file, form);
    }
    if (form === 'trusted' && this.#options.form !== 'trusted')
      throw new EngineError(
        `the store ${this.folder} was made by a root that may mount, and holds what this process cannot write`,
        { hint: 'use another store', advice: 'another-store' },
      );
    this.#form = form === 'trusted' ? 'trusted' : 'user';
    return this.#form;
  }

  /** The folder of this run, which goes with it. Throws an `EngineError` where the store cannot be written. */
  runFolder(): string {
    if (this.#endRun === undefined) {
      try {
        makeFolder(join(this.folder, 'layers'), 0o700);
        keepOthersOut(this.folder);
        // Before the folder is there: a run is over when nobody has its lock.
        this.#endRun = this.#locks.tryClaim(runLock(this.#options.runId));
        if (this.#endRun === undefined)
          throw new Error(`another process has the name of this run, ${this.#options.runId}`);
        makeFolder(this.#run, 0o700);
      } catch (error) {
        this.#endRun?.();
        this.#endRun = undefined;
        throw error instanceof EngineError ? error : storeError(this.folder, error);
      }
    }
    return this.#run;
  }

  /** Whether a run has ended, in whatever way and in whichever namespaces it ran. This run has not. */
  isOver(run: string): boolean {
    if (run === this.#options.runId) return false;
    const release = this.#locks.tryClaim(runLock(run));
    release?.();
    return release !== undefined;
  }

  /** The runs besides this one that go on with the store. */
  otherRuns(): readonly string[] {
    return names(join(this.folder, 'runs'))
      .map(fromFileName)
      .filter((run) => run !== this.#options.runId && !this.isOver(run));
  }

  /** A name in this run's folder that nothing has yet. */
  freshPath(kind: string): string {
    return join(this.runFolder(), `${kind}${this.#count++}`);
  }

  /** An empty layer for this run to fill; its root belongs to root and has the mode 0755. */
  newLayer(): LayerFolder {
    this.runFolder();
    const id = `${this.#prefix}-${this.#count++}`;
    const layer = this.layer(id);
    try {
      makeFolder(layer.files, 0o755);
    } catch (error) {
      throw storeError(this.folder, error);
    }
    this.#made.add(id);
    this.#isDirty = true;
    return layer;
  }

  /** How the paths of all layers that this run makes begin. */
  get ownLayers(): string {
    return join(this.folder, 'layers', `${this.#prefix}-`);
  }

  /** A layer by its id. */
  layer(id: string): LayerFolder {
    return { id, files: join(this.folder, 'layers', id, 'files') };
  }

  /** Throws a layer away that no record has. */
  async dropLayer(id: string): Promise<void> {
    this.#made.delete(id);
    await this.#remove(join(this.folder, 'layers', id));
  }

  /** The record of a reference. Throws an `EngineError` for what is no reference. */
  find(reference: string): ImageRecord | undefined {
    return this.records.get(parseName(reference));
  }

  /** As `find`, and remembers when the image was used. */
  use(reference: string, now: Date): ImageRecord | undefined {
    const name = parseName(reference);
    const record = this.records.get(name);
    if (record !== undefined) this.records.use(name, now);
    return record;
  }

  /** Puts an image under a name; its layers are as they will stay. */
  put(
    reference: string,
    image: Pick<ImageRecord, 'configuration' | 'layers'>,
    temporary = false,
  ): ImageRecord {
    const record: ImageRecord = {
      configuration: image.configuration,
      layers: image.layers,
      run: this.#options.runId,
      boot: this.#boot,
      ...(temporary ? { temporary } : {}),
    };
    this.records.put(parseName(reference), record, this.freshPath('record'));
    this.#isDirty = true;
    return record;
  }

  /** The digest and size of the archive that a layer packs to, or is put together to again, where somebody has asked before. */
  knownArchive(id: string, kind: ArchiveKind): Measured | undefined {
    try {
      return JSON.parse(readFileSync(this.#archiveFile(id, kind), 'utf8')) as Measured;
    } catch {
      return undefined;
    }
  }

  /** Remembers the digest and size of such an archive. */
  rememberArchive(id: string, kind: ArchiveKind, archive: Measured): void {
    try {
      replaceFileSync(this.#archiveFile(id, kind), JSON.stringify(archive), this.freshPath('archive'));
    } catch (error) {
      // It is measured again another time.
      if (!isNoSpace(error)) throw error;
    }
  }

  #archiveFile(id: string, kind: ArchiveKind): string {
    return join(this.folder, 'layers', id, kind === 'packed' ? 'archive.json' : 'joined.json');
  }

  /** Where that lies which a layer's archive was besides the content of files; undefined where that is not known. */
  splitOf(id: string): string | undefined {
    const file = this.#splitFile(id);
    return existsSync(file) ? file : undefined;
  }

  /** Puts a file there, which loses its name. */
  keepSplit(id: string, file: string): void {
    renameSync(file, this.#splitFile(id));
  }

  #splitFile(id: string): string {
    return join(this.folder, 'layers', id, 'split.zst');
  }

  /** Takes names away, and layers that no image has then. */
  async remove(...references: readonly string[]): Promise<void> {
    if (references.length === 0) return;
    for (const reference of references) this.records.delete(parseName(reference));
    await this.collect();
  }

  /** The records of all images. */
  *images(): Generator<ImageRecord, void, undefined> {
    for (const repository of this.records.repositories()) yield* this.records.list(repository).values();
  }

  /** The folders of an image's layers as they are mounted: the highest first. */
  lowersOf(layers: readonly RecordLayer[]): string[] {
    return layers.map(({ id }) => this.layer(id).files).reverse();
  }

  /** Which layers there are, and which images have them. */
  uses(): LayerUse[] {
    const images = new Map<string, string[]>(names(join(this.folder, 'layers')).map((id) => [id, []]));
    for (const repository of this.records.repositories())
      for (const [tag, { layers }] of this.records.list(repository))
        for (const id of new Set(layers.map((layer) => layer.id)))
          images.get(id)?.push(formatName({ repository, tag }));
    return [...images].map(([id, named]) => ({ id, images: named }));
  }

  /** Removes layers that no image has, no run is making and no run has a workspace on. */
  async collect(): Promise<void> {
    // Before images are looked at: a run makes its record before it takes its link away.
    const isInUse = this.layersInUse();
    for (const { id, images } of this.uses())
      if (images.length === 0 && !isInUse(id)) await this.#remove(join(this.folder, 'layers', id));
  }

  /**
   * Which layers stay without an image: those that a run is making or has a workspace on. `over` are runs, by their folders' names,
   * that count as ended.
   */
  layersInUse(over: ReadonlySet<string> = new Set()): (id: string) => boolean {
    const running = names(join(this.folder, 'runs')).filter((run) => !over.has(run));
    const own = basename(this.#run);
    const folders = running.flatMap((run) => (run === own ? this.holds.held() : this.#linkedBy(run)));
    const linked = new Set(folders.flatMap((folder) => /\/layers\/([^/]+)\/files$/.exec(folder)?.[1] ?? []));
    // What gets its image while others are removed had none when images were looked at.
    const making = new Set(this.#made);
    const prefixes = new Set(running.map((run) => prefixOf(fromFileName(run))));
    return (id) =>
      linked.has(id) ||
      (id.startsWith(`${this.#prefix}-`) ? making.has(id) : prefixes.has(id.slice(0, id.indexOf('-'))));
  }

  /** Where the links of another run lead. */
  #linkedBy(run: string): string[] {
    const targets: string[] = [];
    const folder = join(this.folder, 'runs', run);
    for (const links of names(folder).filter((name) => name.startsWith('w'))) {
      for (const link of names(join(folder, links))) {
        try {
          targets.push(readlinkSync(join(folder, links, link)));
        } catch {
          // No link, or gone meanwhile.
        }
      }
    }
    return targets;
  }

  /** Says that a layer of this run is not in the making any more. */
  settle(id: string): void {
    this.#made.delete(id);
  }

  /** What runs that were killed left behind: folders in `runs`, and the names of temporary images. */
  leftBehind(): { readonly runs: readonly string[]; readonly images: readonly string[] } {
    const runs = names(join(this.folder, 'runs')).filter((run) => this.isOver(fromFileName(run)));
    const images: string[] = [];
    // Without such a run there is no such image: a run that ends in peace takes its own along.
    for (const repository of runs.length === 0 ? [] : this.records.repositories())
      for (const [tag, { temporary, run }] of this.records.list(repository))
        if (temporary && this.isOver(run)) images.push(formatName({ repository, tag }));
    return { runs, images };
  }

  /** Removes what runs that were killed left behind. */
  async sweep(): Promise<void> {
    const { runs: over, images } = this.leftBehind();
    if (over.length === 0) return;
    for (const name of images) this.records.delete(parseName(name));
    for (const run of over) {
      await removeGroups(join(this.folder, 'runs', run, GROUP_LIST));
      await this.#remove(join(this.folder, 'runs', run));
    }
    await this.collect();
  }

  /** Removes a folder in one step as far as others see, and its content behind that. */
  async #remove(folder: string): Promise<void> {
    const aside = this.freshPath('trash');
    try {
      await rename(folder, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    await rm(aside, { recursive: true, force: true });
  }

  /** Takes a lock among the runs that share this store; see `Locks`. */
  async claim(name: string, onWait?: () => void, signal?: AbortSignal): Promise<Release> {
    this.runFolder();
    return await this.#locks.claim(`name ${name}`, onWait, signal);
  }

  /** Ends this run: its temporary images go, and what it wrote reaches the disk. */
  async close(temporary: readonly string[] = []): Promise<void> {
    if (this.#endRun === undefined) return;
    try {
      await this.remove(...temporary);
      if (this.#isDirty && names(join(this.folder, 'images')).length > 0 && (await syncDisk(this.folder)))
        this.#saySynced();
    } finally {
      rmSync(this.#run, { recursive: true, force: true });
      this.#endRun();
      this.#endRun = undefined;
    }
  }

  #saySynced(): void {
    try {
      makeFolder(join(this.folder, 'synced'));
      writeFileSync(join(this.folder, 'synced', toFileName(this.#options.runId)), '');
    } catch (error) {
      // What this run made is then not believed after a restart of the machine.
      if (!isNoSpace(error)) throw error;
    }
  }
}

/** Sees to it that no other user can put anything into the store. Throws an `EngineError` where this one cannot. */
function keepOthersOut(folder: string): void {
  const { mode, uid } = statSync(folder);
  if ((mode & 0o022) === 0) return;
  if (uid !== process.getuid?.())
    throw new EngineError(
      `the store ${folder} belongs to user ${uid}, and other users can write to it until that user runs chmod 700 ${folder}`,
      { hint: 'use another store', advice: 'another-store' },
    );
  chmodSync(folder, 0o700);
}

/** The lock that a run has as long as it goes on. */
const runLock = (run: string): string => `run ${run}`;

/** What layers of a run are called by. */
export const prefixOf = (runId: string): string =>
  createHash('sha256').update(runId).digest('hex').slice(0, 16);

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
