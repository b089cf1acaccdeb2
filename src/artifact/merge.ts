import type { EntrySource, ReadEntry, SourceEntry } from '../tar/index.ts';
import { createOverlay, type Inode, type Origin } from './overlay.ts';

/** Reads a package's entries from the beginning; called more than once. */
export type ReadPackage = (file: string) => AsyncGenerator<ReadEntry, void, undefined>;

/**
 * What several archives, unpacked over each other in this order, come to: one stream of entries, sorted by bytes.
 * Later files replace earlier ones, and links are never followed (see `createOverlay`). A file whose
 * first name was replaced goes on under its other names. The archives are read twice, and again from the beginning where
 * one of them is not sorted; memory grows with the number of entries, not with their content.
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
      if (cursor === undefined) throw new Error(`no archive ${archive}`);
      return cursor.content(entry);
    });
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** The entries under the paths that they have now: of a file's several names the first is the file. */
function* written(
  listed: readonly { readonly path: string; readonly inode: Inode }[],
  contentOf: (origin: Origin) => AsyncIterable<Uint8Array>,
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

/** Reads the contents of an archive's entries, cheapest in the archive's order. */
interface Cursor {
  content(index: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

function createCursor(open: () => AsyncGenerator<ReadEntry, void, undefined>): Cursor {
  let entries: AsyncGenerator<ReadEntry, void, undefined> | undefined;
  /** Index of the entry that comes next. */
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
