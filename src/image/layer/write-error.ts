import { FileError, fileError } from '../../disk/index.ts';
import { type BytePath, shownPath } from '../../tar/index.ts';
import { ImageError } from '../types.ts';

/** System errors caused by invalid content of an archive. */
const impossible = /^(?:ENAMETOOLONG|EINVAL|EEXIST|ENOENT|ENOTDIR|EISDIR|ELOOP|EMLINK|EOVERFLOW)$/;

/** System errors for operations that this process or file system does not permit. */
const denied = /^(?:EPERM|EACCES|EFBIG|ENOTSUP|EOPNOTSUPP)$/;

/** System errors of the disk or process, independent of the content. */
const ofPlace = /^(?:EROFS|ENOSPC|EDQUOT|EIO|EMFILE|ENFILE)$/;

/**
 * Converts an error of extracting below `root` to an error for users. Errors that did not come from writing
 * are returned unchanged.
 */
export function describeWriteError(error: unknown, root: string, path?: BytePath): unknown {
  if (error instanceof FileError) return error;
  const { code = '', syscall = '', message } = error as NodeJS.ErrnoException;
  if (/chown$/.test(syscall) && /^(?:EPERM|EINVAL)$/.test(code))
    return new ImageError(
      `cannot give ${path === undefined ? 'a folder or device' : shownPath(path)} to its owner: this process is not permitted to, or the id is not mapped`,
      { cause: error },
    );
  if (ofPlace.test(code)) return fileError(error, root, 'written');
  const what = path === undefined ? '' : ` ${shownPath(path)}`;
  if (impossible.test(code))
    return new ImageError(`a layer has content that cannot be written${what && ':'}${what}: ${message}`, {
      cause: error,
    });
  return denied.test(code) ? new ImageError(`cannot write${what}: ${message}`, { cause: error }) : error;
}
