import { closeSync, openSync, rmSync } from 'node:fs';
import { type BytePath, compress, type ReadEntry, toBytes } from '../../tar/index.ts';
import { writeAll } from './disk.ts';

/** Start of a split file. The number is the version of the format. */
export const SPLIT_MAGIC = 'luet-ts split 1\n';

/** Record types: literal bytes, and a range of a file. */
export const RAW = 0;
export const PART = 1;

/** Bytes to compress as one block. */
const BLOCK = 1024 * 1024;

/** Maximum size of the file in bytes. An archive with more data besides file content is not recorded. */
const MOST = 256 * 1024 * 1024;

/** Receives where the file content of an archive is stored. */
export interface SplitListener {
  /**
   * The content of the last entry will be written to this file: a path relative to the folder, without links.
   */
  kept(path: BytePath): void;
  /** Content that was stored is removed again. */
  lost(): void;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly path: BytePath;
  /** Offset of the bytes in the file. */
  readonly offset: number;
}

/**
 * Records everything in a tar archive except file content while the archive is extracted: headers, padding,
 * data after the end, and which file contains the content in between. `joinSplit` restores the exact archive
 * from this record and the files.
 *
 * A reader says what a content is used for before it reads on. Bytes of a chunk that it has not assigned to a
 * file by then are recorded literally. So only one chunk is held, and at most one block waits to be written.
 */
export class SplitRecorder implements SplitListener {
  /** Path of the record. */
  readonly file: string;
  #fd: number | undefined;
  #written = 0;
  #waiting: Buffer[] = [];
  #size = 0;
  /** Offset in the archive of the reader's current chunk. */
  #position = 0;
  #ranges: Range[] = [];
  #current: ReadEntry | undefined;
  #isLost = false;

  /** `file` must be an unused path. */
  constructor(file: string) {
    this.file = file;
  }

  /** The unchanged archive; can be read once. */
  async *watch(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    this.#add(Buffer.from(SPLIT_MAGIC));
    for await (const chunk of archive) {
      yield chunk;
      if (this.#isLost) continue;
      this.#note(chunk);
      if (this.#size >= BLOCK) await this.#flush();
    }
  }

  /** The entries that a reader finds in the watched archive. */
  async *entries(read: AsyncIterable<ReadEntry>): AsyncGenerator<ReadEntry, void, undefined> {
    for await (const one of read) {
      this.#current = one;
      yield one;
    }
  }

  kept(path: BytePath): void {
    if (this.#current === undefined || this.#isLost) return;
    const { entry, position, sparse } = this.#current;
    let from = position;
    for (const { offset, size } of sparse?.segments ?? [{ offset: 0, size: entry.size }]) {
      if (size > 0) this.#ranges.push({ from, to: from + size, path, offset });
      from += size;
    }
  }

  lost(): void {
    this.#isLost = true;
    this.#waiting = [];
    this.#ranges = [];
  }

  #add(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#size += bytes.length;
  }

  /** Records a chunk after the reader has processed it. */
  #note(chunk: Uint8Array): void {
    const end = this.#position + chunk.length;
    let passed = 0;
    for (let at = this.#position; at < end; ) {
      const range = this.#ranges[passed];
      if (range === undefined || range.from > at) {
        const until = Math.min(range?.from ?? end, end);
        const head = Buffer.alloc(7);
        head.writeUInt8(RAW);
        head.writeUIntBE(until - at, 1, 6);
        this.#add(head);
        // Copy, because the source may reuse the chunk's memory.
        this.#add(Buffer.from(chunk.subarray(at - this.#position, until - this.#position)));
        at = until;
        continue;
      }
      if (range.from === at) this.#part(range);
      at = Math.min(range.to, end);
      if (at === range.to) passed++;
      // The start of the range is recorded; its end is in a later chunk.
      else this.#ranges[passed] = { ...range, from: -1 };
    }
    this.#ranges.splice(0, passed);
    this.#position = end;
  }

  #part({ from, to, path, offset }: Range): void {
    const name = toBytes(path);
    const head = Buffer.alloc(15);
    head.writeUInt8(PART);
    head.writeUIntBE(offset, 1, 6);
    head.writeUIntBE(to - from, 7, 6);
    head.writeUInt16BE(name.length, 13);
    this.#add(head);
    this.#add(name);
  }

  async #flush(): Promise<void> {
    const block = Buffer.concat(this.#waiting, this.#size);
    this.#waiting = [];
    this.#size = 0;
    this.#fd ??= openSync(this.file, 'wx', 0o600);
    for await (const part of compress(once(block), 'zstd')) {
      this.#written += part.length;
      writeAll(this.#fd, part);
    }
    if (this.#written > MOST) this.lost();
  }

  /**
   * Call this when the archive was read to its end and completely extracted. Returns whether the file
   * contains everything needed to restore the archive.
   */
  async finish(): Promise<boolean> {
    if (!this.#isLost) await this.#flush();
    return !this.#isLost;
  }

  /** Closes the file, and removes it unless it was renamed. */
  close(): void {
    if (this.#fd === undefined) return;
    closeSync(this.#fd);
    this.#fd = undefined;
    rmSync(this.file, { force: true });
  }
}

async function* once(block: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield block;
}
