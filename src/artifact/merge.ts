import type { EntrySource, ReadEntry, SourceEntry } from '../tar/index.ts';
import { type ContentOrigin, createOverlay, type Inode } from './overlay.ts';

/** Reads the entries of a package from the start. Called more than once. */
export type ReadPackage = (file: string) => AsyncGenerator<ReadEntry, void, undefined>;

/**
 * Merges several archives, extracted over each other in this order, into one stream of entries sorted by
 * bytes. Later files replace earlier ones, and links are never followed (see `createOverlay`). A file whose
 * first name was replaced keeps its other names. Each archive is read twice, and again from the start if it
 * is not sorted. Memory grows with the number of entries, not with their content.
 */
export async function* mergePackages(files: readonly string[], read: ReadPackage): EntrySource {
  const overlay = createOverlay();
  for (const [archive, file] of files.entries()) {
    let index = 0;
    for await (const { entry } of read(file)) overlay.add(entry, { archive, entry: index++ });
  }
  const cursors = files.map((file) => createCursor(() => read(file)));
  try {
    yield* written(overlay.list(), ({ archive, entry }) => {
      const cursor = cursors[archive];
      if (cursor === undefined) throw new Error(`internal error: archive ${archive} not found`);
      return cursor.content(entry);
    });
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** The entries with their final paths. Of several names of a file, the first one is the file. */
function* written(
  listed: readonly { readonly path: string; readonly inode: Inode }[],
  contentOf: (origin: ContentOrigin) => AsyncIterable<Uint8Array>,
): Generator<SourceEntry, void, undefined> {
  const firstNames = new Map<Inode, string>();
  for (const { path, inode } of listed) {
    const { entry, origin } = inode;
    const first = firstNames.get(inode);
    if (first !== undefined) {
      const { mode, uid, gid, mtime } = entry;
      yield { entry: { path, type: 'hardlink', mode, uid, gid, size: 0, mtime, link: first } };
      continue;
    }
    firstNames.set(inode, path);
    yield {
      entry: { ...entry, path },
      content: entry.type === 'file' && origin !== undefined ? () => contentOf(origin) : undefined,
    };
  }
}

/** Reads the contents of an archive's entries; fastest in the archive's order. */
interface Cursor {
  content(index: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

function createCursor(open: () => AsyncGenerator<ReadEntry, void, undefined>): Cursor {
  let entries: AsyncGenerator<ReadEntry, void, undefined> | undefined;
  /** Index of the next entry. */
  let next = 0;

  async function close(): Promise<void> {
    await entries?.return();
    entries = undefined;
    next = 0;
  }

  return {
    close,
    async *content(index) {
      if (index < next) await close();
      entries ??= open();
      for (;;) {
        const { done, value } = await entries.next();
        if (done) throw new Error('an archive changed while it was read');
        if (next++ === index) return yield* value.content;
      }
    },
  };
}
