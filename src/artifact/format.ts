import type { EntrySource, ReadEntry } from '../tar/index.ts';
import type { MetadataBuild, MetadataPackage } from './metadata.ts';

/** A package that is to be written: everything but its entries. */
export interface PackageToWrite {
  /** `name-category-version`, the beginning of its files' names. */
  readonly fingerprint: string;
  /** As clients solve and install it. */
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
  /** Key of the image that the package is cut from. */
  readonly key: string;
  /** Hash of everything that decides its files and metadata. */
  readonly hash: string;
  /** What the key was made of, for people and for a later comparison; absent where nothing ran for the package. */
  readonly inputs?: object;
}

/** Where a package is written, and by which run. */
export interface PackagePlace {
  /** Absolute path of the folder; made where it is missing. */
  readonly folder: string;
  /** Marks files that are not finished; letters, digits, `.` and `_`, different for all runs at one time. */
  readonly runId: string;
  /** Stops the work between two chunks. */
  readonly signal?: AbortSignal | undefined;
}

/** What identifies a package. */
export type PackageName = Pick<MetadataPackage, 'name' | 'category' | 'version'>;

/** A package that was written. */
export interface WrittenPackage {
  /** Absolute path of the file that holds the package's content. */
  readonly archive: string;
  /** How many entries it has, folders not counted. */
  readonly files: number;
  /** Bytes of the archive on disk. */
  readonly size: number;
}

/** A package that lies in a folder as it would be written there. */
export type FoundPackage = Omit<WrittenPackage, 'files'>;

/**
 * One kind of package file, such as Luet's archive with its metadata. A build writes packages through this contract and
 * knows nothing else of their format.
 */
export interface PackageFormat {
  /** For people, such as `luet`. */
  readonly name: string;
  /**
   * The package in a folder, where it is exactly what would be written there now; undefined where it is missing, another
   * one, unfinished or damaged.
   */
  find(
    pack: Pick<PackageToWrite, 'fingerprint' | 'key' | 'hash'>,
    folder: string,
  ): Promise<FoundPackage | undefined>;
  /** The package whose files in a folder have these names, whoever wrote them; undefined where none says. */
  owner(fingerprint: string, folder: string): Promise<PackageName | undefined>;
  /**
   * Writes a package. `entries` are sorted by bytes, each path once. The package takes its name when it is complete and on
   * disk; after an error or an abort nothing of it is left.
   */
  write(pack: PackageToWrite, entries: EntrySource, place: PackagePlace): Promise<WrittenPackage>;
  /** The entries of a written package, in their order. May be called more than once. */
  read(archive: string): AsyncGenerator<ReadEntry, void, undefined>;
}
