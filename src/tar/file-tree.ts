import type { Entry } from './entry.ts';
import type { BytePath } from './path.ts';

/** One file, folder, link or device in a file tree. */
export interface FileEntry {
  readonly path: BytePath;
  readonly type: Exclude<Entry['type'], 'hardlink'>;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Size in bytes. */
  readonly size: number;
  /** How many bytes of a large file are on disk, where these are very few; absent for others, and where nobody can tell. */
  readonly stored?: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Target of a symbolic link. */
  readonly link?: BytePath;
  readonly device?: NonNullable<Entry['device']>;
  /**
   * Identifies hard links: names of the same file have the same value. Undefined if the file has one name
   * only.
   */
  readonly inode?: string;
}

/** An entry together with the data that requires reading the file. */
export interface FileContent {
  readonly file: FileEntry;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Present for regular files. Must be read to the end before the next file is requested. */
  readonly content?: AsyncIterable<Uint8Array>;
}

/** A readable file tree: in an image, in a workspace or on disk. */
export interface FileTree {
  /** All entries at and below a path, sorted by bytes. Empty if the path does not exist. */
  list(root: BytePath): Promise<readonly FileEntry[]>;
  /** The entries at these paths, in the same order. Paths that do not exist are left out. */
  stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]>;
  /** Extended attributes and content of files returned by `list` or `stat`, in the requested order. */
  read(files: readonly FileEntry[]): AsyncIterable<FileContent>;
}
