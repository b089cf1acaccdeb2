import type { EntrySource, SourceEntry } from '../../../tar/index.ts';
import type { UpperSource } from '../../overlay/upper.ts';

/**
 * The entries that must be uploaded. Undefined where there is only one, a folder that is there already
 * exactly like that: the build folder of a package without context, on a parent that did not change it.
 */
export async function missingEntries(
  entries: EntrySource,
  there: UpperSource,
): Promise<EntrySource | undefined> {
  const all = entries[Symbol.asyncIterator]();
  const begun: SourceEntry[] = [];
  const first = await all.next();
  if (first.done === true) return undefined;
  begun.push(first.value);
  const { entry } = first.value;
  // Only a folder has no content that must be read before the next entry is asked for.
  if (entry.type === 'directory' && entry.xattrs === undefined) {
    const second = await all.next();
    if (second.done !== true) begun.push(second.value);
    else {
      const [found] = await there.stat([entry.path]);
      const parts = ['type', 'mode', 'uid', 'gid', 'mtime'] as const;
      if (parts.every((part) => found?.[part] === entry[part])) return undefined;
    }
  }
  return (async function* () {
    yield* begun;
    yield* { [Symbol.asyncIterator]: () => all };
  })();
}
