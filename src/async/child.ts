import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';

/**
 * A program that was started, with its pipes: where this process may open no more files, `spawn` answers a
 * child without any, and reports the error only later. Throws that error (code EMFILE) at once instead.
 */
export function withPipes<T extends ChildProcess>(child: T): T {
  if ((child.stdio as unknown) !== undefined) return child;
  child.on('error', () => {});
  throw Object.assign(new Error(`spawn ${child.spawnfile} EMFILE`), {
    code: 'EMFILE',
    errno: -constants.errno.EMFILE,
    syscall: 'spawn',
    path: child.spawnfile,
  });
}
