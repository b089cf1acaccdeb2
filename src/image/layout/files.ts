import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { fileError, reading } from '../../disk/index.ts';
import { ArchiveError, readTar, type SkippableSource, toText } from '../../tar/index.ts';
import { compressionByMagic } from '../layer/codec.ts';
import { collect } from '../layer/verify.ts';
import { ImageError } from '../types.ts';

/** A file in a layout or archive. */
export interface StoredFile {
  /** Size in bytes. */
  readonly size: number;
  /** Its complete content. */
  read(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Files by name: in a folder, or in an archive, where they are read without unpacking it. */
export interface Files {
  /** The folder or archive, as shown in messages. */
  readonly place: string;
  /** Finds a file by its name, with `/` between the parts; undefined if it does not exist. */
  find(name: string): Promise<StoredFile | undefined>;
}

/** Reads a small file. Throws an ImageError if it does not exist or is larger than `limit` bytes. */
export async function readShort(files: Files, name: string, limit: number): Promise<Buffer> {
  const file = await files.find(name);
  if (file === undefined) throw new ImageError(`${name} not found in ${files.place}`);
  return collect(file.read(), limit, `${name} in ${files.place}`);
}

const isAbsent = ({ code }: NodeJS.ErrnoException): boolean => code === 'ENOENT' || code === 'ENOTDIR';

/** Reads a range of bytes of a file on disk. Throws a `FileError` if that fails. */
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

/** A part of a file on disk. */
function partOf(path: string, start: number, size: number): StoredFile {
  return {
    size,
    async *read(signal) {
      if (size > 0) yield* readFrom(path, { start, end: start + size - 1, signal });
    },
  };
}

/** The files of a folder. Only for names chosen by this room, never for names from an image. */
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
 * Opens a regular file; undefined if it does not exist. Throws an ImageError for other types, such as pipes:
 * opening one would block, and archives need random access.
 */
async function openFile(path: string): Promise<FileHandle | undefined> {
  const found = await reading(path, () => stat(path)).catch((error: NodeJS.ErrnoException) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (found?.isFile() === false) throw new ImageError(`${path} is not an image archive: it is not a file`);
  return found && (await reading(path, () => open(path)));
}

/** Maximum number of entries, far above that of real archives of images. */
const MOST_ENTRIES = 1_000_000;

/** Maximum number of links in a chain of links. */
const MOST_LINKS = 40;

/**
 * The files of a tar archive on disk, in any order. Headers are read once, content on demand. Links inside
 * the archive are followed. Undefined if the archive does not exist. Throws an ImageError if it is not a tar
 * archive, or is compressed.
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
        `${path} is compressed; decompress it first, because images are read directly from the archive`,
      );
    for await (const { entry, position } of readTar(seekable(handle, size), {
      rooted: true,
      allowMissingEnd: true,
    })) {
      const said = toText(entry.path);
      const parent = resolved(posix.dirname(said), links);
      if (parent === undefined)
        throw new ImageError(`${path}: circular links in the path of ${JSON.stringify(said)}`);
      const name = posix.join(parent, posix.basename(said));
      // Of several entries of one path the last one counts, whatever they are.
      parts.delete(name);
      links.delete(name);
      if (entry.type === 'file') {
        if (position + entry.size > size) throw new ArchiveError('unexpected end of the archive');
        parts.set(name, partOf(path, position, entry.size));
      } else if (entry.type === 'symlink') links.set(name, toText(entry.link ?? ''));
      else if (entry.type === 'hardlink') links.set(name, `/${toText(entry.link ?? '')}`);
      if (parts.size + links.size > MOST_ENTRIES)
        throw new ImageError(`${path} has more than ${MOST_ENTRIES} files`);
    }
  } catch (error) {
    if (error instanceof ArchiveError)
      throw new ImageError(`${path} is not an image archive: ${error.message}`, { cause: error });
    throw fileError(error, path, 'read');
  } finally {
    await handle.close();
  }
  return {
    place: path,
    find(name) {
      const at = resolved(name, links);
      if (at === undefined)
        throw new ImageError(`${path}: circular links in the path of ${JSON.stringify(name)}`);
      return Promise.resolve(parts.get(at));
    },
  };
}

/** Follows the links in a path inside an archive, with the archive as the root; undefined if the links are circular. */
function resolved(name: string, links: ReadonlyMap<string, string>): string | undefined {
  const rest = name.split('/');
  let at = '';
  let followed = 0;
  for (let part = rest.shift(); part !== undefined; part = rest.shift()) {
    // Never above the root.
    const next = posix.join('/', at, part).slice(1);
    const link = links.get(next);
    if (link === undefined) {
      at = next;
      continue;
    }
    followed++;
    if (followed > MOST_LINKS) return undefined;
    if (link.startsWith('/')) at = '';
    rest.unshift(...link.split('/'));
  }
  return at;
}

/** Number of bytes to read at once while looking for the next header. */
const CHUNK = 16 * 1024;

/** A file as a stream that can skip bytes without reading them. */
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
