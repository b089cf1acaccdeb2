import type { Entry } from './entry.ts';
import type { BytePath } from './path.ts';

/** One file, folder, link or device as it lies in a file tree. */
export interface FileEntry {
  readonly path: BytePath;
  readonly type: Exclude<Entry['type'], 'hardlink'>;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
  /** Target of a symbolic link. */
  readonly link?: BytePath;
  readonly device?: NonNullable<Entry['device']>;
  /** Names that are one file share this; absent where there is one name. */
  readonly inode?: string;
}

/** A file's entry with what only reading it tells. */
export interface FileContent {
  readonly file: FileEntry;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** Present for regular files; must be consumed before the next file is asked for. */
  readonly content?: AsyncIterable<Uint8Array>;
}

/** A file tree that can be read, wherever it lies: in an image, in a workspace, on disk. */
export interface FileTree {
  /** Everything at and below a path, sorted by bytes. Empty where nothing is. */
  list(root: BytePath): Promise<readonly FileEntry[]>;
  /** What lies at these paths, in their order; a path that does not exist is left out. */
  stat(paths: readonly BytePath[]): Promise<readonly FileEntry[]>;
  /** Extended attributes and content of files that `list` or `stat` named, in the order asked for. */
  read(files: readonly FileEntry[]): AsyncIterable<FileContent>;
}
