import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectLayers, sweepStore } from './collect.ts';
import { StoreError } from './errors.ts';
import { Holds } from './holds.ts';
import { type LayerFolder, Layers } from './layers.ts';
import { parseName } from './names.ts';
import { type ImageRecord, namesIn, Records } from './records.ts';
import { Runs } from './runs.ts';

/** How a store is opened. */
export interface StoreOptions {
  /** Absolute path of the store's folder; created where it is missing. */
  readonly folder: string;
  /** Names this run among all runs on all machines. */
  readonly runId: string;
  /** The form of layers in a store that is created: `trusted` takes a root that may mount. */
  readonly form: OverlayForm;
  /** Ends what a dead run has outside of its folder, such as control groups. Called with that folder before it is removed. */
  readonly endRun?: ((folder: string) => Promise<void>) | undefined;
}

/** The extended attributes of layers: those that only root outside of user namespaces can write, or others. */
export type OverlayForm = 'trusted' | 'user';

/**
 * Images on this machine's disk, shared by all runs that name the same folder:
 *
 *     images/REPOSITORY/TAG.json   a record: configuration, and layers, lowest first
 *     layers/ID/files              a layer's files, in the form of an overlay's upper folder; mounted as they are
 *     layers/ID/archive.json       digest and size of its packed archive, once somebody asked for it
 *     layers/ID/split.zst          everything of the archive that it came from, except the content of files
 *     layers/ID/joined.json        digest and size of that archive, once it was put together again
 *     runs/RUN/                    what a run needs while it goes on: workspaces, and in `w…` links to used layers
 *     synced/RUN                   marks that everything that a run wrote has reached the disk
 *     form, way.json               the attributes of layers, and the way in which this machine runs commands
 *     locks                        locks between runs, a byte each; the file stays empty
 *
 * A layer's folder does not change any more when a record has it. Its id begins with that of its run, so that what a
 * dead run left unfinished differs from what another run is about to finish. `collect` removes layers without a record.
 */
export class Store {
  readonly folder: string;
  readonly records: Records;
  readonly runs: Runs;
  readonly layers: Layers;
  /** The layers that this run works on. */
  readonly holds: Holds;
  readonly #options: StoreOptions;
  #form: OverlayForm | undefined;
  /** Whether this run wrote something that must reach the disk. */
  #isDirty = false;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.folder = options.folder;
    this.runs = new Runs(options.folder, options.runId);
    this.layers = new Layers(options.folder, this.runs);
    this.holds = new Holds(() => this.runs.freshPath('w'));
    this.records = new Records(join(options.folder, 'images'), this.runs);
  }

  /** The attributes of the store's layers, chosen when it was created. Throws a `StoreError` where this process cannot write them. */
  get form(): OverlayForm {
    if (this.#form !== undefined) return this.#form;
    const file = join(this.folder, 'form');
    let form: string;
    try {
      form = readFileSync(file, 'utf8');
    } catch {
      this.runs.folder();
      form = this.#options.form;
      writeFileSync(file, form);
    }
    if (form === 'trusted' && this.#options.form !== 'trusted')
      throw new StoreError(
        `the store ${this.folder} was made by a root that may mount, and holds what this process cannot write`,
        { hint: 'use another store', advice: 'another-store' },
      );
    this.#form = form === 'trusted' ? 'trusted' : 'user';
    return this.#form;
  }

  /** A path in this run's folder at which nothing is yet. */
  freshPath(kind: string): string {
    return this.runs.freshPath(kind);
  }

  /** Creates an empty layer for this run to fill. */
  newLayer(): LayerFolder {
    const layer = this.layers.create();
    this.#isDirty = true;
    return layer;
  }

  /** The record of a reference. Throws a `StoreError` for an invalid reference. */
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

  /** Stores an image under a name. Its layers must be complete: they are not changed any more. */
  put(
    reference: string,
    image: Pick<ImageRecord, 'configuration' | 'layers'>,
    temporary = false,
  ): ImageRecord {
    const record: ImageRecord = {
      configuration: image.configuration,
      layers: image.layers,
      run: this.runs.own,
      boot: this.runs.boot,
      ...(temporary ? { temporary } : {}),
    };
    this.records.put(parseName(reference), record, this.freshPath('record'));
    this.#isDirty = true;
    return record;
  }

  /** Removes names, and the layers that no image has after that. */
  async remove(...references: readonly string[]): Promise<void> {
    if (references.length === 0) return;
    for (const reference of references) this.records.delete(parseName(reference));
    await this.collect();
  }

  /** The records of all images. */
  *images(): Generator<ImageRecord, void, undefined> {
    for (const repository of this.records.repositories()) yield* this.records.list(repository).values();
  }

  /** Removes layers that no image has and no run needs. */
  collect(): Promise<void> {
    return collectLayers(this);
  }

  /** Removes what dead runs left behind. */
  sweep(): Promise<void> {
    return sweepStore(this, this.#options.endRun);
  }

  /** Ends this run: its temporary images are removed, and what it wrote is flushed to the disk. */
  close(temporary: readonly string[] = []): Promise<void> {
    return this.runs.end(async () => {
      await this.remove(...temporary);
      return { isToBeSynced: this.#isDirty && namesIn(join(this.folder, 'images')).length > 0 };
    });
  }
}
