import type { Image, ImageSource, ReadOptions, WriteOptions } from '../image/index.ts';
import type { BytePath, EntrySource, FileEntry, FileTree } from '../tar/index.ts';

export type { FileContent, FileEntry } from '../tar/index.ts';

/** An image's configuration, as far as a build depends on it. */
export interface ImageConfig {
  /** `NAME=value`, in the image's order. */
  readonly env: readonly string[];
  readonly os: string;
  readonly architecture: string;
  /** Such as `v8`; the empty string where the image names none. */
  readonly variant: string;
}

/** An image that an engine holds. Layers, configuration and creation time are the same on every engine. */
export interface ImageInfo {
  /** The reference by which the image was asked for. */
  readonly reference: string;
  /** Digests of the uncompressed layers, lowest first (`rootfs.diff_ids` of the OCI image specification). */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
  /** Seconds since 1970; 0 where the image does not say. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * How an engine finds out what commands changed: from the `upper` folder of an overlay mount, from the
 * engine's own list of `changes`, by comparing what it `export`s, or by comparing a `listing` of the root's
 * files.
 */
export type ChangeSource = 'upper' | 'changes' | 'export' | 'listing';

/** Resource limits shared by all processes of a workspace. There is no limit where a field is absent. */
export interface WorkspaceLimits {
  /** Bytes, swap included. */
  readonly memory?: number | undefined;
  /** Processes and threads at one time. The engine itself needs a few of them to start commands. */
  readonly processes?: number | undefined;
}

/** Whether an engine can enforce a limit. */
export interface LimitSupport {
  readonly possible: boolean;
  /** What is missing for it, for people; empty where it is possible. */
  readonly reason: string;
}

/** A description of an engine, for people. */
export interface EngineReport {
  /** Such as `Docker` or `Podman`. */
  readonly name: string;
  readonly version: string;
  /** The version of its API; empty where it has none. */
  readonly apiVersion: string;
  readonly address: string;
  readonly storageDriver: string;
  /** The platform of the programs that it runs, such as `linux/amd64`. */
  readonly platform: string;
  readonly cpus: number;
  /** The folder with its images, as the engine names it. */
  readonly dataRoot: string;
  /** Bytes free in that folder; absent where this process cannot see it. */
  readonly freeBytes?: number;
  readonly limits: Readonly<Record<keyof WorkspaceLimits, LimitSupport>>;
}

/** How a workspace is opened. */
export interface WorkspaceOptions extends WorkspaceLimits {
  /** Reference of the image that the workspace starts from. */
  readonly image: string;
  /**
   * The environment of commands, and of images that are committed. It is complete: nothing is added to it.
   */
  readonly environment: ReadonlyMap<string, string>;
  /** The folder that commands run in, an absolute path; created where it is missing. */
  readonly folder: string;
  /** `bridge`, `host` or `none`; the engine's default where absent. */
  readonly network?: string;
  readonly signal?: AbortSignal;
}

/** What happened to the file system of a workspace since its mark. All lists are sorted by bytes. */
export interface Changes {
  /** Paths that exist now and did not exist at the mark. */
  readonly added: readonly FileEntry[];
  /**
   * Paths that existed at the mark and have other content or metadata now. A folder's own time does not
   * count.
   */
  readonly changed: readonly BytePath[];
  /**
   * Paths that existed at the mark and do not exist now. Of a removed folder only the folder itself is
   * listed.
   */
  readonly removed: readonly BytePath[];
}

/** Receives the output of a command, piece by piece. */
export type OutputListener = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;

/**
 * A read-only view of an image's files. What the runtime put there is left out (`/dev`, `/proc`,
 * `/etc/hosts`, …).
 */
export interface Reader extends FileTree {
  /** Releases the image. Can be called twice. */
  close(): Promise<void>;
}

/** An image opened for work. Commands run in it one after the other. */
export interface Workspace extends Reader {
  /** Where `changes` come from. */
  readonly source: ChangeSource;
  /** Writes entries into the file system; their paths are relative to its root. */
  upload(entries: EntrySource): Promise<void>;
  /**
   * Runs a command by a new `/bin/sh -c` as root, without standard input, and kills every process that it
   * leaves running. `environment` is the command's complete environment; that of the opening where absent.
   * Resolves to the exit code. Rejects with an `EngineError` where the workspace ended, and where the command
   * failed because of the engine: `no-space` where the disk is full, `out-of-memory` where the kernel killed
   * processes.
   */
  run(command: string, onOutput: OutputListener, environment?: ReadonlyMap<string, string>): Promise<number>;
  /** Remembers the present state; `changes` compares with it. */
  mark(): Promise<void>;
  changes(): Promise<Changes>;
  /**
   * Makes an image of the present state under a reference: the configuration of the image that was opened,
   * with these labels added. Other runs see the whole image or none. From then on the workspace can be read
   * but not changed. A temporary image is removed when the engine is closed, or by a later run's `sweep` if
   * this run dies.
   */
  commit(reference: string, labels: Readonly<Record<string, string>>, temporary?: boolean): Promise<void>;
}

/** An image that an engine holds under one repository. */
export interface ListedImage {
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** An image that an engine holds under at least one name. */
export interface HeldImage {
  /** As the engine writes them. */
  readonly names: readonly string[];
  /** Seconds since 1970; 0 where the image does not say. */
  readonly created: number;
  /** Bytes on disk, shared layers included; absent where it takes long to find out. */
  readonly size?: number;
}

/** Images of an engine, opened to be read as data. */
export interface OpenedImages extends ImageSource {
  /** Releases what was fetched for reading. Can be called twice. */
  close(): Promise<void>;
}

/** An image as data, and the name that it gets in an engine. */
export interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

/** How images are written into an engine. */
export interface PutOptions extends WriteOptions {
  /** As in `Workspace.commit`. The names must then be this run's own. */
  readonly temporary?: boolean;
}

/** How an image is built from a Dockerfile. */
export interface ImageBuildOptions {
  /** The name of the Dockerfile at the top of the context. */
  readonly dockerfile: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly temporary: boolean;
  readonly network?: string | undefined;
  readonly onOutput: OutputListener;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What only some engines can do. A caller asks whether the method is there, and does without it or says what
 * is missing.
 */
export interface EngineAbilities {
  /** Builds an image from a Dockerfile at the top of a context; temporary as in `Workspace.commit`. */
  buildImage?(reference: string, context: EntrySource, options: ImageBuildOptions): Promise<ImageInfo>;
  /**
   * Takes a lock of that name among all runs that share the engine's images, and waits where another run
   * holds it; `onWait` is then called once. The lock is released by calling the result, or when this process
   * ends in any way.
   */
  claim?(name: string, onWait: () => void, signal?: AbortSignal): Promise<() => void>;
  /**
   * What commands can do to this machine although they should not, for people: one phrase each, none where
   * they are isolated. Absent where each command runs in a container. Rejects with an `EngineError` where no
   * command can run.
   */
  isolationGaps?(): Promise<readonly string[]>;
}

/**
 * A place where commands run on an image: a daemon that speaks the Docker API, or this machine itself. Every
 * engine passes the tests in `test/engine/contract`, which also say more exactly what is promised here. All
 * methods reject with an `EngineError` where the engine fails.
 */
export interface Engine extends EngineAbilities {
  report(): Promise<EngineReport>;
  /** The image of a reference, pulled where the engine does not hold it; undefined where it is not found. */
  resolve(
    reference: string,
    options?: { readonly pull?: boolean; readonly signal?: AbortSignal },
  ): Promise<ImageInfo | undefined>;
  /** The images of one repository by tag, in one request; with `tag`, that one alone. */
  list(repository: string, tag?: string): Promise<ReadonlyMap<string, ListedImage>>;
  /** All images that have a name. */
  listAll(): Promise<readonly HeldImage[]>;
  /**
   * Opens images to be read as data, several at once because they share layers. Names that the engine does
   * not hold are left out. Also rejects with an `ImageError` where the engine sends something that is no
   * image.
   */
  read(references: readonly string[], options?: ReadOptions): Promise<OpenedImages>;
  /**
   * Stores images under these names. Layers, configuration and labels stay the same. Where this rejects, each
   * image is there as a whole or not at all.
   */
  write(images: readonly NamedImage[], options?: PutOptions): Promise<void>;
  /**
   * Opens a workspace. Rejects with the kind `image-missing` where the image is not there. The image needs no
   * shell before the first command runs: an upload may bring one.
   */
  open(options: WorkspaceOptions): Promise<Workspace>;
  /** Opens an image to read its files. No command can run, and the image needs no shell. */
  openForReading(image: string, signal?: AbortSignal): Promise<Reader>;
  /**
   * Makes an image of one layer from a root file system (a tar stream); temporary as in `Workspace.commit`.
   */
  importImage(reference: string, root: AsyncIterable<Uint8Array>, temporary?: boolean): Promise<ImageInfo>;
  /** Removes a name, and with its last name the image. A missing image is no error. */
  remove(reference: string): Promise<void>;
  /** Removes what dead runs left behind: containers, and temporary images of this repository. */
  sweep(repository: string): Promise<void>;
  /** Ends every workspace and removes the temporary images of this run. */
  close(): Promise<void>;
}
