import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, writing } from '../disk/index.ts';

/** How much of the end of the output an error repeats. */
const TAIL_LINES = 30;
const TAIL_BYTES = 16 * 1024;

/** How many bytes of the beginning and of the end a file keeps of an output that is longer than both. */
export interface LogLimits {
  readonly head: number;
  readonly tail: number;
}

const limits: LogLimits = { head: 64 * 1024 * 1024, tail: 1024 * 1024 };

/** The last bytes of what is written to it. */
class Ring {
  readonly #bytes: Buffer;
  /** How many bytes were written. */
  size = 0;

  constructor(length: number) {
    this.#bytes = Buffer.alloc(length);
  }

  write(chunk: Uint8Array): void {
    const { length } = this.#bytes;
    const kept = chunk.subarray(Math.max(0, chunk.length - length));
    const at = (this.size + chunk.length - kept.length) % length;
    const first = kept.subarray(0, length - at);
    this.#bytes.set(first, at);
    this.#bytes.set(kept.subarray(first.length), 0);
    this.size += chunk.length;
  }

  /** What was written before, and is not kept. */
  get lost(): number {
    return Math.max(0, this.size - this.#bytes.length);
  }

  /** What is kept, in its order. */
  parts(): Uint8Array[] {
    if (this.lost === 0) return [this.#bytes.subarray(0, this.size)];
    const at = this.size % this.#bytes.length;
    return [this.#bytes.subarray(at), this.#bytes.subarray(0, at)];
  }
}

/**
 * The output of one package's commands: a file with all of it, or with its beginning and end where it is very long, and the end of the last command's at hand. A build does not
 * depend on its logs: what cannot be written is left out, and `problem` says why.
 */
export class PackageLog {
  readonly path: string;
  problem: string | undefined;
  readonly #limits: LogLimits;
  #fd: number | undefined;
  #written = 0;
  /** What the file has no more room for, until it is closed. */
  #late: Ring | undefined;
  #tail = Buffer.alloc(0);

  constructor(folder: string, fingerprint: string, kept: LogLimits = limits) {
    this.path = join(folder, `${fingerprint.replaceAll('/', '_')}.log`);
    this.#limits = kept;
  }

  #write(chunk: Uint8Array): void {
    const { head, tail } = this.#limits;
    const now = chunk.subarray(0, head - this.#written);
    if (now.length > 0) this.#toFile(now);
    this.#written += now.length;
    if (now.length === chunk.length) return;
    this.#late ??= new Ring(tail);
    this.#late.write(chunk.subarray(now.length));
  }

  #toFile(chunk: Uint8Array): void {
    if (this.problem !== undefined) return;
    try {
      if (this.#fd === undefined) {
        const folder = dirname(this.path);
        makeFolder(folder);
        this.#fd = writing(folder, () => openSync(this.path, 'a', 0o600));
      }
      const fd = this.#fd;
      writing(this.path, () => writeSync(fd, chunk));
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  /** Where the output is, for a hint. */
  get hint(): string {
    if (this.problem !== undefined) return `the whole output is not kept: ${this.problem}`;
    const lost = this.#late?.lost ?? 0;
    return lost === 0
      ? `the whole output is in ${this.path}`
      : `the output is in ${this.path}, without ${lost} bytes of its middle`;
  }

  /** Begins the output of a command. */
  command(phase: string, command: string): void {
    this.#tail = Buffer.alloc(0);
    this.#write(Buffer.from(`==> ${phase}: ${command}\n`));
  }

  output(chunk: Uint8Array): void {
    this.#write(chunk);
    this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-TAIL_BYTES);
  }

  /** The last lines of the last command's output. */
  tail(): string[] {
    const lines = this.#tail.toString('utf8').split('\n');
    if (lines.at(-1) === '') lines.pop();
    return lines.slice(-TAIL_LINES);
  }

  close(): void {
    const late = this.#late;
    this.#late = undefined;
    if (late !== undefined) {
      if (late.lost > 0) this.#toFile(Buffer.from(`\n==> ${late.lost} bytes are left out here\n`));
      for (const part of late.parts()) this.#toFile(part);
    }
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
