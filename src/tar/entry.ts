import type { BytePath } from './path.ts';
import type { Segment } from './sparse.ts';

/** What a path in an archive can be. */
export type EntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'fifo' | 'character' | 'block';

/** Everything about one path of an archive but its content. */
export interface Entry {
  /** Relative to the root, without leading or trailing `/`; empty for the root itself, which only a reader gives. */
  readonly path: BytePath;
  readonly type: EntryType;
  /** Permission, set-id and sticky bits: 07777 at most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of content; 0 for everything but a file. */
  readonly size: number;
  /** Whole seconds since 1970; may be negative. */
  readonly mtime: number;
  /** A symbolic link's target as it is, or the path of the file whose further name a hard link is. */
  readonly link?: BytePath;
  /** Of a character or block device. */
  readonly device?: { readonly major: number; readonly minor: number };
  /** Extended attributes: name (one byte a unit, as in paths) to value. */
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** Content as a stream, or as a function that opens it when its turn has come. */
export type Content = AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/** An entry to write. Only files with bytes need content. */
export interface SourceEntry {
  readonly entry: Entry;
  readonly content?: Content | undefined;
}

/** The entries of an archive in the order in which they are written. */
export type EntrySource = AsyncIterable<SourceEntry>;

/** An entry that was read. Its content can be read once, before the next entry is asked for; unread, it is skipped. */
export interface ReadEntry {
  readonly entry: Entry;
  /** Where in the archive the content begins. */
  readonly position: number;
  /** Views of the source's chunks: valid as long as those are. */
  readonly content: AsyncIterable<Uint8Array>;
  /** Of a sparse file: what the archive has of it, and where that belongs. Read instead of `content`, it spares the zeros. */
  readonly sparse?: { readonly segments: readonly Segment[]; readonly data: AsyncIterable<Uint8Array> };
}

/** Thrown where an archive's bytes are not a well-formed, harmless tar archive. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}
