import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ArchiveError, type Entry, readTar, writeTar } from '../../src/tar/index.ts';
import { rawTar } from '../support/raw-tar.ts';
import { chunked, collect, directory, file, link, sourceOf, type WholeEntry } from '../support/stream.ts';
import { item } from './arbitrary.ts';

const write = (items: Iterable<WholeEntry>): Promise<Buffer> => collect(writeTar(sourceOf(items)));

async function read(bytes: Uint8Array, ...lengths: number[]): Promise<WholeEntry[]> {
  const items: WholeEntry[] = [];
  for await (const { entry, content } of readTar(chunked(bytes, ...lengths)))
    items.push({ entry, content: await collect(content) });
  return items;
}

test('what is written is read again, however the bytes arrive', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(item, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 }),
      async (items, lengths) => {
        const bytes = await write(items);
        assert.equal(bytes.length % 512, 0);
        assert.deepEqual(await read(bytes, ...lengths), items);
      },
    ),
    { numRuns: 300 },
  );
});

test('content that is not read is skipped', async () => {
  const bytes = await write([file('a', 'x'.repeat(5000)), file('b', 'y'.repeat(512)), directory('c')]);
  const seen: string[] = [];
  for await (const { entry, content } of readTar(chunked(bytes, 700))) {
    seen.push(entry.path);
    if (entry.path === 'a') for await (const _ of content) break;
  }
  assert.deepEqual(seen, ['a', 'b', 'c']);
});

test('content cannot be read once the next entry was asked for', async () => {
  const bytes = await write([file('a', 'x'), file('b', 'y')]);
  const reader = readTar(chunked(bytes));
  const first = await reader.next();
  await reader.next();
  assert.ok(!first.done);
  await assert.rejects(collect(first.value.content), /after the next entry/);
});

test('a reader that is left early closes its source', async () => {
  let isClosed = false;
  async function* source() {
    try {
      yield await write([file('a', 'x'), file('b')]);
      yield Buffer.alloc(512);
    } finally {
      isClosed = true;
    }
  }
  for await (const _ of readTar(source())) break;
  assert.ok(isClosed);
});

test('PAX headers stand only where ustar cannot hold a value', async () => {
  const blocks = async (more: Partial<Entry> & { path: string }) =>
    (await write([file(more.path, '', more)])).length / 512 - 2;
  const long = `${'p'.repeat(155)}/${'n'.repeat(100)}`;
  assert.equal(await blocks({ path: 'a' }), 1);
  assert.equal(await blocks({ path: 'caf\xe9' }), 1);
  assert.equal(await blocks({ path: long, uid: 0o7777777, mtime: 0o77777777777 }), 1);
  assert.equal(await blocks({ path: `p${long}` }), 3);
  assert.equal(await blocks({ path: 'n'.repeat(101) }), 3);
  assert.equal(await blocks({ path: 'a', uid: 0o10000000 }), 3);
  assert.equal(await blocks({ path: 'a', mtime: -1 }), 3);
});

test('a PAX record counts the digits of its own length', async () => {
  for (let length = 95; length < 110; length++) {
    const path = `d/${'x'.repeat(length)}`;
    assert.equal((await read(await write([file(path)])))[0]?.entry.path, path);
  }
});

test('a size beyond the octal field is written and read', async () => {
  const size = 2 ** 33 + 5;
  const source = writeTar(sourceOf([file('big', '', { size })]));
  const header: Uint8Array[] = [];
  for await (const chunk of source) {
    header.push(chunk);
    break;
  }
  for await (const { entry } of readTar(chunked(Buffer.concat(header)))) {
    assert.equal(entry.size, size);
    break;
  }
});

test('what cannot be archived is refused', async () => {
  const refused = async (one: WholeEntry, why: RegExp) => assert.rejects(write([one]), why);
  for (const path of ['', '/a', 'a/', '.', './a', 'a/../b', 'a//b', 'a\0b', 'a\u0100'])
    await refused(file(path), /must be relative/);
  await refused(file('a', 'abc', { size: 2 }), /more bytes/);
  await refused(file('a', 'abc', { size: 4 }), /fewer bytes/);
  await refused(directory('a', { size: 1 }), /only files can/);
  await refused(link('symlink', 'a', ''), /target/);
  await refused(link('hardlink', 'a', '../b'), /target/);
  await refused(file('a', '', { mode: 0o100644 }), /mode/);
  await refused(file('a', '', { mtime: 1.5 }), /whole seconds/);
});

/** A header block with some bytes replaced and the checksum made right. */
async function forged(one: WholeEntry, changes: Readonly<Record<number, string>>): Promise<Buffer> {
  const bytes = await write([one]);
  for (const [at, text] of Object.entries(changes)) bytes.write(text, Number(at), 'latin1');
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((a, b) => a + b, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

/** A PAX record of fewer than 100 bytes. */
const record = (text: string): string => {
  const length = text.length + 3;
  return `${length < 10 ? length : length + 1} ${text}\n`;
};

/** An archive whose one entry has this PAX header. */
async function withPax(body: string, size = body.length): Promise<Buffer> {
  const header = await forged(file('PaxHeader', body), {
    156: 'x',
    124: `${size.toString(8).padStart(11, '0')}\0`,
  });
  return Buffer.concat([header.subarray(0, -1024), await write([file('a', 'abc')])]);
}

test('hostile archives are refused', async () => {
  const refused = async (bytes: Promise<Buffer> | Buffer, why: RegExp) =>
    assert.rejects(read(await bytes), (error) => error instanceof ArchiveError && why.test(error.message));
  const good = await write([file('a', 'abc'), file('b', 'def')]);
  for (const length of [0, 100, 512, 515, 1024, 1300, 2048])
    await refused(good.subarray(0, length), /unexpected end of the archive/);
  const flipped = Buffer.from(good);
  flipped[0] = 0x62;
  await refused(flipped, /checksum/);
  await refused(forged(file('abc'), { 0: '/etc' }), /leads out/);
  await refused(forged(file('abcdefgh'), { 0: 'a/../../b' }), /leads out/);
  await refused(forged(file('abc'), { 0: '../' }), /leads out/);
  await refused(forged(file('abc'), { 156: 'S' }), /sparse/);
  await refused(forged(file('abc'), { 156: 'Z' }), /unknown type/);
  await refused(forged(file('abc'), { 156: '2' }), /missing target/);
  await refused(forged(link('hardlink', 'a', 'bcdef'), { 157: '/etc' }), /leads out/);
  await refused(forged(file('abc'), { 124: '0000000009x' }), /malformed number/);
  await refused(forged(file('abc'), { 124: '\xff'.repeat(12) }), /negative/);
  await refused(forged(file('abc'), { 124: `\x80${'\xff'.repeat(11)}` }), /too large/);
  await refused(withPax(record('path=a\0b')), /NUL/);
  await refused(withPax(record('path=../x')), /leads out/);
  await refused(write([file('a'.repeat(5000))]), /name is too long/);
  await refused(write([link('symlink', 'a', 'b'.repeat(5000))]), /name is too long/);
  await refused(withPax(record('=abcd')), /missing key/);
  await refused(withPax(record('size=-1')), /malformed size/);
  await refused(withPax(record('size=99999999999999999999')), /malformed size/);
  await refused(withPax(record('GNU.sparse.major=1')), /sparse/);
  await refused(withPax(record('size=9999')), /unexpected end of the archive/);
  for (const body of ['8 path=a\n', '11 path=a\n', '999999 path=a\n', '0 path=a\n', 'path=a\n', '9 path=abc'])
    await refused(withPax(body), /wrong length/);
  await refused(withPax('', 2 ** 32), /too long/);
});

/** The entries of bytes that something vouches for. */
async function readOpen(bytes: Buffer): Promise<string[]> {
  const paths: string[] = [];
  for await (const { entry, content } of readTar(chunked(bytes, 300), { allowMissingEnd: true })) {
    let length = 0;
    for await (const chunk of content) length += chunk.length;
    paths.push(`${entry.path} ${length}`);
  }
  return paths;
}

test('an end behind an entry is an end where that was asked for, and one within an entry is not', async () => {
  const good = await write([file('a', 'abc'), file('b', 'def')]);
  assert.deepEqual(await readOpen(good.subarray(0, 2048)), ['a 3', 'b 3']);
  assert.deepEqual(await readOpen(good.subarray(0, 2560)), ['a 3', 'b 3']);
  assert.deepEqual(await readOpen(good.subarray(0, 1024)), ['a 3']);
  assert.deepEqual(await readOpen(Buffer.alloc(0)), []);
  for (const length of [100, 511, 513, 515, 1023, 1300, 2047])
    await assert.rejects(readOpen(good.subarray(0, length)), /unexpected end of the archive/);
});

test('entries behind an empty block are not left out in silence', async () => {
  const one = await write([file('a', 'abc')]);
  const gap = Buffer.concat([one.subarray(0, 1024), Buffer.alloc(512), one]);
  await assert.rejects(read(gap), /empty block between entries/);
  await assert.rejects(readOpen(gap), /empty block between entries/);
  // Two are the end, whatever comes then.
  assert.deepEqual(await readOpen(Buffer.concat([one, one])), ['a 3']);
});

test('names that lead upwards mean the root where the archive has one', async () => {
  const name = async (written: string) => {
    const one = await forged(directory('x'.repeat(20)), { 0: written.padEnd(22, '\0') });
    const paths: string[] = [];
    for await (const { entry } of readTar(chunked(one), { rooted: true })) paths.push(entry.path);
    return paths.join();
  };
  assert.equal(await name('/a'), 'a');
  assert.equal(await name('../a'), 'a');
  assert.equal(await name('a/../../b/./c/..'), 'b');
  assert.equal(await name('/..'), '');
  const link1 = await forged(link('hardlink', 'a', 'bcdefghij'), { 157: '../x/../b' });
  for await (const { entry } of readTar(chunked(link1), { rooted: true })) assert.equal(entry.link, 'b');
});

test('a slash at the end makes a folder of what writers without flags wrote, and of nothing else', async () => {
  const types = async (flag: string) => {
    const bytes = await forged(file('abcd', 'x'), { 0: 'abc/', 156: flag });
    return (await read(bytes)).map(({ entry, content }) => `${entry.path} ${entry.type} ${content}`);
  };
  assert.deepEqual(await types('0'), ['abc file x']);
  const [old] = await read(await forged(file('abcd'), { 0: 'abc/', 156: '\0' }));
  assert.deepEqual([old?.entry.path, old?.entry.type], ['abc', 'directory']);
});

test('names lose what means nothing', async () => {
  const name = async (written: string) => {
    const one = await forged(directory('x'.repeat(20)), { 0: written.padEnd(22, '\0') });
    return (await read(one))[0]?.entry.path;
  };
  assert.equal(await name('./'), '');
  assert.equal(await name('./a/b/'), 'a/b');
  assert.equal(await name('a//b/./c'), 'a/b/c');
  assert.equal(await name('..a/b..'), '..a/b..');
});

test('global headers are ignored, empty records withdraw', async () => {
  const pax = await withPax(record('mtime=') + record('uid='));
  assert.equal((await read(pax))[0]?.entry.mtime, 1_000_000_000);
  const global = Buffer.from(await withPax(record('comment=something')));
  global.write('g', 156, 'latin1');
  const sum = Number.parseInt(global.toString('latin1', 148, 154), 8) - 'x'.charCodeAt(0) + 'g'.charCodeAt(0);
  global.write(sum.toString(8).padStart(6, '0'), 148, 'latin1');
  assert.equal((await read(global))[0]?.entry.path, 'a');
});

test('fractions of seconds are cut towards the past', async () => {
  assert.equal((await read(await withPax(record('mtime=1.999'))))[0]?.entry.mtime, 1);
  assert.equal((await read(await withPax(record('mtime=-0.5'))))[0]?.entry.mtime, -1);
});

test('extended headers without end take no memory without end', async () => {
  let given = 0;
  async function* endless() {
    for (let i = 0; ; i++) {
      const value = 'v'.repeat(100_000);
      given += value.length;
      yield rawTar([{ name: 'a', flag: '0', pax: { [`SCHILY.xattr.user.${i}`]: value } }], false).subarray(
        0,
        -512,
      );
    }
  }
  await assert.rejects(async () => {
    for await (const _ of readTar(endless()));
  }, /too long/);
  assert.ok(given < 10_000_000);
});
