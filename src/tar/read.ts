import { type ChunkReader, chunkReader } from './chunk-reader.ts';
import { ArchiveError, type Entry, type EntryType, type ReadEntry } from './entry.ts';
import { BLOCK, decodeHeader, type Header, isEmptyBlock } from './header.ts';
import { type BytePath, shownPath } from './path.ts';
import { decodePax, type Extended, name as longName } from './pax.ts';
import { expand, readSparseMap } from './sparse.ts';

/** Maximum size in bytes. Extended headers contain names and attributes; a larger one is an attack. */
const LONGEST_EXTENDED_HEADER = 4 * 1024 * 1024;

/** The type flag of a file in archives older than ustar. */
const OLD = '\0';

const types: Readonly<Record<string, EntryType>> = {
  [OLD]: 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

/** Longest name or link target in bytes: the limit of system calls. */
const LONGEST_NAME = 4096;

/** Options for archives with features that are rejected by default. */
export interface ReadTarOptions {
  /** Accepts sparse files in GNU's four formats. A small archive can then expand to a file of any size. */
  readonly sparse?: boolean;
  /**
   * Accepts absolute names and names that lead upwards, and resolves them as if the root of the archive were
   * `/`: `/a`, `../a` and `b/../../a` all mean `a`. Applies to names and to targets of hard links.
   */
  readonly rooted?: boolean;
  /**
   * Accepts an archive that ends after an entry without the two empty blocks, as Go and GNU tar do. Use it
   * only for archives that are verified in another way, such as by a digest, because it hides truncation.
   */
  readonly allowMissingEnd?: boolean;
}

/**
 * Reads the entries of an uncompressed tar archive (ustar, PAX or GNU), in order. A leading `./` and a
 * trailing `/` of names are removed.
 *
 * Archives are not trusted. Throws an ArchiveError for absolute names and names with `..`, wrong checksums,
 * malformed numbers, a missing end, entries after the end, and, unless allowed, sparse files. Reads the
 * source to its end, and closes it if the reader stops early.
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
  options: ReadTarOptions = {},
): AsyncGenerator<ReadEntry, void, undefined> {
  const reader = chunkReader(source);
  try {
    let extended: Extended = {};
    let length = 0;
    for (;;) {
      const { position: start } = reader;
      const block = reader.takeNow(BLOCK) ?? (await reader.take(BLOCK));
      if (block === undefined) {
        if (options.allowMissingEnd === true && reader.position === start) break;
        throw new ArchiveError('unexpected end of the archive');
      }
      if (isEmptyBlock(block)) {
        const next = await reader.take(BLOCK);
        // A single empty block is accepted at the end only: other programs ignore entries after it.
        if (next !== undefined && !isEmptyBlock(next)) throw new ArchiveError('empty block between entries');
        break;
      }
      const header = decodeHeader(block);
      if (await readExtended(reader, header, extended)) {
        // Each header is limited, but an entry can have any number of them.
        length += header.size;
        if (length > LONGEST_EXTENDED_HEADER)
          throw new ArchiveError('extended headers of an entry are too long');
        continue;
      }
      length = 0;
      if (options.sparse !== true && (header.flag === 'S' || extended.sparse !== undefined))
        throw new ArchiveError('sparse files are not supported here');
      const map = await readSparseMap(reader, block, header, extended);
      const entry = join(header, map === undefined ? extended : { ...extended, size: map.size }, options);
      if (map !== undefined && entry.type !== 'file') throw new ArchiveError('sparse entry is not a file');
      extended = {};
      const content = openContent(reader, entry, map?.stored ?? entry.size);
      const { position } = reader;
      if (map === undefined) yield { entry, position, content: content.chunks };
      else {
        const sparse = { segments: map.segments, data: content.chunks };
        yield { entry, position, content: expand(map, content.chunks), sparse };
      }
      await content.skip();
    }
    await reader.drain();
  } finally {
    await reader.close();
  }
}

async function take(reader: ChunkReader, length: number): Promise<Buffer> {
  const bytes = reader.takeNow(length) ?? (await reader.take(length));
  if (bytes === undefined) throw new ArchiveError('unexpected end of the archive');
  return bytes;
}

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** Reads a header that describes the next entry. False if the header is not of that kind. */
async function readExtended(reader: ChunkReader, header: Header, into: Extended): Promise<boolean> {
  const { flag, size } = header;
  if (flag !== 'x' && flag !== 'g' && flag !== 'L' && flag !== 'K') return false;
  if (size > LONGEST_EXTENDED_HEADER) throw new ArchiveError('extended header is too long');
  const body = (await take(reader, padded(size))).subarray(0, size);
  if (flag === 'x') decodePax(body, into);
  // Global headers are ignored: they contain comments and defaults.
  if (flag === 'L') into.path = longName(untilNul(body));
  if (flag === 'K') into.link = longName(untilNul(body));
  return true;
}

function untilNul(body: Buffer): Buffer {
  const nul = body.indexOf(0);
  return nul < 0 ? body : body.subarray(0, nul);
}

/** Combines a header with the extended headers before it. */
function join(header: Header, extended: Extended, options: ReadTarOptions): Entry {
  const written = extended.sparse?.name ?? extended.path ?? header.name;
  if (Math.max(written.length, extended.link?.length ?? 0) > LONGEST_NAME)
    throw new ArchiveError('name is too long');
  const flagged = types[header.flag];
  if (flagged === undefined)
    throw new ArchiveError(`unknown type ${JSON.stringify(header.flag)} of an entry`);
  const type = header.flag === OLD && written.endsWith('/') ? 'directory' : flagged;
  const path = plainPath(written, options);
  if (path === '' && type !== 'directory') throw new ArchiveError('missing name of an entry');
  const link = type === 'hardlink' || type === 'symlink' ? (extended.link ?? header.link) : undefined;
  if (link === '') throw new ArchiveError(`missing target of the link ${shownPath(path)}`);
  return {
    path,
    type,
    mode: header.mode,
    uid: extended.uid ?? header.uid,
    gid: extended.gid ?? header.gid,
    // Only files have content, but some programs write a size for other entries too.
    size: type === 'file' ? (extended.size ?? header.size) : 0,
    mtime: extended.mtime ?? header.mtime,
    ...(link === undefined ? undefined : { link: type === 'hardlink' ? plainPath(link, options) : link }),
    ...(type === 'character' || type === 'block'
      ? { device: { major: header.major, minor: header.minor } }
      : undefined),
    ...(extended.xattrs === undefined ? undefined : { xattrs: extended.xattrs }),
  };
}

/** Normalizes a name: relative to the root, without `.` parts. Throws if it leads out of the root. */
function plainPath(name: BytePath, options: ReadTarOptions): BytePath {
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(name)) return name;
  const parts = name.split('/');
  if (options.rooted !== true && (name.startsWith('/') || parts.includes('..')))
    throw new ArchiveError(`name ${shownPath(name)} leads out of the archive`);
  const path: BytePath[] = [];
  for (const part of parts)
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  return path.join('/');
}

interface OpenContent {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Skips unread content and the padding after it. After that, `chunks` throws. */
  skip(): Promise<void>;
}

function openContent(reader: ChunkReader, entry: Entry, size: number): OpenContent {
  let missing = size;
  let isOver = false;
  const next = async (): Promise<Buffer | undefined> => {
    if (missing === 0) return undefined;
    const chunk = reader.someNow(missing) ?? (await reader.some(missing));
    if (chunk === undefined) throw new ArchiveError('unexpected end of the archive');
    missing -= chunk.length;
    return chunk;
  };
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (isOver) throw new Error(`content of ${shownPath(entry.path)} was requested after the next entry`);
      const chunk = await next();
      if (chunk === undefined) return;
      yield chunk;
    }
  }
  return {
    chunks: { [Symbol.asyncIterator]: chunks },
    async skip() {
      isOver = true;
      if (size === 0) return;
      // Also skips the padding. `missing` is the number of content bytes that were not read.
      if (!(await reader.skip(missing + padded(size) - size)))
        throw new ArchiveError('unexpected end of the archive');
      missing = 0;
    },
  };
}
