import type { Advice } from '../diagnostic/index.ts';
import type { WritingRun } from '../disk/index.ts';

export type { WritingRun };

/**
 * Identifies a blob by its content: `sha256:` and 64 lower-case hexadecimal digits (OCI image specification,
 * descriptors).
 */
export type Digest = `sha256:${string}`;

/** The platform that an image runs on, with Go's names (OCI image index). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** For example `v8`. Undefined if the architecture has only one variant. */
  readonly variant?: string;
}

/** A reference to a blob (OCI content descriptor). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Size in bytes, as stored. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The fields of an image configuration that are used here (OCI image configuration). */
export interface Configuration extends Platform {
  /** RFC 3339; undefined if the image has no creation time. */
  readonly created?: string;
  readonly config?: {
    /** `NAME=value`, in the image's order. */
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Cmd?: readonly string[] | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly User?: string;
    readonly WorkingDir?: string;
  };
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly Digest[] };
}

/** One layer of an image. Unknown properties are determined when they are requested. */
export interface Layer {
  /** Media type, digest and size of the layer as stored. */
  descriptor(): Promise<Descriptor>;
  /** Digest of the uncompressed archive. */
  diffId(): Promise<Digest>;
  /** The layer as stored. The stream fails if it does not match the declared digest and size. */
  compressed(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** The uncompressed tar archive. The stream fails if it does not match the declared digest. */
  uncompressed(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** One image: a configuration and layers, the lowest first. */
export interface Image {
  /** The manifest (OCI image manifest, or Docker's schema 2). Its digest is the digest of the image. */
  manifest(): Promise<Uint8Array>;
  /** Media type, digest and size of the manifest. */
  descriptor(): Promise<Descriptor>;
  /** The configuration as stored. Its digest is the image id in Docker. */
  rawConfiguration(): Promise<Uint8Array>;
  configuration(): Promise<Configuration>;
  layers(): Promise<readonly Layer[]>;
}

/** Images of several platforms with one name (OCI image index, or Docker's manifest list). */
export interface ImageIndex {
  manifest(): Promise<Uint8Array>;
  descriptor(): Promise<Descriptor>;
  /** The entries of the index, in order. */
  readonly manifests: readonly Descriptor[];
  /** One of the listed images. */
  image(digest: Digest): Promise<Image>;
}

/** Options for reading an image. */
export interface ReadOptions {
  /** Which image of an index to read. Default: the platform of this machine. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
  /** Called with the number of bytes that arrived, for progress. */
  readonly onBytes?: (count: number) => void;
}

/** A place from which images are read: a registry, a layout, an archive, a store. */
export interface ImageSource {
  /**
   * The image with this name; undefined if it does not exist. Rejects with an `ImageError` if the place
   * cannot be read, or if its content is not an image.
   */
  image(name: string, options?: ReadOptions): Promise<Image | undefined>;
}

/** Options for writing an image. */
export interface WriteOptions {
  /** Identifies the run that writes. Without it, files left by a crash are recognised by their age. */
  readonly run?: WritingRun;
  readonly signal?: AbortSignal;
  readonly onBytes?: (count: number) => void;
}

/** A place to which images are written. Readers of the place never see a partial image. */
export interface ImageSink {
  /**
   * Writes everything that is missing, the manifest last. Returns the descriptor that the name then refers
   * to.
   */
  write(name: string, image: Image, options?: WriteOptions): Promise<Descriptor>;
}

/** Options of an `ImageError`. */
export interface ImageErrorOptions extends ErrorOptions {
  /** How to fix it. */
  readonly hint?: string | undefined;
  /** The name of the fix, for programs with their own words for it. */
  readonly advice?: Advice | undefined;
}

/** An error of reading or writing an image, with a message for users. */
export class ImageError extends Error {
  override readonly name: string = 'ImageError';
  /** How to fix it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice | undefined;

  constructor(message: string, options: ImageErrorOptions = {}) {
    super(message, options);
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.advice !== undefined) this.advice = options.advice;
  }
}
