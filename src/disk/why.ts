import { lstatSync, readlinkSync, type Stats, statfsSync, statSync } from 'node:fs';
import { dirname, resolve, sep } from 'node:path';
import { getSystemErrorMessage } from 'node:util';
import type { Advice } from '../diagnostic/index.ts';
import { FileError, isSystemError } from './file-error.ts';

/** Does work that reads a place; an error of the system becomes a `FileError` about the place. */
export function reading<T>(path: string, work: () => T): T {
  return translated(path, 'read', work);
}

/** Does work that writes a place; an error of the system becomes a `FileError` about the place. */
export function writing<T>(path: string, work: () => T): T {
  return translated(path, 'written', work);
}

/** Does work with a place; an error of the system becomes a `FileError` about the place. */
export function using<T>(path: string, work: () => T): T {
  return translated(path, 'used', work);
}

/** What was done with a place; `used` where that is not known. */
export type Use = 'read' | 'written' | 'used';

function translated<T>(path: string, what: Use, work: () => T): T {
  try {
    const result = work();
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw fileError(error, path, what);
    }) as T;
  } catch (error) {
    throw fileError(error, path, what);
  }
}

/** A reason in words, and what to do. */
interface Reason {
  /** Follows "PATH cannot be read: ". */
  readonly why: string;
  readonly hint?: string;
  /** The same as a name, for a program that has its own words for it. */
  readonly advice?: Advice;
}

/** Turns an error of the system into a `FileError` about the place `path`. Any other error stays as it is. */
export function fileError(error: unknown, path: string, what: Use): unknown {
  if (!isSystemError(error)) return error;
  const { code } = error;
  const { why, hint, advice } = reasonOf(error, resolve(path), what);
  return new FileError({
    path,
    code,
    message: `${shown(path)} cannot be ${what}: ${why}`,
    why,
    hint,
    advice,
    cause: error,
  });
}

/** Errors that the surroundings of a program can cause, whatever it does. */
const caused = new Set(
  (
    'ENOENT ENOTDIR ELOOP EISDIR EEXIST ENOTEMPTY EBUSY EACCES EPERM EROFS ENOSPC EDQUOT EFBIG ENAMETOOLONG ' +
    'EMFILE ENFILE EIO ENXIO ETXTBSY EXDEV EMLINK ENOMEM'
  ).split(' '),
);

/**
 * Turns an error of the file system that has its reason in the surroundings into a `FileError`; undefined for
 * other errors.
 */
export function refusal(error: unknown): FileError | undefined {
  if (!isSystemError(error) || !caused.has(error.code)) return undefined;
  const { path } = error;
  if (typeof path === 'string') return fileError(error, path, 'used') as FileError;
  // Of some calls, such as write, the system does not report the path.
  const { why, hint, advice } = reasonOf(error, '/', 'used');
  return new FileError({
    path: '',
    code: error.code,
    message: `a file cannot be used: ${why}`,
    hint,
    advice,
    cause: error,
  });
}

/** The length in characters at which paths are cut in messages. */
const SHOWN = 300;

const shown = (path: string): string =>
  path.length <= SHOWN ? path : `${path.slice(0, SHOWN / 2)}…${path.slice(-20)}`;

const ELSEWHERE = 'Name another place';

function reasonOf(error: NodeJS.ErrnoException & { code: string }, path: string, what: string): Reason {
  const { code } = error;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'EEXIST':
    case 'ENXIO':
      return obstacle(path, what, code) ?? unmakeable(path, what) ?? plain(error);
    case 'EISDIR':
      return { why: 'it is a folder, and a file is expected', hint: 'Name a file' };
    case 'ENOTEMPTY':
      return {
        why: 'it is a folder that is not empty',
        hint: 'Name a folder that is empty or does not exist',
      };
    case 'EBUSY':
      return { why: 'something is mounted there, or it is in use', hint: ELSEWHERE };
    case 'EACCES':
    case 'EPERM':
      return unmakeable(path, what) ?? denied(path, what);
    case 'EROFS':
      return {
        why: `${shown(existing(path))} lies on a file system that is mounted read-only`,
        hint: `${ELSEWHERE}, or mount it with write access`,
      };
    case 'ENOSPC':
      return { why: full(path), hint: `Make room there, or name a place on another disk` };
    case 'EDQUOT':
      return {
        why: 'the disk quota of this user is used up',
        hint: 'Make room there, or name a place on another disk',
      };
    case 'ENAMETOOLONG':
      return tooLong(path);
    case 'EMFILE':
      return {
        why: 'this process may not open more files',
        hint: 'Raise the limit of open files (ulimit -n 4096), or build fewer packages at the same time',
        advice: 'more-open-files',
      };
    case 'ENFILE':
      return {
        why: 'this machine may not open more files',
        hint: 'Close programs, or raise fs.file-max (sysctl)',
      };
    case 'EIO':
      return {
        why: 'its disk reports an error',
        hint: 'Look for errors of the disk in the log of the kernel (dmesg)',
      };
    default:
      return plain(error);
  }
}

/** The system's message, without its names for errors. */
function plain({ errno, message }: NodeJS.ErrnoException): Reason {
  return { why: errno === undefined ? message : getSystemErrorMessage(errno) };
}

const look = (path: string, find: typeof lstatSync = lstatSync): Stats | undefined => {
  try {
    return find(path, { throwIfNoEntry: false }) as Stats | undefined;
  } catch {
    return undefined;
  }
};

/** The folders above a path, from the root, and the path itself. */
function steps(path: string): string[] {
  const parts = path.split(sep).filter((part) => part !== '');
  return parts.map((_, at) => `/${parts.slice(0, at + 1).join('/')}`);
}

/** The lowest folder above a path that exists. */
function existing(path: string): string {
  let at = path;
  while (look(at, statSync) === undefined && dirname(at) !== at) at = dirname(at);
  return at;
}

/** What is in the way to a path, or missing on it; undefined where nothing is. */
function obstacle(path: string, what: string, code: string): Reason | undefined {
  for (const step of steps(path)) {
    const there = look(step);
    const isLast = step === path;
    if (there === undefined) {
      if (isShownByKernel(dirname(step))) return undefined;
      if (isLast) return what === 'read' ? { why: 'it does not exist', hint: 'Check the path' } : undefined;
      const hint =
        what === 'read' ? 'Check the path' : `Make it (mkdir -p ${dirname(path)}), or name another place`;
      return { why: `the folder ${shown(step)} does not exist`, hint };
    }
    if (there.isSymbolicLink()) {
      const led = look(step, statSync);
      if (led === undefined) return deadLink(step);
      if (!isLast && !led.isDirectory()) return noFolder(step, led);
    } else if (!there.isDirectory() && (!isLast || code === 'ENOTDIR')) return noFolder(step, there);
    else if (isLast && code === 'EEXIST') return inTheWay(there);
  }
  return undefined;
}

function deadLink(link: string): Reason {
  let target = '';
  try {
    target = readlinkSync(link);
    statSync(link);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ELOOP')
      return {
        why: `the symbolic link ${shown(link)} leads in a circle`,
        hint: 'Remove the link, or name another place',
      };
  }
  return {
    why: `${shown(link)} is a symbolic link to ${shown(target)}, which does not exist`,
    hint: 'Remove the link, or make what it leads to',
  };
}

/** The error for something that is not a regular file. */
export const noFile = (path: string, there: Stats, what: Use): FileError =>
  new FileError({
    path,
    code: 'EEXIST',
    message: `${path} cannot be ${what}: it is a ${kindOf(there)}, and a file is expected`,
    hint: 'Name a file',
  });

/** What something is, in words. */
function kindOf(there: Stats): string {
  if (there.isDirectory()) return 'folder';
  if (there.isFIFO()) return 'named pipe';
  if (there.isSocket()) return 'socket';
  return there.isFile() ? 'file' : 'device';
}

const noFolder = (path: string, there: Stats): Reason => ({
  why: `${shown(path)} is a ${kindOf(there)}, and not a folder`,
  hint: ELSEWHERE,
});

const inTheWay = (there: Stats): Reason => ({
  why: `a ${kindOf(there)} is there already`,
  hint: there.isFile() ? 'Remove it, or name another place' : ELSEWHERE,
});

/** File systems that show data of the kernel, by the numbers of their types (`man 2 statfs`). */
const shownByKernel: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x64626720, // debugfs
  0x74726163, // tracefs
  0xcafe4a11, // bpf
]);

/** Whether a folder belongs to such a file system, in which nothing can be created. */
export function isShownByKernel(folder: string): boolean {
  try {
    return shownByKernel.has(statfsSync(folder).type);
  } catch {
    return false;
  }
}

/** Nothing can be created in folders such as /proc, for which the system has many different errors. */
function unmakeable(path: string, what: string): Reason | undefined {
  const folder = existing(path);
  if (!isShownByKernel(folder)) return undefined;
  if (what === 'read')
    return look(path) === undefined ? { why: 'it does not exist', hint: 'Check the path' } : undefined;
  return {
    why: `no files can be made in ${shown(folder)}, which shows what the kernel knows`,
    hint: 'Name a place on a disk',
  };
}

function denied(path: string, what: string): Reason {
  const user = process.geteuid?.();
  const who = user === undefined ? 'this user' : `the user with the id ${user}`;
  const where = what === 'read' ? path : existing(dirname(path));
  return {
    why: `${who} has no permission to ${what === 'read' ? 'read it' : `write in ${shown(where)}`}`,
    hint:
      what === 'read'
        ? 'Change its permissions, or run this as a user who may read it'
        : `Change the permissions of that folder, or name another place`,
  };
}

function full(path: string): string {
  const folder = existing(path);
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    if (files > 0 && ffree === 0) return 'its disk has room for no more files (inodes)';
    return `its disk is full (${Math.floor((bavail * bsize) / 1000)} kB free)`;
  } catch {
    return 'its disk is full';
  }
}

/** Bytes of a name, and of a path with the byte that ends it, that Linux takes (limits.h). */
const NAME_MAX = 255;
const PATH_MAX = 4096;

function tooLong(path: string): Reason {
  const name = path.split(sep).find((part) => Buffer.byteLength(part) > NAME_MAX);
  const hint = 'Use a shorter name';
  if (name !== undefined)
    return {
      why: `the name ${JSON.stringify(`${name.slice(0, 20)}…`)} has ${Buffer.byteLength(name)} bytes, and at most ${NAME_MAX} are possible`,
      hint,
    };
  const length = Buffer.byteLength(path);
  if (length >= PATH_MAX)
    return { why: `the path has ${length} bytes, and at most ${PATH_MAX - 1} are possible`, hint };
  return { why: 'a name is too long', hint };
}
