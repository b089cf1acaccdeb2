import type { Compression } from '../tar/index.ts';

/** A package form in a list of requirements: which versions are meant is the selector, empty for any. */
export interface MetadataForm {
  readonly name: string;
  readonly category: string;
  readonly selector: string;
}

/** A package as metadata carries it, with the standard fields of its definition. */
export interface MetadataPackage {
  readonly name: string;
  readonly category: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly uri: readonly string[];
  readonly hidden: boolean;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly useFlags: readonly string[];
  readonly requires: readonly MetadataForm[];
  readonly conflicts: readonly MetadataForm[];
  readonly provides: readonly MetadataForm[];
}

/** One package of the chain that a package was built on, itself the last, and its images' keys. */
export interface MetadataLink {
  readonly package: MetadataPackage;
  /** What its steps ran on: the key of the parent image. */
  readonly buildHash: string;
  /** The key of the image that its steps gave. */
  readonly packageHash: string;
}

/** One entry of `copy`. */
export interface MetadataCopy {
  readonly package?: MetadataForm;
  readonly image?: string;
  readonly source: string;
  readonly destination: string;
}

/** How a package was built: its rendered build spec, for people and for clients that show it. */
export interface MetadataBuild {
  /** With the requirements of its build spec, not those of its definition. */
  readonly package: MetadataPackage;
  readonly image: string;
  /** Reference of the image that prelude and steps ran on. */
  readonly seed: string;
  readonly prelude: readonly string[];
  readonly steps: readonly string[];
  readonly env: readonly string[];
  readonly copy: readonly MetadataCopy[];
  readonly packageDir: string;
  readonly retrieve: readonly string[];
  readonly unpack: boolean;
  readonly includes: readonly string[];
  readonly excludes: readonly string[];
  readonly requiresFinalImages: boolean;
  /** From the bottom of the chain to the package itself. */
  readonly closure: readonly MetadataLink[];
}

/** What says whether an archive on disk is the one that a build would make. Stock clients skip it. */
export interface ArtifactRecord {
  /** Key of the image that the package was cut from. */
  readonly key: string;
  /** Hash of everything that decided what was cut from it: filters, compression, times. */
  readonly artifact: string;
  /** Bytes of the archive on disk. */
  readonly size: number;
}

/** Everything that a `FINGERPRINT.metadata.yaml` says. */
export interface Metadata {
  /** Undefined where another builder wrote it. */
  readonly record?: ArtifactRecord;
  /** What the key in the record was made of, as plain data; absent where nothing ran for the package. */
  readonly inputs?: object | undefined;
  /** The archive's file name. */
  readonly archive: string;
  readonly compression: Compression;
  /** SHA-256 of the archive as it lies on disk, in hexadecimal. */
  readonly sha256: string;
  /** Paths of all entries but directories, as text without a leading `/`, in the archive's order. */
  readonly files: readonly string[];
  /** The package as clients solve and install it. */
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
}
