import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** How much of the end of the output an error repeats. */
const TAIL_LINES = 30;
const TAIL_BYTES = 16 * 1024;

/**
 * The output of one package's commands: a file with all of it, and the end of the last command's at hand. A build does not
 * depend on its logs: what cannot be written is left out, and `problem` says why.
 */
export class PackageLog {
  readonly path: string;
  problem: string | undefined;
  #fd: number | undefined;
  #tail = Buffer.alloc(0);

  constructor(folder: string, fingerprint: string) {
    this.path = join(folder, `${fingerprint.replaceAll('/', '_')}.log`);
  }

  #write(chunk: Uint8Array): void {
    if (this.problem !== undefined) return;
    try {
      if (this.#fd === undefined) {
        mkdirSync(join(this.path, '..'), { recursive: true });
        this.#fd = openSync(this.path, 'a', 0o600);
      }
      writeSync(this.#fd, chunk);
    } catch (error) {
      this.problem = (error as Error).message;
    }
  }

  /** Where all of the output is, for a hint. */
  get hint(): string {
    return this.problem === undefined
      ? `the whole output is in ${this.path}`
      : `the whole output is not kept: ${this.problem}`;
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
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
