import type { BytePath } from './path.ts';
import type { SparseSegment } from './sparse.ts';

/** The type of an entry. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block';

/** All metadata of one path in an archive, without its content. */
export interface Entry {
  /**
   * Path relative to the root, without leading or trailing `/`. Empty for the root itself, which occurs only
   * when reading.
   */
  readonly path: BytePath;
  readonly type: EntryType;
  /** Permission, set-id and sticky bits: at most 07777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Content size in bytes; 0 for all types except files. */
  readonly size: number;
  /** Whole seconds since 1970; can be negative. */
  readonly mtime: number;
  /** The target of a symbolic link, as written; for a hard link, the path of the other name of the file. */
  readonly link?: BytePath;
  /** Device numbers, for character and block devices only. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes by name. Names have one byte in each UTF-16 unit, like paths. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** The content as a stream, or as a function that opens the stream when it is needed. */
export type Content = AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** An entry to write. Only files with a size above 0 need content. */
export interface SourceEntry {
  readonly entry: Entry;
  readonly content?: Content | undefined;
}

/** The entries of an archive in writing order. */
export type EntrySource = AsyncIterable<SourceEntry>;

/**
 * An entry that was read. Its content can be read once, before the next entry is requested; otherwise it is
 * skipped.
 */
export interface ReadEntry {
  readonly entry: Entry;
  /** Offset of the content in the archive, in bytes. */
  readonly position: number;
  /** The chunks may be views of the source's chunks, and are valid only as long as those. */
  readonly content: AsyncIterable<Uint8Array>;
  /**
   * For a sparse file: the stored parts and their offsets. Reading this instead of `content` skips the zeros.
   */
  readonly sparse?: { readonly segments: readonly SparseSegment[]; readonly data: AsyncIterable<Uint8Array> };
}

/** Thrown if an archive is not a valid tar archive or has unsafe content. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
