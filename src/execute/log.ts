import { closeSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, writing } from '../disk/index.ts';

/** Number of lines at the end of the output that an error shows. */
const TAIL_LINES = 30;
const TAIL_BYTES = 16 * 1024;

/** Number of bytes to keep of the start and of the end of a very long output. */
export interface LogLimits {
  readonly head: number;
  readonly tail: number;
}

const limits: LogLimits = { head: 64 * 1024 * 1024, tail: 1024 * 1024 };

/** Keeps the last bytes that are written to it. */
class RingBuffer {
  readonly #bytes: Buffer;
  /** Number of bytes written. */
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

  /** Number of bytes written before those that are kept. */
  get lost(): number {
    return Math.max(0, this.size - this.#bytes.length);
  }

  /** The kept bytes, in order. */
  parts(): Uint8Array[] {
    if (this.lost === 0) return [this.#bytes.subarray(0, this.size)];
    const at = this.size % this.#bytes.length;
    return [this.#bytes.subarray(at), this.#bytes.subarray(0, at)];
  }
}

/**
 * The output of one package's commands: a file with all of it (or with its start and end if it is very long),
 * and the end of the last command's output in memory. A build does not depend on its logs: if the file cannot
 * be written, `problem` contains the reason.
 */
export class PackageLog {
  readonly path: string;
  problem: string | undefined;
  readonly #limits: LogLimits;
  #fd: number | undefined;
  #written = 0;
  /** Output that does not fit into the file, until it is closed. */
  #late: RingBuffer | undefined;
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
    this.#late ??= new RingBuffer(tail);
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

  /** Where to find the output, for a hint. */
  get hint(): string {
    if (this.problem !== undefined) return `the complete output is not available: ${this.problem}`;
    const lost = this.#late?.lost ?? 0;
    return lost === 0
      ? `complete output: ${this.path}`
      : `output without ${lost} bytes in the middle: ${this.path}`;
  }

  /** Starts the output of a command. */
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
