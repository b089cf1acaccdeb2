import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileError, reading } from '../../disk/index.ts';
import { ArchiveError, readTar, type SkippableSource, toText } from '../../tar/index.ts';
import { compressionByMagic } from '../layer/codec.ts';
import { collect } from '../layer/verify.ts';
import { ImageError } from '../types.ts';

/** A file of a layout or of an archive. */
export interface StoredFile {
  /** Bytes. */
  readonly size: number;
  /** Its content, from the beginning. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Files by name: a folder's, or an archive's, which are read where they lie in it. */
export interface Files {
  /** For people. */
  readonly place: string;
  /** The file of a name with `/` between its parts; undefined where there is none. */
  find(name: string): Promise<StoredFile | undefined>;
}

/** The content of a file that must be there and be short. Throws an ImageError where it is not. */
export async function readShort(files: Files, name: string, limit: number): Promise<Buffer> {
  const file = await files.find(name);
  if (file === undefined) throw new ImageError(`${files.place} has no ${name}`);
  return collect(file.read(), limit, `${name} in ${files.place}`);
}

const isAbsent = ({ code }: NodeJS.ErrnoException): boolean => code === 'ENOENT' || code === 'ENOTDIR';

/** Content of a file on disk, from a byte to another. Throws a `FileError` where it cannot be read. */
export async function* readFrom(
  path: string,
  options: {
    readonly start?: number;
    readonly end?: number;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* createReadStream(path, { ...options, highWaterMark: 256 * 1024 });
  } catch (error) {
    throw fileError(error, path, 'read');
  }
}

/** Part of a file on disk. */
function partOf(path: string, start: number, size: number): StoredFile {
  return {
    size,
    async *read(signal) {
      if (size > 0) yield* readFrom(path, { start, end: start + size - 1, signal });
    },
  };
}

/** The files of a folder. Names come from this room alone, never from what is read. */
export function folderFiles(folder: string): Files {
  return {
    place: folder,
    async find(name) {
      const path = join(folder, name);
      const found = await stat(path).catch((error) => {
        if (isAbsent(error)) return undefined;
        throw fileError(error, path, 'read');
      });
      return found?.isFile() ? partOf(path, 0, found.size) : undefined;
    },
  };
}

/**
 * Opens a regular file; undefined where nothing is. Throws an ImageError for what is something else: a pipe would wait for a writer, and archives
 * are not read from their beginning to their end.
 */
async function openFile(path: string): Promise<FileHandle | undefined> {
  const found = await reading(path, () => stat(path)).catch((error: NodeJS.ErrnoException) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (found?.isFile() === false) throw new ImageError(`${path} is not a file, and so no archive of images`);
  return found && (await reading(path, () => open(path)));
}

/** More files and links than any archive of images has. */
const MOST_ENTRIES = 1_000_000;

/** Links that lead on to links, at most. */
const MOST_LINKS = 40;

/**
 * The files of a tar archive on disk, in whatever order it has them. Its headers are read once, its content when it is asked for. Links
 * within the archive are followed. Undefined where there is no file; throws an ImageError for what is no tar archive, or a compressed one.
 */
export async function archiveFiles(path: string): Promise<Files | undefined> {
  const handle = await openFile(path);
  if (handle === undefined) return undefined;
  const parts = new Map<string, StoredFile>();
  const links = new Map<string, string>();
  try {
    const { size } = await handle.stat();
    const start = Buffer.alloc(6);
    await handle.read(start, 0, start.length, 0);
    if (compressionByMagic(start) !== 'none')
      throw new ImageError(
        `${path} is compressed; its images are read where they lie in it, so unpack it first`,
      );
    for await (const { entry, position } of readTar(seekable(handle, size), {
      rooted: true,
      allowMissingEnd: true,
    })) {
      const name = toText(entry.path);
      if (entry.type === 'file') {
        if (position + entry.size > size) throw new ArchiveError('unexpected end of the archive');
        parts.set(name, partOf(path, position, entry.size));
      } else if (entry.type === 'symlink')
        links.set(name, posix.join(posix.dirname(name), toText(entry.link ?? '')));
      else if (entry.type === 'hardlink') links.set(name, toText(entry.link ?? ''));
      if (parts.size + links.size > MOST_ENTRIES)
        throw new ImageError(`${path} has more than ${MOST_ENTRIES} files`);
    }
  } catch (error) {
    if (error instanceof ArchiveError)
      throw new ImageError(`${path} is no archive of images: ${error.message}`, { cause: error });
    throw fileError(error, path, 'read');
  } finally {
    await handle.close();
  }
  return {
    place: path,
    find(name) {
      let at = posix.normalize(name);
      for (let i = 0; i < MOST_LINKS; i++) {
        const part = parts.get(at);
        const link = links.get(at);
        if (part !== undefined || link === undefined) return Promise.resolve(part);
        at = posix.normalize(link);
      }
      throw new ImageError(`${path}: the links of ${name} lead nowhere`);
    },
  };
}

/** How much is read of an archive to find the next headers. */
const CHUNK = 16 * 1024;

/** A file from its beginning, whose parts that nobody wants are not read. */
function seekable(handle: FileHandle, size: number): SkippableSource {
  let at = 0;
  return {
    skip(length) {
      const skipped = Math.max(0, Math.min(length, size - at));
      at += skipped;
      return skipped;
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const buffer = Buffer.allocUnsafe(CHUNK);
        const { bytesRead } = await handle.read(buffer, 0, CHUNK, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    },
  };
}
