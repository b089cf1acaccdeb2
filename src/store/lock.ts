import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Tries } from '../async/index.ts';
import { storeError } from './disk.ts';
import { StoreError } from './errors.ts';

/** Lets go of what was claimed. Safe to call twice. */
export type Release = () => void;

/** Milliseconds between two tries of a run that waits. A try takes a thirtieth of one. */
const PAUSE = 20;

/** The one function of the library that is used here. Throws an error with the code `EAGAIN` where another has the lock. */
interface LockLibrary {
  tryLock(descriptor: number, offset: number, length: number, isExclusive: boolean): void;
}
let library: LockLibrary | undefined;

function load(): LockLibrary {
  // Loaded by its path: finding the same program takes the library's own code 8 ms.
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
 * Locks between the runs that share a store: each is one byte of the file `locks` in the store, whichever byte its name stands for (of 2^48,
 * so that two names practically never share one). They are open-file-description locks (`man 2 fcntl`): the kernel drops them when the process
 * ends in whatever way, and they hold between all processes that have the file, in whichever namespaces. Only who may write the store can take one.
 */
export class Locks {
  readonly #folder: string;

  /** `folder` is the store's. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Takes a lock, waiting until no other has it; `onWait` is called once if one has. Throws a `StoreError` where the file cannot be used. */
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

  /** Takes a lock; undefined where another has it. Throws a `StoreError` where the file cannot be used. */
  tryClaim(name: string): Release | undefined {
    const offset = createHash('sha256').update(name).digest().readUIntBE(0, 6);
    const { tryLock } = load();
    let descriptor: number | undefined;
    try {
      const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
      // One of its own for each, because a lock belongs to the open file; the library opens none, and Node's are closed on exec.
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
