import type { Advice } from '../diagnostic/index.ts';
import type { Image, ImageSource, ReadOptions, WriteOptions } from '../image/index.ts';
import type { BytePath, EntrySource, FileContent, FileEntry } from '../tar/index.ts';

export type { FileContent, FileEntry } from '../tar/index.ts';

/** The configuration of an image that a build sees. */
export interface ImageConfig {
  /** `NAME=value`, in the image's order. */
  readonly env: readonly string[];
  readonly os: string;
  readonly architecture: string;
  /** Such as `v8`; the empty string where the image names none. */
  readonly variant: string;
}

/** An image as an engine knows it. Layers, configuration and creation time are the same on every engine. */
export interface ImageInfo {
  /** The reference by which the image was asked for. */
  readonly reference: string;
  /** Digests of the uncompressed layers, lowest first (the OCI image specification's `rootfs.diff_ids`). */
  readonly layers: readonly string[];
  readonly config: ImageConfig;
  /** Seconds since 1970; 0 where the image does not say. */
  readonly created: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** Where the engine learns what a workspace changed. */
export type ChangeSource = 'upper' | 'changes' | 'export' | 'listing';

/** What of the machine the commands of a workspace may take, all of them and what they begin together; no limit where absent. */
export interface WorkspaceLimits {
  /** Bytes, swap included. */
  readonly memory?: number | undefined;
  /** Processes and threads at one time. A few of them are those that begin the commands. */
  readonly processes?: number | undefined;
}

/** Whether an engine can set a limit. */
export interface LimitSupport {
  readonly possible: boolean;
  /** What is missing for it, for people; empty where it is possible. */
  readonly reason: string;
}

/** What one engine is, for people. */
export interface EngineReport {
  /** Such as `Docker` or `Podman`. */
  readonly name: string;
  readonly version: string;
  readonly apiVersion: string;
  readonly address: string;
  readonly storageDriver: string;
  /** The platform that it runs, as `linux/amd64`. */
  readonly platform: string;
  readonly cpus: number;
  /** Where its images lie, as it says itself. */
  readonly dataRoot: string;
  /** Bytes free there; undefined where this process cannot see that folder. */
  readonly freeBytes?: number;
  readonly limits: Readonly<Record<keyof WorkspaceLimits, LimitSupport>>;
}

/** How a workspace is opened. */
export interface WorkspaceOptions extends WorkspaceLimits {
  /** Reference of the image that it starts from. */
  readonly image: string;
  /** The whole environment of its commands; nothing is added to it but what a shell itself sets. */
  readonly environment: ReadonlyMap<string, string>;
  /** The folder that commands run in, absolute; made where it is missing. */
  readonly folder: string;
  /** `bridge`, `host` or `none`; the engine's default where absent. */
  readonly network?: string;
  readonly signal?: AbortSignal;
}

/** What happened to the file system of a workspace since its mark. */
export interface Changes {
  /** Paths that exist now and did not at the mark, sorted by bytes. */
  readonly added: readonly FileEntry[];
  /** Paths that existed at the mark and have other content or metadata now; a folder's own time does not count. */
  readonly changed: readonly BytePath[];
  /** Paths that existed at the mark and are gone: of a removed folder only the folder itself. */
  readonly removed: readonly BytePath[];
}

/** A stream of one command's output, as it comes. */
export type OutputListener = (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void;

/** An image opened for work: commands run in it one after the other. */
export interface Workspace {
  /** Where `changes`, `list` and `read` come from. */
  readonly source: ChangeSource;
  /** Puts entries into the file system, their paths relative to its root. */
  upload(entries: EntrySource): Promise<void>;
  /**
   * Runs a command by a fresh `/bin/sh -c` as root, with nothing on its standard input, and ends every process
   * that it leaves behind. Resolves to its exit code. Rejects with an `EngineError` where the workspace itself ended, and
   * where the command failed and that is not its own doing: `no-space` where nothing can be written any more,
   * `out-of-memory` where the kernel killed processes of it.
   */
  run(command: string, onOutput: OutputListener): Promise<number>;
  /** Gives the commands that follow another environment, the whole of it. Images keep the one of the opening. */
  setEnvironment(environment: ReadonlyMap<string, string>): Promise<void>;
  /** Remembers the present state; `changes` tells what has happened since. */
  mark(): Promise<void>;
  changes(): Promise<Changes>;
  /** Everything at and below a path, sorted by bytes, less what the runtime put there. Empty where nothing is. */
  list(root: BytePath): Promise<readonly FileEntry[]>;
  /** What lies at these paths, in their order; what does not exist is left out. */
  stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]>;
  /** Extended attributes and content of files that `changes`, `list` or `stat` named, in the order asked for. */
  read(files: readonly FileEntry[]): AsyncIterable<FileContent>;
  /**
   * Makes an image of the present state under a reference, with these labels added. The workspace can still be read from, but not
   * changed. A temporary one is gone when the
   * engine is closed, or when a later run finds that its own has died.
   */
  commit(reference: string, labels: Readonly<Record<string, string>>, temporary?: boolean): Promise<void>;
  /** Throws the workspace away. Safe to call twice. */
  close(): Promise<void>;
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
  /** Bytes on disk, shared layers included; absent where finding that out takes long. */
  readonly size?: number;
}

/** Images of an engine that can be read as data. */
export interface OpenedImages extends ImageSource {
  /** Lets go of what was fetched for reading. Safe to call twice. */
  close(): Promise<void>;
}

/** An image as data, and the name that it is to have in an engine. */
export interface NamedImage {
  readonly name: string;
  readonly image: Image;
}

/** How images are put into an engine. */
export interface PutOptions extends WriteOptions {
  /** As in `Workspace.commit`; the images must then bear names of this run's own. */
  readonly temporary?: boolean;
}

/** How an image is made from a Dockerfile. */
export interface ImageBuildOptions {
  /** The name of the Dockerfile at the top of the context. */
  readonly dockerfile: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly temporary: boolean;
  readonly network?: string | undefined;
  readonly onOutput: OutputListener;
  readonly signal?: AbortSignal | undefined;
}

/** A place where commands run on an image. */
export interface Engine {
  report(): Promise<EngineReport>;
  /** The image of that reference; pulled where the engine does not hold it; undefined where it cannot be had. */
  resolve(
    reference: string,
    options?: { readonly pull?: boolean; readonly signal?: AbortSignal },
  ): Promise<ImageInfo | undefined>;
  /** What the engine holds under a repository, by tag, in one request; or of it that one tag alone. */
  list(repository: string, tag?: string): Promise<ReadonlyMap<string, ListedImage>>;
  /** All images that have a name. */
  listAll(): Promise<readonly HeldImage[]>;
  /**
   * Hands out images as data, several at once, because they share layers: names of which the engine holds no image are
   * left out. Rejects with an `EngineError`, or an `ImageError` where what the engine gives is no image.
   */
  read(references: readonly string[], options?: ReadOptions): Promise<OpenedImages>;
  /**
   * Takes images in, under these names: layers, configuration and labels stay the same. All or none of them are there where
   * this rejects, each whole.
   */
  write(images: readonly NamedImage[], options?: PutOptions): Promise<void>;
  /**
   * Rejects with an `EngineError`, of the kind `image-missing` where the image is not there. The image needs no shell before a
   * command runs: what is uploaded may bring one.
   */
  open(options: WorkspaceOptions): Promise<Workspace>;
  /** Opens an image only to read from it: no command can run, and the image needs no shell. */
  openForReading(image: string, signal?: AbortSignal): Promise<Reader>;
  /** Makes an image of one layer out of a root file system (a tar stream); temporary as in `Workspace.commit`. */
  importImage(
    reference: string,
    root: AsyncIterable<Uint8Array>,
    labels: Readonly<Record<string, string>>,
    temporary?: boolean,
  ): Promise<ImageInfo>;
  /** Makes an image as a Dockerfile at the top of a context says; temporary as in `Workspace.commit`. */
  buildImage(reference: string, context: EntrySource, options: ImageBuildOptions): Promise<ImageInfo>;
  /** Takes the name away, and with its last name the image. A missing image is no error. */
  remove(reference: string): Promise<void>;
  /**
   * Claims a name among all runs that share the engine's images, until the answer is called or this program ends. `onWait` is
   * told once where another run has it. Absent where an engine has no means of that.
   */
  claim?(name: string, onWait: () => void, signal?: AbortSignal): Promise<() => void>;
  /**
   * What commands can do to this machine that they should not, for people: one phrase each, none where they are kept from it. Absent where each runs in a container.
   * Rejects with an `EngineError` where no command can run.
   */
  isolationGaps?(): Promise<readonly string[]>;
  /** Removes what runs that died by force left behind: containers, and temporary images under this repository. */
  sweep(repository: string): Promise<void>;
  /** Ends every workspace and removes the temporary images of this run. */
  close(): Promise<void>;
}

/** A read-only look into an image. */
export type Reader = Pick<Workspace, 'list' | 'stat' | 'read' | 'close'>;

/** How an engine failed: what can be done about it differs. */
export type EngineFault =
  /** It does not answer, or the connection to it broke. It may come back; what ran in it is lost. */
  | 'gone'
  /** The disk that its images and workspaces lie on is full. */
  | 'no-space'
  /** An image that was asked for by a name it had is not there any more. */
  | 'image-missing'
  /** The kernel killed the workspace, or processes of a command that failed, for want of memory. */
  | 'out-of-memory'
  /** The workspace was ended from outside, by a person or a program, and for another reason than memory. */
  | 'killed'
  /** It refused, or could not do, what was asked. */
  | 'other';

/** What an `EngineError` tells beside its message. */
export interface EngineErrorOptions extends ErrorOptions {
  /** `other` where absent. */
  readonly kind?: EngineFault | undefined;
  /** The reference of the image that is not there, for `image-missing`. */
  readonly image?: string | undefined;
  /** Whether the same may go well in a moment, for `other`: something inside of the engine failed. */
  readonly mayPass?: boolean | undefined;
  /** The limit on memory that the workspace had, in bytes, for `out-of-memory`; absent where it had none. */
  readonly limit?: number | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** The same as a name, for a program that has words of its own for it. */
  readonly advice?: Advice | undefined;
}

/** The engine failed, as opposed to a command that ran in it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly kind: EngineFault;
  /** The reference of the image that is not there, for `image-missing`. */
  readonly image: string | undefined;
  /** Whether the same may go well in a moment, for `other`. */
  readonly mayPass: boolean;
  /** The limit on memory that the workspace had, in bytes, for `out-of-memory`. */
  readonly limit: number | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;
  /** The same as a name, for a program that has words of its own for it. */
  readonly advice: Advice | undefined;

  constructor(message: string, options: EngineErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.kind = options.kind ?? 'other';
    this.image = options.image;
    this.mayPass = options.mayPass ?? false;
    this.limit = options.limit;
    this.hint = options.hint;
    this.advice = options.advice;
  }
}

/** There is nothing that can run a command: the image has no `/bin/sh`, and nothing has brought one. */
export class NoShellError extends EngineError {
  constructor(image: string, cause?: unknown) {
    super(`${image} has no /bin/sh, which commands need`, { cause });
  }
}
