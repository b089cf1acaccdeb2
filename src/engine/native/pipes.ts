import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';

/** A pair of outputs of one command. */
export interface Pipes {
  /** To be closed as soon as the command has them. */
  readonly writers: readonly [number, number];
  /** Told what comes; resolves when nobody can write any more. */
  read(onOutput: (stream: 'stdout' | 'stderr', chunk: Uint8Array) => void): Promise<void>;
}

/**
 * Pipes by name, used again and again. What Node makes for children are sockets, which `/dev/stdout` and `/dev/stderr` cannot be opened
 * through; commands do open them.
 */
export class PipePool {
  readonly #free: string[] = [];
  readonly #fresh: () => string;

  /** `fresh` gives a path at which nothing is. */
  constructor(fresh: () => string) {
    this.#fresh = fresh;
  }

  open(): Pipes {
    const base = this.#free.pop() ?? this.#make();
    const ends = ['out', 'err'].map((end) => {
      const path = `${base}.${end}`;
      const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return { reader, writer: openSync(path, constants.O_WRONLY) };
    });
    const [out, err] = ends as [(typeof ends)[0], (typeof ends)[0]];
    return {
      writers: [out.writer, err.writer],
      read: async (onOutput) => {
        closeSync(out.writer);
        closeSync(err.writer);
        await Promise.all([
          drain(out.reader, (chunk) => onOutput('stdout', chunk)),
          drain(err.reader, (chunk) => onOutput('stderr', chunk)),
        ]);
        this.#free.push(base);
      },
    };
  }

  #make(): string {
    const base = this.#fresh();
    execFileSync('mkfifo', ['-m', '600', `${base}.out`, `${base}.err`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return base;
  }
}

function drain(fd: number, onChunk: (chunk: Uint8Array) => void): Promise<void> {
  const socket = new Socket({ fd, readable: true, writable: false });
  return new Promise((resolve, reject) => {
    socket
      .on('data', onChunk)
      .on('error', reject)
      .on('close', () => resolve());
  });
}
