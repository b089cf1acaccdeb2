import type { Entry, SourceEntry } from '../../src/tar/index.ts';

/** These bytes as a stream of chunks of the given lengths, the last repeated. */
export async function* chunked(bytes: Uint8Array, ...lengths: number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = Math.max(1, lengths[Math.min(i, lengths.length - 1)] ?? bytes.length);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** All bytes of a stream. */
export async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** An entry with its content, all in memory. */
export interface WholeEntry {
  readonly entry: Entry;
  readonly content: Buffer;
}

/** Entries as a source for a writer. */
export async function* sourceOf(items: Iterable<WholeEntry>): AsyncGenerator<SourceEntry> {
  for (const { entry, content } of items) yield { entry, content: () => chunked(content, 1000) };
}

/** A regular file with plain metadata. */
export function file(path: string, content: string | Buffer = '', more: Partial<Entry> = {}): WholeEntry {
  const bytes = Buffer.from(content as string);
  return { entry: { ...plain(path), type: 'file', size: bytes.length, ...more }, content: bytes };
}

/** A directory with plain metadata. */
export function directory(path: string, more: Partial<Entry> = {}): WholeEntry {
  return { entry: { ...plain(path), type: 'directory', mode: 0o755, ...more }, content: Buffer.alloc(0) };
}

/** A symbolic or hard link with plain metadata. */
export function link(type: 'symlink' | 'hardlink', path: string, to: string): WholeEntry {
  return { entry: { ...plain(path), type, mode: 0o777, link: to }, content: Buffer.alloc(0) };
}

const plain = (path: string) => ({ path, mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1_000_000_000 });
