import type { ChunkReader } from './chunk-reader.ts';
import { ArchiveError } from './entry.ts';
import { BLOCK, type Header, sparseFields, sparseHeader } from './header.ts';
import type { Extended } from './pax.ts';

/** A stored part of a sparse file. The bytes between segments are zeros. */
export interface SparseSegment {
  readonly offset: number;
  readonly size: number;
}

/** Position of the stored parts in a sparse file. */
export interface SparseMap {
  /** Real size of the file in bytes, including holes. */
  readonly size: number;
  /** Sorted by offset, without overlaps. */
  readonly segments: readonly SparseSegment[];
  /** Bytes stored in the archive, after the map. */
  readonly stored: number;
}

/** Maximum number of segments; no file system creates more for a file that is worth storing as sparse. */
const MOST_SEGMENTS = 200_000;

const wrong = (): ArchiveError => new ArchiveError('malformed map of a sparse file');

/**
 * Reads the map of a sparse file in one of GNU tar's four formats ("Storing Sparse Files" in its manual):
 * from the header, from records of the extended header, or from the blocks after the header. Undefined if the
 * file is not sparse.
 */
export async function readSparseMap(
  reader: ChunkReader,
  block: Buffer,
  header: Header,
  extended: Extended,
): Promise<SparseMap | undefined> {
  const { sparse } = extended;
  const stored = extended.size ?? header.size;
  if (header.flag === 'S') {
    // Must be parsed before the next read, because the block is a view of memory that the source may reuse.
    const { size, segments, isExtended } = sparseHeader(block);
    return checked(isExtended ? [...segments, ...(await oldMap(reader))] : segments, size, stored);
  }
  if (sparse === undefined) return undefined;
  if (sparse.size === undefined) throw wrong();
  if (sparse.major === undefined) return checked(pairs(sparse.map), sparse.size, stored);
  if (sparse.major !== 1 || sparse.minor !== 0)
    throw new ArchiveError('unknown format of the map of a sparse file');
  const { numbers, length } = await leadingMap(reader, stored);
  return checked(pairs(numbers), sparse.size, stored - length);
}

async function take(reader: ChunkReader): Promise<Buffer> {
  const bytes = reader.takeNow(BLOCK) ?? (await reader.take(BLOCK));
  if (bytes === undefined) throw new ArchiveError('unexpected end of the archive');
  return bytes;
}

/** The format before PAX: four segments in the header, further ones in the blocks after it. */
async function oldMap(reader: ChunkReader): Promise<SparseSegment[]> {
  const segments: SparseSegment[] = [];
  for (;;) {
    const block = await take(reader);
    segments.push(...sparseFields(block, 0, 21));
    if (segments.length > MOST_SEGMENTS) throw wrong();
    if (block[504] === 0) return segments;
  }
}

/** Format 1.0: decimal numbers, one in each line, before the content and padded to whole blocks. */
async function leadingMap(
  reader: ChunkReader,
  stored: number,
): Promise<{ numbers: number[]; length: number }> {
  const numbers: number[] = [];
  let count: number | undefined;
  let length = 0;
  let text = '';
  while (count === undefined || numbers.length < 2 * count) {
    length += BLOCK;
    if (length > stored + BLOCK - 1) throw wrong();
    text += (await take(reader)).toString('latin1');
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (count !== undefined && numbers.length === 2 * count) break;
      if (!/^\d{1,16}$/.test(line)) throw wrong();
      if (count === undefined) count = Number(line);
      else numbers.push(Number(line));
    }
    if (text.length > BLOCK || (count ?? 0) > MOST_SEGMENTS) throw wrong();
  }
  return { numbers, length };
}

function pairs(numbers: readonly number[]): SparseSegment[] {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MOST_SEGMENTS) throw wrong();
  const segments: SparseSegment[] = [];
  for (let i = 0; i < numbers.length; i += 2)
    segments.push({ offset: numbers[i] ?? 0, size: numbers[i + 1] ?? 0 });
  return segments;
}

function checked(segments: readonly SparseSegment[], size: number, stored: number): SparseMap {
  let end = 0;
  let sum = 0;
  for (const segment of segments) {
    if (segment.offset < end) throw wrong();
    end = segment.offset + segment.size;
    sum += segment.size;
  }
  if (end > size || sum !== stored || !Number.isSafeInteger(size)) throw wrong();
  return { size, segments: segments.filter((segment) => segment.size > 0), stored };
}

const zeros = Buffer.alloc(64 * 1024);

/** The complete file, with zeros for holes, made of the stored bytes. */
export async function* expand(
  map: SparseMap,
  data: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0;
  let index = 0;
  let left = map.segments[0]?.size ?? 0;
  function* hole(until: number): Generator<Uint8Array> {
    for (; at < until; at += zeros.length) yield zeros.subarray(0, Math.min(zeros.length, until - at));
    at = until;
  }
  for await (const chunk of data) {
    for (let from = 0; from < chunk.length; ) {
      const segment = map.segments[index];
      if (segment === undefined) return;
      yield* hole(segment.offset + segment.size - left);
      const part = chunk.subarray(from, from + left);
      yield part;
      from += part.length;
      at += part.length;
      left -= part.length;
      if (left === 0) left = map.segments[++index]?.size ?? 0;
    }
  }
  yield* hole(map.size);
}
