import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, removeTreeSync } from '../disk/index.ts';
import { isNoSpace, storeError, syncDisk } from './disk.ts';
import { StoreError } from './errors.ts';
import { Locks, type Release } from './lock.ts';
import { fromFileName, toFileName } from './names.ts';
import { namesIn, type Trust } from './records.ts';

/**
 * The runs that work on a store. Each has a folder `runs/RUN` for what it needs while it goes on, and a lock
 * that the kernel releases when its process ends. A run whose lock is free is over, whatever its folder says.
 */
export class Runs implements Trust {
  /** The id of this run. */
  readonly own: string;
  /** Names the present boot of the machine. */
  readonly boot = bootId();
  readonly #store: string;
  readonly #locks: Locks;
  readonly #synced = new Map<string, boolean>();
  #release: Release | undefined;
  #count = 0;

  /** `store` is the store's folder; `own` names this run among all runs on all machines. */
  constructor(store: string, own: string) {
    this.own = own;
    this.#store = store;
    this.#locks = new Locks(store);
  }

  /** The path of this run's folder, whether it is there or not. */
  get ownFolder(): string {
    return join(this.#store, 'runs', toFileName(this.own));
  }

  /**
   * Creates the folder of this run, and the store's where it is missing. Throws a `StoreError` where the
   * store cannot be written.
   */
  folder(): string {
    const { ownFolder } = this;
    if (this.#release !== undefined) return ownFolder;
    try {
      makeFolder(join(this.#store, 'layers'), 0o700);
      keepOthersOut(this.#store);
      // The lock is taken before the folder appears: others take a folder without a lock for a leftover.
      this.#release = this.#locks.tryClaim(runLock(this.own));
      if (this.#release === undefined)
        throw new Error(`another process has the name of this run, ${this.own}`);
      makeFolder(ownFolder, 0o700);
    } catch (error) {
      this.#release?.();
      this.#release = undefined;
      throw error instanceof StoreError ? error : storeError(this.#store, error);
    }
    return ownFolder;
  }

  /** A path in this run's folder at which nothing is yet. */
  freshPath(kind: string): string {
    return join(this.folder(), `${kind}${this.freshNumber()}`);
  }

  /** A number that this run has not used yet. */
  freshNumber(): number {
    return this.#count++;
  }

  /** Whether a run has ended, in whatever way and in whichever namespaces it ran. This run has not. */
  isOver(run: string): boolean {
    if (run === this.own) return false;
    const release = this.#locks.tryClaim(runLock(run));
    release?.();
    return release !== undefined;
  }

  /** The names of the folders of all runs, this one's included. */
  folders(): string[] {
    return namesIn(join(this.#store, 'runs'));
  }

  /** The other runs that work on the store now. */
  others(): readonly string[] {
    return this.folders()
      .map(fromFileName)
      .filter((run) => run !== this.own && !this.isOver(run));
  }

  /** Takes a lock among the runs that share this store; see `Locks`. */
  async claim(name: string, onWait?: () => void, signal?: AbortSignal): Promise<Release> {
    this.folder();
    return await this.#locks.claim(`name ${name}`, onWait, signal);
  }

  /** Whether everything that a run wrote has reached the disk. */
  isSynced(run: string): boolean {
    let known = this.#synced.get(run);
    if (known === undefined) {
      known = existsSync(join(this.#store, 'synced', toFileName(run)));
      this.#synced.set(run, known);
    }
    return known;
  }

  /**
   * Ends this run after some last work: flushes the disk if there are images to be kept, and removes the
   * run's folder. A run that made no folder has nothing to end.
   */
  async end(last: () => Promise<{ readonly isToBeSynced: boolean }>): Promise<void> {
    if (this.#release === undefined) return;
    try {
      const { isToBeSynced } = await last();
      if (isToBeSynced && (await syncDisk(this.#store))) this.#markSynced();
    } finally {
      removeTreeSync(this.ownFolder);
      this.#release();
      this.#release = undefined;
    }
  }

  #markSynced(): void {
    try {
      makeFolder(join(this.#store, 'synced'));
      writeFileSync(join(this.#store, 'synced', toFileName(this.own)), '');
    } catch (error) {
      // Without the mark, what this run made is not trusted after a restart of the machine.
      if (!isNoSpace(error)) throw error;
    }
  }
}

/**
 * Closes the store to other users where they could write to it. Throws a `StoreError` where this process
 * cannot.
 */
function keepOthersOut(folder: string): void {
  const { mode, uid } = statSync(folder);
  if ((mode & 0o022) === 0) return;
  if (uid !== process.getuid?.())
    throw new StoreError(
      `the store ${folder} belongs to user ${uid}, and other users can write to it until that user runs chmod 700 ${folder}`,
      { hint: 'use another store', advice: 'another-store' },
    );
  chmodSync(folder, 0o700);
}

/** The name of the lock that a run holds as long as it goes on. */
const runLock = (run: string): string => `run ${run}`;

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
