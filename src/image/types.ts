import type { Advice } from '../diagnostic/index.ts';
import type { WritingRun } from '../disk/index.ts';

export type { WritingRun };

/** The name of a blob by its content: `sha256:` and 64 lower-case hexadecimal digits (OCI image specification, descriptors). */
export type Digest = `sha256:${string}`;

/** What an image runs on, in Go's names (OCI image index). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Such as `v8`; absent where there is one of that architecture. */
  readonly variant?: string;
}

/** A blob as another one refers to it (OCI content descriptor). */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes as stored. */
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image's configuration as far as luet-ts reads it (OCI image configuration). */
export interface Configuration extends Platform {
  /** RFC 3339; absent where the image does not say. */
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

/** One layer of an image. What is not known at once is found out when it is asked for. */
export interface Layer {
  /** Media type, digest and size of the layer as it is stored. */
  descriptor(): Promise<Descriptor>;
  /** The digest of the uncompressed archive. */
  diffId(): Promise<Digest>;
  /** The layer as it is stored. The stream fails where its bytes do not have the digest and size that were declared. */
  compressed(signal?: AbortSignal): AsyncIterable<Uint8Array>;
  /** The tar archive. The stream fails where its bytes do not have the declared digest. */
  uncompressed(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** One image: a configuration and layers, lowest first. */
export interface Image {
  /** The manifest's bytes (OCI image manifest, or Docker's schema 2), whose digest is the image's. */
  manifest(): Promise<Uint8Array>;
  /** Media type, digest and size of the manifest. */
  descriptor(): Promise<Descriptor>;
  /** The configuration's bytes, whose digest is the image's id in Docker's sense. */
  rawConfiguration(): Promise<Uint8Array>;
  configuration(): Promise<Configuration>;
  layers(): Promise<readonly Layer[]>;
}

/** Images of several platforms under one name (OCI image index, or Docker's manifest list). */
export interface ImageIndex {
  manifest(): Promise<Uint8Array>;
  descriptor(): Promise<Descriptor>;
  /** What the index lists, in its order. */
  readonly manifests: readonly Descriptor[];
  /** One of the listed images. */
  image(digest: Digest): Promise<Image>;
}

/** How an image is read. */
export interface ReadOptions {
  /** Which image of an index; that of this machine where absent. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
  /** Told of bytes as they come: for progress. */
  readonly onBytes?: (count: number) => void;
}

/** A place that images can be read from: a registry, a layout, an archive, a store. */
export interface ImageSource {
  /**
   * The image of a name, or undefined where there is none. Rejects with an `ImageError` where the place cannot be read,
   * or what it holds is not an image.
   */
  image(name: string, options?: ReadOptions): Promise<Image | undefined>;
}

/** How an image is written. */
export interface WriteOptions {
  /** Where absent, what a crash leaves is found by its age. */
  readonly run?: WritingRun;
  readonly signal?: AbortSignal;
  readonly onBytes?: (count: number) => void;
}

/** A place that images can be written to. A reader of the place never sees half an image. */
export interface ImageSink {
  /** Writes what is not there yet, the manifest last, and answers what now stands under the name. */
  write(name: string, image: Image, options?: WriteOptions): Promise<Descriptor>;
}

/** What an `ImageError` tells beside its message. */
export interface ImageErrorOptions extends ErrorOptions {
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice | undefined;
}

/** Why an image could not be read or written, in words for people. */
export class ImageError extends Error {
  override readonly name: string = 'ImageError';
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice | undefined;

  constructor(message: string, options: ImageErrorOptions = {}) {
    super(message, options);
    if (options.hint !== undefined) this.hint = options.hint;
    if (options.advice !== undefined) this.advice = options.advice;
  }
}
