import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, removeTree, replaceFileSync } from '../disk/index.ts';
import type { Measured } from '../image/index.ts';
import { isNoSpace, storeError } from './disk.ts';
import type { RecordLayer } from './records.ts';
import type { Runs } from './runs.ts';

/** A layer, finished or being made. */
export interface LayerFolder {
  readonly id: string;
  /** Absolute path of the layer's files, in the form of an overlay's upper folder. */
  readonly files: string;
}

/**
 * An archive of a layer: `packed` by this program from the folder, or the one that it came from, `joined`
 * again.
 */
export type ArchiveKind = 'packed' | 'joined';

/** The folders of layers in a store, and what is known of their archives. */
export class Layers {
  /** The layers of this run that no image has yet. */
  readonly unfinished = new Set<string>();
  readonly #store: string;
  readonly #runs: Runs;
  readonly #prefix: string;

  /** `store` is the store's folder. */
  constructor(store: string, runs: Runs) {
    this.#store = store;
    this.#runs = runs;
    this.#prefix = prefixOf(runs.own);
  }

  /** The folder of a layer. */
  folder(id: string): string {
    return join(this.#store, 'layers', id);
  }

  /** A layer by its id. */
  layer(id: string): LayerFolder {
    return { id, files: join(this.folder(id), 'files') };
  }

  /** How the paths of all layers that this run makes begin. */
  get ownPaths(): string {
    return join(this.#store, 'layers', `${this.#prefix}-`);
  }

  /** Whether this run made a layer. */
  isOwn(id: string): boolean {
    return id.startsWith(`${this.#prefix}-`);
  }

  /** Creates an empty layer for this run to fill. Its root belongs to root and has the mode 0755. */
  create(): LayerFolder {
    this.#runs.folder();
    const layer = this.layer(`${this.#prefix}-${this.#runs.freshNumber()}`);
    try {
      makeFolder(layer.files, 0o755);
    } catch (error) {
      throw storeError(this.#store, error);
    }
    this.unfinished.add(layer.id);
    return layer;
  }

  /** Marks a layer of this run as finished: from now on it stays only as long as an image has it. */
  finish(id: string): void {
    this.unfinished.delete(id);
  }

  /** Removes a layer that no image has. */
  async drop(id: string): Promise<void> {
    this.unfinished.delete(id);
    await this.removeFolder(this.folder(id));
  }

  /** Removes a folder of the store. It disappears at once, and its content is deleted after that. */
  async removeFolder(folder: string): Promise<void> {
    const aside = this.#runs.freshPath('trash');
    try {
      await rename(folder, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    await removeTree(aside);
  }

  /** The folders of an image's layers in the order of mounts: the highest first. */
  lowersOf(layers: readonly RecordLayer[]): string[] {
    return layers.map(({ id }) => this.layer(id).files).reverse();
  }

  /** Digest and size of an archive of a layer; undefined where nobody asked for it before. */
  knownArchive(id: string, kind: ArchiveKind): Measured | undefined {
    try {
      return JSON.parse(readFileSync(this.#archiveFile(id, kind), 'utf8')) as Measured;
    } catch {
      return undefined;
    }
  }

  /** Remembers digest and size of an archive of a layer. */
  rememberArchive(id: string, kind: ArchiveKind, archive: Measured): void {
    const aside = this.#runs.freshPath('archive');
    try {
      replaceFileSync(this.#archiveFile(id, kind), JSON.stringify(archive), aside);
    } catch (error) {
      // The archive is measured again next time.
      if (!isNoSpace(error)) throw error;
    }
  }

  #archiveFile(id: string, kind: ArchiveKind): string {
    return join(this.folder(id), kind === 'packed' ? 'archive.json' : 'joined.json');
  }

  /**
   * The file with everything of a layer's archive except the content of files; undefined where there is none.
   */
  splitOf(id: string): string | undefined {
    const file = this.#splitFile(id);
    return existsSync(file) ? file : undefined;
  }

  /** Moves such a file to its layer. */
  keepSplit(id: string, file: string): void {
    renameSync(file, this.#splitFile(id));
  }

  #splitFile(id: string): string {
    return join(this.folder(id), 'split.zst');
  }
}

/** How the ids of layers of a run begin. */
export const prefixOf = (runId: string): string =>
  createHash('sha256').update(runId).digest('hex').slice(0, 16);
