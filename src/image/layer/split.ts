import { closeSync, openSync, rmSync } from 'node:fs';
import { type BytePath, compress, type ReadEntry, toBytes } from '../../tar/index.ts';
import { writeAll } from './disk.ts';

/** What a file of a split archive begins with; the number is that of its form. */
export const SPLIT_MAGIC = 'luet-ts split 1\n';

/** Kinds of records: bytes as they are, and a part of a file. */
export const RAW = 0;
export const PART = 1;

/** Bytes that are compressed at once. */
const BLOCK = 1024 * 1024;

/** Bytes on disk; no archive that anybody uses comes near, and one that has that much besides its files is not kept. */
const MOST = 256 * 1024 * 1024;

/** What is told where the files of an archive went. */
export interface SplitListener {
  /** The content of the entry that was read last is about to be written to a file; relative to the folder, without links on the way. */
  kept(path: BytePath): void;
  /** Content that was kept is gone again. */
  lost(): void;
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly path: BytePath;
  /** Where in the file the bytes lie. */
  readonly offset: number;
}

/**
 * Writes down all that a tar archive is besides the content of its files while it is extracted: headers, padding, what stands behind the
 * end, and which files' content stands between. From that and the files the archive is put together again, byte for byte (`joinSplit`).
 *
 * Bytes that a reader has not named as some file's content when it asks for the next chunk are none, because a reader says what a content is
 * for before it reads on. So one chunk is held, and no more than a block is waiting to be written.
 */
export class SplitRecorder implements SplitListener {
  /** What is written. */
  readonly file: string;
  #fd: number | undefined;
  #written = 0;
  #waiting: Buffer[] = [];
  #size = 0;
  /** Where in the archive the chunk begins that the reader has. */
  #position = 0;
  #ranges: Range[] = [];
  #current: ReadEntry | undefined;
  #isLost = false;

  /** `file` is a path that nothing has yet. */
  constructor(file: string) {
    this.file = file;
  }

  /** The archive as it is, to be read once. */
  async *watch(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    this.#add(Buffer.from(SPLIT_MAGIC));
    for await (const chunk of archive) {
      yield chunk;
      if (this.#isLost) continue;
      this.#note(chunk);
      if (this.#size >= BLOCK) await this.#flush();
    }
  }

  /** The entries that a reader finds in what is watched. */
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

  /** Writes down what a chunk is that the reader is done with. */
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
        // A copy: the source may use the chunk's memory again.
        this.#add(Buffer.from(chunk.subarray(at - this.#position, until - this.#position)));
        at = until;
        continue;
      }
      if (range.from === at) this.#part(range);
      at = Math.min(range.to, end);
      if (at === range.to) passed++;
      // Its beginning is written down, and its end is looked for in chunks to come.
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

  /** Says that the archive was read to its end, and all of it extracted. Answers whether the file holds what it takes to put it together again. */
  async finish(): Promise<boolean> {
    if (!this.#isLost) await this.#flush();
    return !this.#isLost;
  }

  /** Closes the file, and removes it where it has that name still. */
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
