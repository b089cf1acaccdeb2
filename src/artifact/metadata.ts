import type { Compression } from '../tar/index.ts';

/** A requirement: a package name with a version selector, which is empty for any version. */
export interface MetadataForm {
  readonly name: string;
  readonly category: string;
  readonly selector: string;
}

/** A package in metadata, with the standard fields of its definition. */
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

/** One package of the chain that a package was built on (itself the last), with the keys of its images. */
export interface MetadataLink {
  readonly package: MetadataPackage;
  /** Key of the image on which its steps ran. */
  readonly buildHash: string;
  /** Key of the image that its steps made. */
  readonly packageHash: string;
}

/** One item of `copy`. */
export interface MetadataCopy {
  readonly package?: MetadataForm;
  readonly image?: string;
  readonly source: string;
  readonly destination: string;
}

/** How a package was built: its rendered build spec, for users and for clients that show it. */
export interface MetadataBuild {
  /** With the requirements of its build spec, not of its definition. */
  readonly package: MetadataPackage;
  readonly image: string;
  /** Reference of the image on which prelude and steps ran. */
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

/**
 * Identifies the archive on disk, to find out whether a build would write the same one. Luet clients ignore
 * it.
 */
export interface ArtifactRecord {
  /** Key of the image that the package was cut from. */
  readonly key: string;
  /** Hash of everything that determined the files: filters, compression, times. */
  readonly artifact: string;
  /** Size of the archive in bytes. */
  readonly size: number;
}

/** The content of a `FINGERPRINT.metadata.yaml`. */
export interface Metadata {
  /** Undefined if another program wrote the file. */
  readonly record?: ArtifactRecord;
  /** The inputs of the key, as plain data. Undefined if no commands ran for the package. */
  readonly inputs?: object | undefined;
  /** File name of the archive. */
  readonly archive: string;
  readonly compression: Compression;
  /** SHA-256 of the archive as stored, in hexadecimal. */
  readonly sha256: string;
  /** Paths of all entries except folders, as text without a leading `/`, in the archive's order. */
  readonly files: readonly string[];
  /** The package as clients solve and install it. */
  readonly runtime: MetadataPackage;
  readonly build: MetadataBuild;
}
