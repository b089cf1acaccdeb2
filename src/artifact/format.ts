import type { EntrySource, ReadEntry } from '../tar/index.ts';
import type { MetadataBuild, MetadataPackage } from './metadata.ts';

/** A package to write, without its entries. */
export interface PackageToWrite {
  /** `name-category-version`, the start of its file names. */
  readonly fingerprint: string;
  /** The package as clients solve and install it. */
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
  /** Key of the image that the package is cut from. */
  readonly key: string;
  /** Hash of everything that determines its files and metadata. */
  readonly hash: string;
  /** The inputs of the key, for later comparison. Undefined if no commands ran for the package. */
  readonly inputs?: object;
}

/** Where to write a package, and which run writes it. */
export interface PackagePlace {
  /** Absolute path of the folder; it is created if it does not exist. */
  readonly folder: string;
  /** Part of the names of temporary files: letters, digits, `.` and `_`, unique among all running builds. */
  readonly runId: string;
  /** Stops the work between two chunks. */
  readonly signal?: AbortSignal | undefined;
}

/** Identifies a package. */
export type PackageName = Pick<MetadataPackage, 'name' | 'category' | 'version'>;

/** A package that was written. */
export interface WrittenPackage {
  /** Absolute path of the file with the package's content. */
  readonly archive: string;
  /** Number of entries, not counting folders. */
  readonly files: number;
  /** Size of the archive in bytes. */
  readonly size: number;
}

/** A package in a folder that is already the one to be written. */
export type FoundPackage = Omit<WrittenPackage, 'files'>;

/**
 * A kind of package file, such as Luet's archive with metadata. A build writes packages only through this
 * interface and does not know their format.
 */
export interface PackageFormat {
  /** Name in messages, such as `luet`. */
  readonly name: string;
  /**
   * The package in a folder, if it is exactly the one that would be written now. Undefined if it is missing,
   * different, incomplete or damaged.
   */
  find(
    pack: Pick<PackageToWrite, 'fingerprint' | 'key' | 'hash'>,
    folder: string,
  ): Promise<FoundPackage | undefined>;
  /**
   * The package to which files with these names in a folder belong, whoever wrote them. Undefined if there
   * are none.
   */
  owner(fingerprint: string, folder: string): Promise<PackageName | undefined>;
  /**
   * Writes a package. `entries` must be sorted by bytes, without duplicate paths. The package gets its final
   * name when it is complete and on disk; after an error or abort nothing of it is left.
   */
  write(pack: PackageToWrite, entries: EntrySource, place: PackagePlace): Promise<WrittenPackage>;
  /** The entries of a written package, in order. Can be called more than once. */
  read(archive: string): AsyncGenerator<ReadEntry, void, undefined>;
}
