import { statfsSync } from 'node:fs';

/**
 * What programs print about a full disk in the default language. Most print the first one, which is the C
 * library's.
 */
const SAID = ['No space left on device', 'I/O error', 'write error'].map((text) => Buffer.from(text));
const LONGEST = Math.max(...SAID.map(({ length }) => length));

/** A disk with fewer free bytes than this is full. Programs write more than that at once. */
const FULL = 64 * 1024;

/** The share of a disk that a program may have freed again after it could not write everything. */
const NEARLY = 0.02;

/**
 * Decides whether a command failed because the engine's disk is full: by its output, and by the free space of
 * a folder on that disk, where this process can see one. The output alone proves nothing, because a container
 * has small file systems besides.
 */
export class FullDisk {
  readonly #folder: string | undefined;
  #said = false;
  #held = Buffer.alloc(0);

  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Looks at a piece of the command's output. */
  take(chunk: Uint8Array): void {
    if (this.#said) return;
    const data = Buffer.concat([this.#held, chunk]);
    this.#said = SAID.some((text) => data.includes(text));
    this.#held = data.subarray(1 - LONGEST);
  }

  /** Whether the output had words about a full disk. */
  get isSuspected(): boolean {
    return this.#said;
  }

  /** Whether the disk is full; false where this process cannot see it. */
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
