import { statfsSync } from 'node:fs';

/** What programs say of a full disk where no other language is asked for: most the first, which is the C library's. */
const SAID = ['No space left on device', 'I/O error', 'write error'].map((text) => Buffer.from(text));
const LONGEST = Math.max(...SAID.map(({ length }) => length));

/** A disk with less than this free is full, in bytes; programs that write take much more at once. */
const FULL = 64 * 1024;

/** Share of a disk that a program which could not write all it wanted may have given back by now. */
const NEARLY = 0.02;

/**
 * Whether a command that failed may have failed because the engine's disk is full: by what it said, and by what is free in
 * a folder on that disk, where one can be seen. The words alone prove nothing: there are small file systems beside the disk.
 */
export class FullDisk {
  readonly #folder: string | undefined;
  #said = false;
  #held = Buffer.alloc(0);

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Takes a piece of the command's output. */
  take(chunk: Uint8Array): void {
    if (this.#said) return;
    const data = Buffer.concat([this.#held, chunk]);
    this.#said = SAID.some((text) => data.includes(text));
    this.#held = data.subarray(1 - LONGEST);
  }

  /** Whether the command said something that may be about a full disk. */
  get isSuspected(): boolean {
    return this.#said;
  }

  /** Whether the disk is full as far as can be seen; false where it cannot be. */
  get isFull(): boolean {
    if (this.#folder === undefined) return false;
    try {
      const { bavail, bsize, blocks, ffree, files } = statfsSync(this.#folder);
      const free = bavail * bsize;
      if (free < FULL || (files > 0 && ffree === 0)) return true;
      return this.#said && free < blocks * bsize * NEARLY;
    } catch {
      return false;
    }
  }
}
