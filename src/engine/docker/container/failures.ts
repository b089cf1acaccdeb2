import { EngineError } from '../../errors.ts';
import { outOfMemory } from '../../limits.ts';
import type { Connection } from '../connection/connection.ts';
import { whyEnded } from './end.ts';
import type { FullDisk } from './full-disk.ts';
import type { Shell } from './shell.ts';

/** A running container, as far as its failures are concerned. */
export interface Watched {
  readonly connection: Connection;
  readonly id: string;
  /** When it was created, in milliseconds since 1970 by the engine's clock. */
  readonly created: number;
  readonly shell: Shell;
  /** The memory limit in bytes. */
  readonly limit: number | undefined;
}

/** Finds out why work in a container failed: whether the container ended, or memory or the disk ran out. */
export class Failures {
  readonly #watched: Watched;
  readonly #since = performance.now();
  #memoryKills = 0;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Throws where a command failed because the engine ran out of memory or of disk. */
  async checkCommand(code: number, disk: FullDisk): Promise<void> {
    const { shell, limit } = this.#watched;
    const kills = await shell.memoryKills();
    if (kills > this.#memoryKills) {
      this.#memoryKills = kills;
      throw outOfMemory(`the kernel killed processes because memory ran out (exit code ${code})`, limit);
    }
    if (disk.isFull || (disk.isSuspected && (await shell.isFull())))
      throw new EngineError(`no space is left on the engine's disk (exit code ${code})`, {
        kind: 'no-space',
      });
  }

  /** The error that says how the container ended, where it did; else the same error. */
  async explain(error: unknown): Promise<unknown> {
    const { connection, id, created, shell, limit } = this.#watched;
    if (error instanceof EngineError && error.kind !== 'other' && !shell.ended) return error;
    const age = performance.now() - this.#since;
    const end = await whyEnded(connection, { id, created, age, known: shell.ended });
    if (end?.kind === 'out-of-memory') return outOfMemory(end.message, limit, error);
    if (end !== undefined) return new EngineError(end.message, { cause: error, kind: end.kind });
    return error;
  }
}
