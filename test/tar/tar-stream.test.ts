import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { extract, type Header, pack } from 'tar-stream';
import { fromText, readTar, toBytes, writeTar } from '../../src/tar/index.ts';
import { chunked, collect, directory, file, link, sourceOf, type WholeEntry } from '../support/stream.ts';

/*
 * tar-stream, the usual library for Node, as a second opinion: it reads what we write and writes what we read, wherever it can represent
 * that. What it cannot is at the end, and in docs/decisions/0003-tar.md.
 */

/** The largest owner or group that it writes as it is. */
const LARGEST_ID = 0o777777;

/** Entries that it can represent: names and links are UTF-8, ids small, attributes text. */
const wholeEntry: fc.Arbitrary<WholeEntry> = (() => {
  const segment = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .map((text) => text.replaceAll(/[\0/]/g, '_').toWellFormed())
    .filter((text) => !/^\.{1,2}$/.test(text));
  const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((all) => fromText(all.join('/')));
  const id = fc.oneof(fc.constant(0), fc.nat(LARGEST_ID));
  const more = fc.record({ mode: fc.nat(0o7777), uid: id, gid: id, mtime: fc.nat(2 ** 31) });
  const attributes = fc.dictionary(
    fc.stringMatching(/^user\.[a-z]{1,9}$/),
    fc.stringMatching(/^[ -~]{0,30}$/),
  );
  return fc.oneof(
    fc
      .tuple(path, fc.uint8Array({ maxLength: 2000 }), more, attributes)
      .map(([at, content, metadata, xattrs]) =>
        file(at, Buffer.from(content), {
          ...metadata,
          ...(Object.keys(xattrs).length === 0
            ? {}
            : { xattrs: new Map(Object.entries(xattrs).map(([name, value]) => [name, Buffer.from(value)])) }),
        }),
      ),
    fc.tuple(path, more).map(([at, metadata]) => directory(at, metadata)),
    fc.tuple(path, path).map(([at, to]) => link('symlink', at, to)),
    fc.tuple(path, path).map(([at, to]) => link('hardlink', at, to)),
  );
})();

const text = (bytes: string): string => toBytes(bytes).toString();

const types = {
  file: 'file',
  directory: 'directory',
  symlink: 'symlink',
  hardlink: 'link',
  fifo: 'fifo',
  character: 'character-device',
  block: 'block-device',
} as const;

/** What there is to compare of an entry. */
function shown({ entry, content }: WholeEntry) {
  const { path, type, mode, uid, gid, mtime, link: to = '', xattrs = new Map<string, Buffer>() } = entry;
  const attributes = Object.fromEntries([...xattrs].map(([name, value]) => [name, value.toString('latin1')]));
  return { path, type, mode, uid, gid, mtime, to, attributes, content: content.toString('hex') };
}

/** The entries of an archive, as tar-stream reads them. */
async function readByTarStream(archive: Uint8Array): Promise<WholeEntry[]> {
  const found: WholeEntry[] = [];
  const reader = extract();
  reader.end(archive);
  for await (const one of reader) {
    const { name, type, linkname, mode = 0, uid = 0, gid = 0, mtime, size = 0, pax } = one.header;
    const [kind] = Object.entries(types).find(([, theirs]) => theirs === type) ?? [];
    const xattrs = Object.entries(pax ?? {}).flatMap(([key, value]) =>
      key.startsWith('SCHILY.xattr.')
        ? [[key.slice('SCHILY.xattr.'.length), Buffer.from(value)] as const]
        : [],
    );
    found.push({
      entry: {
        path: fromText(name.replace(/\/$/, '')),
        type: kind as WholeEntry['entry']['type'],
        ...{ mode, uid, gid, size, mtime: (mtime?.getTime() ?? 0) / 1000 },
        ...(linkname ? { link: fromText(linkname) } : {}),
        xattrs: new Map(xattrs),
      },
      content: await collect(one as AsyncIterable<Uint8Array>),
    });
  }
  return found;
}

/** An archive that tar-stream writes. */
async function writtenByTarStream(items: readonly WholeEntry[]): Promise<Buffer> {
  const writer = pack();
  for (const { entry, content } of items) {
    const { path, type, mode, uid, gid, mtime, link: to, xattrs } = entry;
    const pax = Object.fromEntries(
      [...(xattrs ?? [])].map(([name, value]) => [`SCHILY.xattr.${name}`, value.toString()]),
    );
    const header: Partial<Header> & { name: string } = {
      name: text(path),
      type: types[type],
      ...{ mode, uid, gid, mtime: new Date(mtime * 1000) },
      ...(to === undefined ? {} : { linkname: text(to) }),
      ...(xattrs === undefined ? {} : { pax }),
    };
    if (type === 'file') writer.entry(header, content);
    else writer.entry(header);
  }
  writer.finalize();
  return collect(writer as AsyncIterable<Uint8Array>);
}

/** The entries of an archive, as we read them. */
async function read(archive: Uint8Array): Promise<WholeEntry[]> {
  const found: WholeEntry[] = [];
  for await (const { entry, content } of readTar(chunked(archive, 700)))
    found.push({ entry, content: await collect(content) });
  return found;
}

const archive = (items: readonly WholeEntry[]): Promise<Buffer> => collect(writeTar(sourceOf(items)));
const several = fc.array(wholeEntry, { maxLength: 8 });

describe('with tar-stream', () => {
  test('it reads what we write', async () => {
    await fc.assert(
      fc.asyncProperty(several, async (items) => {
        assert.deepEqual((await readByTarStream(await archive(items))).map(shown), items.map(shown));
      }),
      { numRuns: 60 },
    );
  });

  test('we read what it writes', async () => {
    // It writes a mode of its own in place of 0, and takes times for numbers of 32 bits.
    const some = several.map((items) =>
      items.map(({ entry, content }) => ({
        entry: { ...entry, mode: entry.mode || 0o400, mtime: Math.min(entry.mtime, 2 ** 31 - 1) },
        content,
      })),
    );
    await fc.assert(
      fc.asyncProperty(some, async (items) => {
        assert.deepEqual((await read(await writtenByTarStream(items))).map(shown), items.map(shown));
      }),
      { numRuns: 60 },
    );
  });

  test('what it cannot represent arrives damaged, and undamaged with ours', async () => {
    const items = [
      file('large-id', '', { uid: 2_097_151, gid: 4_294_967_294 }),
      file('caf\xe9', ''),
      file('binary', '', {
        xattrs: new Map([['security.capability', Buffer.from('0100000220ff0080', 'hex')]]),
      }),
    ];
    const whole = await archive(items);
    assert.deepEqual((await read(whole)).map(shown), items.map(shown));
    const byTarStream = [await read(await writtenByTarStream(items)), await readByTarStream(whole)];
    for (const [i, item] of items.entries())
      assert.ok(
        byTarStream.some((found) => found[i] === undefined || !isEqual(shown(found[i]), shown(item))),
        `tar-stream represents ${item.entry.path} now: see docs/decisions/0003-tar.md`,
      );
  });
});

function isEqual(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
