import { type ChunkReader, chunkReader } from './chunk-reader.ts';
import { ArchiveError, type Entry, type EntryType, type ReadEntry } from './entry.ts';
import { BLOCK, decodeHeader, type Header, isEmptyBlock } from './header.ts';
import { type BytePath, shownPath } from './path.ts';
import { decodePax, type Extended, name as longName } from './pax.ts';
import { expand, readSparseMap } from './sparse.ts';

/** Extended headers hold names and attributes; more than this is an attack. */
const LONGEST_EXTENDED_HEADER = 4 * 1024 * 1024;

/** How writers before ustar, who had no flags, mark what is no link. */
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

/** Names and targets that are longer fit into no system call. */
const LONGEST_NAME = 4096;

/** What an archive may have besides what every archive may. */
export interface ReadTarOptions {
  /** Takes sparse files, in GNU's four forms; few bytes of an archive can be any number of bytes then. */
  readonly sparse?: boolean;
  /**
   * Takes names and targets of hard links that begin with `/` or lead upwards, as they are meant in a process whose root is the
   * archive's: `/a`, `../a` and `b/../../a` are `a`.
   */
  readonly rooted?: boolean;
  /**
   * Takes an end behind an entry for the archive's end, as Go's reader and GNU tar do: some writers leave out the empty blocks. For archives
   * that something else vouches for, such as a digest.
   */
  readonly open?: boolean;
}

/**
 * The entries of a tar archive (ustar, PAX or GNU; plain, not compressed), in its order. Leading `./` and
 * trailing `/` of names are taken off. Nothing of an archive is trusted: names that are absolute or have `..`
 * in them, wrong checksums, malformed numbers, an end before the end marker and entries behind it throw an ArchiveError, as do
 * sparse files where they are not asked for. The source is read to its end, or closed when the reader is left early.
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
        if (options.open === true && reader.position === start) break;
        throw new ArchiveError('the archive ends early');
      }
      if (isEmptyBlock(block)) {
        const next = await reader.take(BLOCK);
        // Whoever writes one empty block at the end writes nothing behind it; entries there would go unseen.
        if (next !== undefined && !isEmptyBlock(next))
          throw new ArchiveError('an empty block stands between entries');
        break;
      }
      const header = decodeHeader(block);
      if (await readExtended(reader, header, extended)) {
        // Each is short, and there may be any number of them before one entry.
        length += header.size;
        if (length > LONGEST_EXTENDED_HEADER)
          throw new ArchiveError('the extended headers of an entry are too long');
        continue;
      }
      length = 0;
      if (options.sparse !== true && (header.flag === 'S' || extended.sparse !== undefined))
        throw new ArchiveError('sparse files are not supported');
      const map = await readSparseMap(reader, block, header, extended);
      const entry = join(header, map === undefined ? extended : { ...extended, size: map.size }, options);
      if (map !== undefined && entry.type !== 'file') throw new ArchiveError('what is sparse is no file');
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
  if (bytes === undefined) throw new ArchiveError('the archive ends early');
  return bytes;
}

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** Reads a header that describes the entry behind it; false where this one is an entry itself. */
async function readExtended(reader: ChunkReader, header: Header, into: Extended): Promise<boolean> {
  const { flag, size } = header;
  if (flag !== 'x' && flag !== 'g' && flag !== 'L' && flag !== 'K') return false;
  if (size > LONGEST_EXTENDED_HEADER) throw new ArchiveError('an extended header is too long');
  const body = (await take(reader, padded(size))).subarray(0, size);
  if (flag === 'x') decodePax(body, into);
  // Global headers carry comments and defaults that no package depends on.
  if (flag === 'L') into.path = longName(untilNul(body));
  if (flag === 'K') into.link = longName(untilNul(body));
  return true;
}

function untilNul(body: Buffer): Buffer {
  const nul = body.indexOf(0);
  return nul < 0 ? body : body.subarray(0, nul);
}

/** The entry that a header and the extended headers before it describe. */
function join(header: Header, extended: Extended, options: ReadTarOptions): Entry {
  const written = extended.sparse?.name ?? extended.path ?? header.name;
  if (Math.max(written.length, extended.link?.length ?? 0) > LONGEST_NAME)
    throw new ArchiveError('a name is too long');
  const flagged = types[header.flag];
  if (flagged === undefined)
    throw new ArchiveError(`an entry has the unknown type ${JSON.stringify(header.flag)}`);
  const type = header.flag === OLD && written.endsWith('/') ? 'directory' : flagged;
  const path = plainPath(written, options);
  if (path === '' && type !== 'directory') throw new ArchiveError('an entry has no name');
  const link = type === 'hardlink' || type === 'symlink' ? (extended.link ?? header.link) : undefined;
  if (link === '') throw new ArchiveError(`the link ${shownPath(path)} has no target`);
  return {
    path,
    type,
    mode: header.mode,
    uid: extended.uid ?? header.uid,
    gid: extended.gid ?? header.gid,
    // Only files have content; some writers give other entries a size all the same.
    size: type === 'file' ? (extended.size ?? header.size) : 0,
    mtime: extended.mtime ?? header.mtime,
    ...(link === undefined ? undefined : { link: type === 'hardlink' ? plainPath(link, options) : link }),
    ...(type === 'character' || type === 'block'
      ? { device: { major: header.major, minor: header.minor } }
      : undefined),
    ...(extended.xattrs === undefined ? undefined : { xattrs: extended.xattrs }),
  };
}

/** A name as written, made relative to the root without `.` parts. Throws where it leads out of the root. */
function plainPath(name: BytePath, options: ReadTarOptions): BytePath {
  if (!/(?:^|\/)\.{0,2}(?:\/|$)/.test(name)) return name;
  const parts = name.split('/');
  if (options.rooted !== true && (name.startsWith('/') || parts.includes('..')))
    throw new ArchiveError(`the name ${shownPath(name)} leads out of the archive`);
  const path: BytePath[] = [];
  for (const part of parts)
    if (part === '..') path.pop();
    else if (part !== '' && part !== '.') path.push(part);
  return path.join('/');
}

interface OpenContent {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Reads past what was not read, padding and all. Chunks cannot be read afterwards. */
  skip(): Promise<void>;
}

function openContent(reader: ChunkReader, entry: Entry, size: number): OpenContent {
  let missing = size;
  let isOver = false;
  const next = async (): Promise<Buffer | undefined> => {
    if (missing === 0) return undefined;
    const chunk = reader.someNow(missing) ?? (await reader.some(missing));
    if (chunk === undefined) throw new ArchiveError('the archive ends early');
    missing -= chunk.length;
    return chunk;
  };
  async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      if (isOver) throw new Error(`the content of ${shownPath(entry.path)} was asked for too late`);
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
      // The padding too: `missing` of `size` bytes were not read.
      if (!(await reader.skip(missing + padded(size) - size)))
        throw new ArchiveError('the archive ends early');
      missing = 0;
    },
  };
}
