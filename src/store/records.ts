import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, replaceFileSync } from '../disk/index.ts';
import { type Configuration, type Digest, isDigest } from '../image/index.ts';
import { fromFileName, type Name, plainRepository, toFileName } from './names.ts';

/** A layer of a stored image. */
export interface RecordLayer {
  /** The name of its folder in the store. */
  readonly id: string;
  /** The digest of the archive that it was unpacked from; absent for what was committed here. */
  readonly diffId?: Digest;
}

/** What the store knows of an image. */
export interface ImageRecord {
  /** The image's configuration (OCI image configuration) without its layers. */
  readonly configuration: Omit<Configuration, 'rootfs'>;
  /** Lowest first. */
  readonly layers: readonly RecordLayer[];
  /** The run that made it. */
  readonly run: string;
  /**
   * The boot during which it was made. Until the run's data has reached the disk, the record is trusted only
   * during that boot.
   */
  readonly boot: string;
  /** Whether the image is removed when its run ends. */
  readonly temporary?: true;
}

/** What decides whether a record is trusted. */
export interface Trust {
  /** Names the present boot. */
  readonly boot: string;
  /** Whether everything that a run wrote has reached the disk. */
  isSynced(run: string): boolean;
}

function isRecord(value: unknown): value is ImageRecord {
  const { configuration, layers, run, boot } = (value ?? {}) as Partial<ImageRecord>;
  return (
    typeof configuration === 'object' &&
    typeof run === 'string' &&
    typeof boot === 'string' &&
    Array.isArray(layers) &&
    layers.every(
      (one: Partial<RecordLayer>) =>
        typeof one.id === 'string' &&
        /^[0-9a-f]+-\d+$/.test(one.id) &&
        (one.diffId === undefined || isDigest(one.diffId)),
    )
  );
}

/** Images by name: a folder for each repository, a file for each tag, so that one look lists a repository. */
export class Records {
  readonly #folder: string;
  readonly #trust: Trust;

  constructor(folder: string, trust: Trust) {
    this.#folder = folder;
    this.#trust = trust;
  }

  #repositoryFolder(repository: string): string {
    return join(this.#folder, toFileName(plainRepository(repository)));
  }

  #file({ repository, tag }: Name): string {
    return join(this.#repositoryFolder(repository), `${toFileName(tag)}.json`);
  }

  /** A record that is complete, and whose layers cannot have been lost in a power failure. */
  #read(file: string): ImageRecord | undefined {
    try {
      const record: unknown = JSON.parse(readFileSync(file, 'utf8'));
      if (!isRecord(record)) return undefined;
      return record.boot === this.#trust.boot || this.#trust.isSynced(record.run) ? record : undefined;
    } catch (error) {
      // Removed in the meantime, or cut off by a crash of the machine.
      if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT')
        return undefined;
      throw error;
    }
  }

  /** The record of a name; undefined where there is none that is trusted. */
  get(name: Name): ImageRecord | undefined {
    return this.#read(this.#file(name));
  }

  /** Milliseconds since 1970 at which an image was last used, or made; 0 where there is none. */
  used(name: Name): number {
    return statSync(this.#file(name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }

  /** Remembers that an image is used now. */
  use(name: Name, now: Date): void {
    try {
      utimesSync(this.#file(name), now, now);
    } catch {
      // Removed in the meantime, or not writable by this user: then the use is not remembered.
    }
  }

  /** The trusted records of a repository, by tag. */
  list(repository: string): Map<string, ImageRecord> {
    const folder = this.#repositoryFolder(repository);
    const found = new Map<string, ImageRecord>();
    for (const file of filesIn(folder)) {
      const record = this.#read(join(folder, file));
      if (record !== undefined) found.set(fromFileName(file.slice(0, -'.json'.length)), record);
    }
    return found;
  }

  /** The tags of a repository, trusted or not. */
  tags(repository: string): string[] {
    return filesIn(this.#repositoryFolder(repository)).map((file) =>
      fromFileName(file.slice(0, -'.json'.length)),
    );
  }

  /** The names of all repositories. */
  repositories(): string[] {
    return namesIn(this.#folder).map(fromFileName).sort();
  }

  /**
   * Writes a record under a name, through the temporary file `aside`. It does not wait for the disk: a record
   * that a crash of the machine can have damaged is of another boot than the present one, and not trusted
   * (see `Trust`).
   */
  put(name: Name, record: ImageRecord, aside: string): void {
    makeFolder(this.#repositoryFolder(name.repository));
    replaceFileSync(this.#file(name), JSON.stringify(record), aside);
  }

  /** Removes a name. */
  delete(name: Name): void {
    rmSync(this.#file(name), { force: true });
  }
}

/** The names in a folder; none where it does not exist. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

const filesIn = (folder: string): string[] => namesIn(folder).filter((name) => name.endsWith('.json'));
