import { ArchiveError, type BytePath, type EntrySource, type SourceEntry } from '../tar/index.ts';
import { createOverlay, type Inode } from './overlay.ts';

/** Opens a stream of entries from its start. It is called twice and must return the same entries. */
export type OpenEntries = () => AsyncIterable<SourceEntry>;

/** Maximum number of entries, to limit memory. */
const MOST_ENTRIES = 1_000_000;

/**
 * Merges several streams of entries, extracted over each other in this order: each path once, in the order of
 * the streams, after its parent folders. Later entries replace earlier ones, and links are never followed
 * (see `createOverlay`). Memory grows with the number of entries, not with their content. Each stream is read
 * twice, the first time before the result resolves. Rejects with errors of the streams, and with an
 * `ArchiveError` for a hard link without target; `onProblem` is called with the stream's index.
 */
export async function layEntries(
  streams: readonly OpenEntries[],
  onProblem: (stream: number) => void,
): Promise<EntrySource> {
  const overlay = createOverlay();
  let count = 0;
  for (const [archive, open] of streams.entries()) {
    let entry = 0;
    try {
      for await (const one of open()) {
        if (++count > MOST_ENTRIES) throw new ArchiveError(`more than ${MOST_ENTRIES} entries`);
        overlay.add(one.entry, { archive, entry: entry++ });
      }
    } catch (error) {
      onProblem(archive);
      throw error;
    }
  }
  return remaining(streams, overlay.list());
}

/** The entries that were not replaced, with their final names. */
async function* remaining(
  streams: readonly OpenEntries[],
  listed: readonly { readonly path: BytePath; readonly inode: Inode }[],
): AsyncGenerator<SourceEntry, void, undefined> {
  const kept: Map<number, { inode: Inode; names: BytePath[] }>[] = streams.map(() => new Map());
  const folders = new Map<BytePath, Inode>();
  for (const { path, inode } of listed) {
    if (inode.entry.type === 'directory') folders.set(path, inode);
    if (inode.origin === undefined) continue;
    const of = kept[inode.origin.archive];
    const known = of?.get(inode.origin.entry);
    if (known === undefined) of?.set(inode.origin.entry, { inode, names: [path] });
    else known.names.push(path);
  }
  /** Parent folders of a path that were not written yet, from the top down. */
  function* above(path: BytePath): Generator<SourceEntry, void, undefined> {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
      yield* folder(path.slice(0, slash));
  }
  function* folder(path: BytePath): Generator<SourceEntry, void, undefined> {
    const inode = folders.get(path);
    if (inode === undefined) return;
    folders.delete(path);
    yield { entry: { ...inode.entry, path } };
  }
  for (const [at, open] of streams.entries()) {
    let index = 0;
    for await (const { content } of open()) {
      const found = kept[at]?.get(index++);
      if (found === undefined) continue;
      const { inode, names } = found;
      const [first = '', ...others] = names;
      yield* above(first);
      if (inode.entry.type === 'directory') yield* folder(first);
      else yield { entry: { ...inode.entry, path: first }, content };
      for (const path of others) {
        yield* above(path);
        const { mode, uid, gid, mtime } = inode.entry;
        yield { entry: { path, type: 'hardlink', mode, uid, gid, size: 0, mtime, link: first } };
      }
    }
  }
}
