import { FileError, fileError } from '../../disk/index.ts';
import { type BytePath, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';

/** Errors of the system that mean that an archive asks for what cannot be. */
const impossible = /^(?:ENAMETOOLONG|EINVAL|EEXIST|ENOENT|ENOTDIR|EISDIR|ELOOP|EMLINK|EOVERFLOW)$/;

/** Errors that mean that this process or this file system does not do what was asked. */
const denied = /^(?:EPERM|EACCES|EFBIG|ENOTSUP|EOPNOTSUPP)$/;

/** Errors of the disk or of this process that have nothing to do with what is written. */
const ofPlace = /^(?:EROFS|ENOSPC|EDQUOT|EIO|EMFILE|ENFILE)$/;

/** What went wrong while something was extracted below `root`, for people; what did not come from writing files is left as it is. */
export function unwritable(error: unknown, root: string, path?: BytePath): unknown {
  if (error instanceof FileError) return error;
  const { code = '', syscall = '', message } = error as NodeJS.ErrnoException;
  if (/chown$/.test(syscall) && /^(?:EPERM|EINVAL)$/.test(code))
    return new ImageError(
      `cannot give ${path === undefined ? 'a folder or device' : shownPath(path)} to its owner: this process may not, or has no such id`,
      { cause: error },
    );
  if (ofPlace.test(code)) return fileError(error, root, 'written');
  const what = path === undefined ? '' : ` ${shownPath(path)}`;
  if (impossible.test(code))
    return new ImageError(`a layer has what cannot be${what && ':'}${what}: ${message}`, { cause: error });
  return denied.test(code) ? new ImageError(`cannot write${what}: ${message}`, { cause: error }) : error;
}
