import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Tries } from '../async/index.ts';
import { storeError } from './disk.ts';
import { StoreError } from './errors.ts';

/** Releases a lock. Can be called twice. */
export type Release = () => void;

/** Milliseconds between two tries. A try takes a thirtieth of one. */
const PAUSE = 20;

/**
 * The one function of the library that is used. Throws an error with the code `EAGAIN` where another process
 * has the lock.
 */
interface LockLibrary {
  tryLock(descriptor: number, offset: number, length: number, isExclusive: boolean): void;
}
let library: LockLibrary | undefined;

function load(): LockLibrary {
  // Loaded by its path: the library's own code takes 8 ms to find the same file.
  const path = `fs-native-extensions/prebuilds/linux-${process.arch}/fs-native-extensions.node`;
  try {
    library ??= createRequire(import.meta.url)(path) as LockLibrary;
  } catch (cause) {
    throw new StoreError(
      `runs cannot lock the store on this processor (${process.arch}): ${path} cannot be loaded`,
      { cause },
    );
  }
  return library;
}

/**
 * Locks between the runs that share a store. Each is one byte of the file `locks` in the store; its name is
 * hashed to one of 2^48 bytes, so that two names practically never have the same. They are
 * open-file-description locks (`man 2 fcntl`): the kernel releases them when the process ends in any way, and
 * they hold between all processes that have the file, in whichever namespaces. Only processes that may write
 * to the store can take one.
 */
export class Locks {
  readonly #folder: string;

  /** `folder` is the store's. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Takes a lock, and waits while another run has it; `onWait` is then called once. Throws a `StoreError`
   * where the file cannot be used.
   */
  async claim(name: string, onWait: () => void = () => {}, signal?: AbortSignal): Promise<Release> {
    signal?.throwIfAborted();
    const tries = new Tries({ pause: PAUSE, factor: 1, signal });
    for (;;) {
      const release = this.tryClaim(name);
      if (release !== undefined) return release;
      if (tries.isFirst) onWait();
      await tries.again();
    }
  }

  /**
   * Takes a lock; undefined where another run has it. Throws a `StoreError` where the file cannot be used.
   */
  tryClaim(name: string): Release | undefined {
    const offset = createHash('sha256').update(name).digest().readUIntBE(0, 6);
    const { tryLock } = load();
    let descriptor: number | undefined;
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
      // A descriptor for each lock, because a lock belongs to the open file. Descriptors of Node are closed
      // on exec.
      descriptor = openSync(join(this.#folder, 'locks'), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
      tryLock(descriptor, offset, 1, true);
      return releaseOf(descriptor);
    } catch (error) {
      if (descriptor !== undefined) closeSync(descriptor);
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw storeError(this.#folder, error);
    }
  }
}

function releaseOf(descriptor: number): Release {
  let isHeld = true;
  return () => {
    if (isHeld) closeSync(descriptor);
    isHeld = false;
  };
}
