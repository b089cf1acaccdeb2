import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  ftruncateSync,
  futimesSync,
  lchownSync,
  lutimesSync,
  openSync,
  symlinkSync,
} from 'node:fs';
import {
  attributeNames,
  type BytePath,
  getAttribute,
  type ReadEntry,
  setAttribute,
} from '../../tar/index.ts';
import { ImageError } from '../types.ts';
import { native, tryLstat, writeAll } from './disk.ts';
import type { FolderMetadata } from './folders.ts';
import { isKeptAttribute } from './whiteout.ts';

/**
 * Creates files and symbolic links with all their metadata. Paths must be unused, in folders that are known
 * to be real folders.
 */
export class Writer {
  /** Number of extended attributes that this file system or process cannot set. */
  skippedAttributes = 0;
  readonly #root: BytePath;
  readonly #keepsOwners: boolean;
  readonly #signal: AbortSignal | undefined;
  #scratch = 0;

  /** `root` is a folder on the same file system in which temporary names can be created. */
  constructor(root: BytePath, keepsOwners: boolean, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#keepsOwners = keepsOwners;
    this.#signal = signal;
  }

  async file(real: BytePath, { entry, content, sparse }: ReadEntry): Promise<void> {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const fd = openSync(native(real), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      if (sparse !== undefined) await fill(fd, entry.size, sparse);
      else if (entry.size > 0)
        for await (const chunk of content) {
          this.#signal?.throwIfAborted();
          writeAll(fd, chunk);
        }
      // Changing the owner removes set-id bits and capabilities, so it comes first.
      if (this.#keepsOwners) fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, entry.mode);
      if (entry.xattrs !== undefined) this.attributes(real, false, entry.xattrs);
      futimesSync(fd, entry.mtime, entry.mtime);
    } finally {
      closeSync(fd);
    }
  }

  symlink(real: BytePath, { uid, gid, mtime }: FolderMetadata, target: BytePath): void {
    symlinkSync(native(target), native(real));
    if (this.#keepsOwners) lchownSync(native(real), uid, gid);
    lutimesSync(native(real), mtime, mtime);
  }

  /** Creates a file with the content and attributes of another one. */
  copy(from: BytePath, real: BytePath, { uid, gid, mode, mtime }: FolderMetadata): void {
    copyFileSync(native(from), native(real), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    if (this.#keepsOwners) lchownSync(native(real), uid, gid);
    chmodSync(native(real), mode);
    this.attributes(real, false, attributesOf(from, false));
    lutimesSync(native(real), mtime, mtime);
  }

  /** Sets the attributes of a file or folder that images keep. */
  attributes(real: BytePath, isFolder: boolean, xattrs: ReadonlyMap<string, Uint8Array>): void {
    for (const [name, value] of xattrs) {
      if (!isKeptAttribute(name)) continue;
      const scratch = `${this.#root}/${this.#freeName()}`;
      try {
        if (!setAttribute({ path: real, isFolder, scratch }, name, value)) this.skippedAttributes++;
      } catch (error) {
        // For example an invalid capability, or a value too large for the file system.
        throw new ImageError(`cannot set ${JSON.stringify(name)}: ${(error as Error).message}`, {
          cause: error,
        });
      }
    }
  }

  /** An unused name in the root. */
  #freeName(): string {
    for (;;) {
      const name = `.luet-ts-${this.#scratch}`;
      if (tryLstat(`${this.#root}/${name}`) === undefined) return name;
      this.#scratch++;
    }
  }
}

/** The attributes of a file or folder that images keep. */
export function attributesOf(real: BytePath, isFolder: boolean): Map<string, Buffer> {
  const kept = new Map<string, Buffer>();
  for (const name of attributeNames({ path: real, isFolder }).filter(isKeptAttribute)) {
    const value = getAttribute({ path: real, isFolder }, name);
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
}

/** Writes the segments of a sparse file at their offsets. */
async function fill(
  fd: number,
  size: number,
  { segments, data }: NonNullable<ReadEntry['sparse']>,
): Promise<void> {
  let index = 0;
  let done = 0;
  for await (const chunk of data) {
    for (let from = 0; from < chunk.length; ) {
      const segment = segments[index];
      if (segment === undefined) throw new ImageError('a sparse file has more data than its map');
      const part = chunk.subarray(from, from + segment.size - done);
      writeAll(fd, part, segment.offset + done);
      from += part.length;
      done += part.length;
      if (done < segment.size) continue;
      index++;
      done = 0;
    }
  }
  ftruncateSync(fd, size);
}
