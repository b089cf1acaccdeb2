import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { layEntries, mergePackages } from '../../src/artifact/index.ts';
import { ArchiveError, type Entry, readTar, writeTar } from '../../src/tar/index.ts';
import { chunked, collect, directory, file, link, sourceOf, type WholeEntry } from '../support/stream.ts';

/** The merged archive of these, as entries with their content. */
async function merge(...archives: readonly (readonly WholeEntry[])[]): Promise<WholeEntry[]> {
  const bytes = await Promise.all(archives.map((items) => collect(writeTar(sourceOf(items)))));
  const merged = mergePackages(
    bytes.map((_, i) => String(i)),
    (name) => readTar(chunked(bytes[Number(name)] ?? Buffer.alloc(0), 700)),
  );
  const items: WholeEntry[] = [];
  for await (const { entry, content } of readTar(writeTar(merged)))
    items.push({ entry, content: await collect(content) });
  return items;
}

/** The same by way of streams of entries, in the order in which they come. */
async function lay(...archives: readonly (readonly WholeEntry[])[]): Promise<WholeEntry[]> {
  const bytes = await Promise.all(archives.map((items) => collect(writeTar(sourceOf(items)))));
  const laid = await layEntries(
    bytes.map((one) => () => readTar(chunked(one, 700))),
    () => {},
  );
  const items: WholeEntry[] = [];
  for await (const { entry, content } of readTar(writeTar(laid)))
    items.push({ entry, content: await collect(content) });
  return items;
}

const byPath = (a: WholeEntry, b: WholeEntry): number => (a.entry.path < b.entry.path ? -1 : 1);

/** One line a path: what it is, and for files the content. */
const lines = (items: readonly WholeEntry[]): string[] =>
  items.map(({ entry, content }) => `${entry.type} ${entry.path} ${entry.link ?? content.toString()}`.trim());

test('nothing comes to nothing', async () => {
  assert.deepEqual(await merge(), []);
  assert.deepEqual(await merge([], []), []);
});

test('later files replace earlier ones, with their metadata', async () => {
  const merged = await merge(
    [directory('d', { mode: 0o700 }), file('d/a', 'old', { mode: 0o600 }), file('d/b', 'stays')],
    [directory('d', { mode: 0o755, uid: 7 }), file('d/a', 'new', { mtime: 5 })],
  );
  assert.deepEqual(merged, [
    directory('d', { mode: 0o755, uid: 7 }),
    file('d/a', 'new', { mtime: 5 }),
    file('d/b', 'stays'),
  ]);
});

test('entries are sorted by bytes, wherever they come from', async () => {
  const merged = await merge(
    [file('a.b'), file('\xff')],
    [directory('a'), file('a/b'), file('b', '1')],
    [file('a-b')],
  );
  assert.deepEqual(
    merged.map((one) => one.entry.path),
    ['a', 'a-b', 'a.b', 'a/b', 'b', '\xff'],
  );
});

test('a file over a directory removes what was in it', async () => {
  const merged = await merge(
    [directory('d'), directory('d/e'), file('d/e/f', 'x'), file('d.x')],
    [file('d', 'now')],
  );
  assert.deepEqual(lines(merged), ['file d now', 'file d.x']);
});

test('a directory over a file or a link replaces it', async () => {
  const merged = await merge([file('a', 'x'), link('symlink', 'b', 'a')], [directory('a'), directory('b')]);
  assert.deepEqual(lines(merged), ['directory a', 'directory b']);
});

test('nothing is written through a symbolic link', async () => {
  const merged = await merge(
    [
      directory('etc'),
      file('etc/passwd', 'safe'),
      link('symlink', 'a', 'etc'),
      link('symlink', 'up', '../..'),
    ],
    [file('a/passwd', 'evil'), file('up/x', 'y')],
  );
  assert.deepEqual(lines(merged), [
    'directory a',
    'file a/passwd evil',
    'directory etc',
    'file etc/passwd safe',
    'directory up',
    'file up/x y',
  ]);
});

test('directories that no archive has are made', async () => {
  const [first, second] = await merge([file('a/b/c', 'x')]);
  assert.deepEqual(
    [first?.entry, second?.entry],
    [directory('a', { mtime: 0 }).entry, directory('a/b', { mtime: 0 }).entry],
  );
});

test('a file goes on under its other names when its first is replaced', async () => {
  const linked = [
    file('a', 'content', { mode: 0o755 }),
    file('f', 'between'),
    link('hardlink', 'm', 'a'),
    link('hardlink', 'z', 'a'),
  ];
  assert.deepEqual(lines(await merge(linked, [file('a', 'other')])), [
    'file a other',
    'file f between',
    'file m content',
    'hardlink z m',
  ]);
  assert.deepEqual(lines(await merge(linked, [directory('m')])), [
    'file a content',
    'file f between',
    'directory m',
    'hardlink z a',
  ]);
  const merged = await merge(linked, [file('a', 'other')]);
  assert.equal(merged[2]?.entry.mode, 0o755);
});

test("the first of a file's names is the file, whichever the archive had", async () => {
  const merged = await merge([
    file('z', 'content', { xattrs: new Map([['user.x', Buffer.from('y')]]) }),
    link('hardlink', 'a', 'z'),
  ]);
  assert.deepEqual(lines(merged), ['file a content', 'hardlink z a']);
  assert.equal(merged[0]?.entry.xattrs?.get('user.x')?.toString(), 'y');
});

test('names of a device or a link stay one', async () => {
  const device: Entry = { ...file('c').entry, type: 'character', device: { major: 1, minor: 3 } };
  const merged = await merge([
    { entry: device, content: Buffer.alloc(0) },
    link('hardlink', 'd', 'c'),
    link('symlink', 's', 'c'),
    link('hardlink', 't', 's'),
  ]);
  assert.deepEqual(lines(merged), ['character c', 'hardlink d c', 'symlink s c', 'hardlink t s']);
});

test('streams of entries are read in their own order, twice, and who is wrong is told', async () => {
  const archive = await collect(writeTar(sourceOf([file('z', '1'), file('d/b', '2'), file('a', '3')])));
  let count = 0;
  const open = () => {
    count++;
    return readTar(chunked(archive, 700));
  };
  const paths: string[] = [];
  for await (const { entry } of await layEntries([open], () => {})) paths.push(entry.path);
  assert.deepEqual([paths, count], [['z', 'd', 'd/b', 'a'], 2]);
  const bad = await collect(writeTar(sourceOf([link('hardlink', 'x', 'nowhere')])));
  const told: number[] = [];
  const streams = [open, () => readTar(chunked(bad, 700)), open];
  await assert.rejects(
    layEntries(streams, (at) => told.push(at)),
    ArchiveError,
  );
  assert.deepEqual(told, [1]);
});

test('a hard link to what is not there is refused', async () => {
  await assert.rejects(merge([link('hardlink', 'a', 'b')]), ArchiveError);
  await assert.rejects(merge([directory('b'), link('hardlink', 'a', 'b')]), ArchiveError);
  await assert.rejects(
    merge([file('b'), link('symlink', 'l', 'b')], [link('hardlink', 'a', 'l/b')]),
    ArchiveError,
  );
});

test('every archive is closed, also when the reader leaves early', async () => {
  const bytes = await collect(writeTar(sourceOf([file('a', 'x'), file('b', 'y')])));
  let open = 0;
  async function* counted() {
    open++;
    try {
      yield* chunked(bytes, 512);
    } finally {
      open--;
    }
  }
  for await (const _ of writeTar(mergePackages(['1', '2'], () => readTar(counted())))) break;
  await collect(writeTar(mergePackages(['1', '2'], () => readTar(counted()))));
  assert.equal(open, 0);
});

/** What unpacking comes to, written down as simply as it can be: a flat map, and the rules one by one. */
function model(archives: readonly (readonly WholeEntry[])[]): Map<string, { text: string; id: object }> {
  const found = new Map<string, { text: string; id: object; isDirectory: boolean }>();
  const remove = (path: string): void => {
    for (const other of [...found.keys()])
      if (other === path || other.startsWith(`${path}/`)) found.delete(other);
  };
  for (const { entry, content } of archives.flat()) {
    const target = entry.type === 'hardlink' ? found.get(entry.link ?? '') : undefined;
    const parts = entry.path.split('/');
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join('/');
      if (found.get(parent)?.isDirectory) continue;
      remove(parent);
      found.set(parent, { text: 'directory 755', id: {}, isDirectory: true });
    }
    const isDirectory = entry.type === 'directory';
    if (!isDirectory || !found.get(entry.path)?.isDirectory) remove(entry.path);
    const text = `${entry.type} ${isDirectory ? entry.mode.toString(8) : (entry.link ?? content.toString())}`;
    found.set(entry.path, target ?? { text, id: {}, isDirectory });
  }
  return found;
}

const name = fc.constantFrom('a', 'b', 'a.b');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const simple = fc.oneof(
  fc
    .tuple(path, fc.string({ unit: fc.constantFrom('x', 'y', 'z'), maxLength: 3 }))
    .map(([p, text]) => file(p, text)),
  fc.tuple(path, fc.constantFrom(0o700, 0o711)).map(([p, mode]) => directory(p, { mode })),
  fc.tuple(path, path).map(([p, to]) => link('symlink', p, to)),
);

/** An archive as one is made from a file tree: no path twice or through a file, links to files in it. */
const archive = fc
  .tuple(
    fc.array(simple, { maxLength: 6 }),
    fc.array(fc.tuple(path, fc.nat(9)), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([items, links, isSorted]) => {
    const taken: WholeEntry[] = [];
    const isFree = (one: string): boolean =>
      taken.every(({ entry }) => {
        const isInside = one.startsWith(`${entry.path}/`) && entry.type !== 'directory';
        return one !== entry.path && !isInside && !entry.path.startsWith(`${one}/`);
      });
    for (const one of items) if (isFree(one.entry.path)) taken.push(one);
    const targets = taken.filter(({ entry }) => entry.type === 'file');
    for (const [from, at] of links) {
      const target = targets[at % (targets.length || 1)];
      if (target !== undefined && isFree(from)) taken.push(link('hardlink', from, target.entry.path));
    }
    // A link can stand before its target only where the target is its own file, so sorting keeps the kinds apart.
    const order = (one: WholeEntry): string => `${one.entry.type === 'hardlink' ? 1 : 0}${one.entry.path}`;
    return isSorted ? taken.sort((a, b) => (order(a) < order(b) ? -1 : 1)) : taken;
  });

test('merging does what unpacking one after the other does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(archive, { maxLength: 4 }), async (archives) => {
      const expected = model(archives);
      const merged = await merge(...archives);
      assert.deepEqual(
        merged.map((one) => one.entry.path),
        [...expected.keys()].sort(),
      );
      const laid = await lay(...archives);
      const come = new Set<string>(['']);
      for (const { entry } of laid) {
        assert.ok(
          come.has(entry.path.slice(0, Math.max(0, entry.path.lastIndexOf('/')))),
          'its folder is there',
        );
        if (entry.type === 'hardlink') assert.ok(come.has(entry.link ?? ''), 'what it links to is there');
        come.add(entry.path);
      }
      assert.deepEqual(laid.toSorted(byPath), merged);
      const texts = new Map<string, string>();
      for (const { entry, content } of merged) {
        const first = [...expected]
          .filter(([, one]) => one.id === expected.get(entry.path)?.id)
          .map(([p]) => p)
          .sort()[0];
        if (entry.type === 'hardlink') assert.equal(entry.link, first);
        else assert.equal(entry.path, first);
        const own = entry.type === 'directory' ? entry.mode.toString(8) : (entry.link ?? content.toString());
        texts.set(
          entry.path,
          entry.type === 'hardlink' ? (texts.get(entry.link ?? '') ?? '') : `${entry.type} ${own}`,
        );
        assert.equal(texts.get(entry.path), expected.get(entry.path)?.text);
      }
    }),
    { numRuns: Number(process.env.LUET_TS_TEST_RUNS ?? 200) },
  );
});
