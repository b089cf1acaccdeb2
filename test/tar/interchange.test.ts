import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { type BytePath, fromBytes, readTar, toBytes, writeTar } from '../../src/tar/index.ts';
import { chunked, collect, directory, file, link, sourceOf, type WholeEntry } from '../support/stream.ts';
import { run, without } from '../support/tool.ts';

const capability = Buffer.from('01000002802c0000802c00000000000000000000', 'hex');
const isRoot = process.getuid?.() === 0;

/** What every reader of ustar can take. */
const simple: readonly WholeEntry[] = [
  directory('usr', { mode: 0o755 }),
  directory('usr/share', { mode: 0o1777 }),
  file('usr/share/empty'),
  file('usr/share/block', 'b'.repeat(512)),
  file('usr/share/more', 'm'.repeat(70_000), { mode: 0o600, mtime: 315_532_800 }),
  file('usr/share/set-id', '#!', { mode: 0o4755 }),
  link('symlink', 'usr/share/symlink', '../../etc/no such'),
  link('hardlink', 'usr/share/zhard', 'usr/share/more'),
  file('usr/sp ace\nnew\tline', 'odd'),
  file('usr/\xe2\x98\x83', 'snow'),
  file('usr/\xff\xfe', 'bytes'),
  file(`usr/${'l'.repeat(80)}/${'m'.repeat(80)}`, 'split'),
  file(`${'p'.repeat(150)}/${'n'.repeat(100)}`, 'split'),
];

/** What needs PAX, or root to unpack. */
const hard: readonly WholeEntry[] = [
  {
    entry: { ...directory('dev').entry, type: 'fifo', path: 'a-fifo', mode: 0o640 },
    content: Buffer.alloc(0),
  },
  {
    entry: { ...file('dev-c').entry, type: 'character', device: { major: 5, minor: 300_000 } },
    content: Buffer.alloc(0),
  },
  {
    entry: { ...file('dev-d').entry, type: 'block', device: { major: 259, minor: 1 } },
    content: Buffer.alloc(0),
  },
  file('e-cap', 'x', { xattrs: new Map([['security.capability', capability]]) }),
  file('f-ids', 'x', { uid: 3_000_000, gid: 4_000_000_000 }),
  file(`g/${'\xff'.repeat(200)}`, 'long and no UTF-8'),
  file(`h/${'\xc3\xa9'.repeat(120)}`, 'long and UTF-8'),
  link('symlink', 'i-link', `/${'\xfe'.repeat(120)}`),
  link('hardlink', 'j-link', `h/${'\xc3\xa9'.repeat(120)}`),
  file('k-time', '', { mtime: 2 ** 33 + 5 }),
];
const all = [...simple, ...hard];

const archive = (items: readonly WholeEntry[]): Promise<Buffer> => collect(writeTar(sourceOf(items)));

/** What an entry must look like in another reader's listing. */
function listed({ entry, content }: WholeEntry) {
  return {
    path: entry.path,
    type: entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtime: entry.mtime,
    link: entry.link ?? '',
    device: [entry.device?.major ?? 0, entry.device?.minor ?? 0],
    sha256: entry.type === 'file' ? createHash('sha256').update(content).digest('hex') : '',
  };
}

const jsonLines = (output: Buffer): unknown[] =>
  output
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

const reader = (name: string): string => join(import.meta.dirname, 'readers', name);

test("Python's tarfile reads what we write", { skip: without('python3') }, async () => {
  const output = await run(['python3', reader('list.py')], { input: await archive(all) });
  assert.deepEqual(jsonLines(output), all.map(listed));
});

test("Go's archive/tar reads what we write", { skip: without('go') }, async () => {
  const output = await run(['go', 'run', reader('list.go')], { input: await archive(all) });
  const xattrs = (one: WholeEntry) =>
    Object.fromEntries([...(one.entry.xattrs ?? [])].map(([key, value]) => [key, value.toString('latin1')]));
  assert.deepEqual(
    jsonLines(output),
    all.map((one) => ({ ...listed(one), xattrs: xattrs(one) })),
  );
});

/** A folder that is gone after the test. */
function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const inside = (folder: string, path: BytePath): Buffer =>
  Buffer.concat([Buffer.from(`${folder}/`), toBytes(path)]);

/** Checks that a folder holds these entries, as far as this user can have unpacked them. */
function assertUnpacked(folder: string, items: readonly WholeEntry[]): void {
  for (const { entry, content } of items) {
    const at = inside(folder, entry.path);
    const stat = lstatSync(at);
    if (entry.type === 'symlink') {
      assert.equal(fromBytes(readlinkSync(at, { encoding: 'buffer' })), entry.link);
      continue;
    }
    if (entry.type === 'hardlink') {
      assert.equal(stat.ino, lstatSync(inside(folder, entry.link ?? '')).ino);
      continue;
    }
    assert.equal(stat.mode & 0o7777, entry.mode, entry.path);
    assert.equal(stat.isDirectory(), entry.type === 'directory');
    assert.equal(stat.isFIFO(), entry.type === 'fifo');
    if (entry.type !== 'directory') assert.equal(Math.floor(stat.mtimeMs / 1000), entry.mtime, entry.path);
    if (entry.type === 'file') assert.deepEqual(readFileSync(at), content);
    if (isRoot) assert.deepEqual([stat.uid, stat.gid], [entry.uid, entry.gid]);
  }
}

const unpackable = isRoot ? all : all.filter(({ entry }) => entry.device === undefined && entry.uid === 0);

test('GNU tar unpacks what we write', { skip: without('tar') }, async (t) => {
  const folder = scratch(t);
  await run(['tar', '-xp', '-f', '-', '-C', folder], { input: await archive(unpackable) });
  assertUnpacked(folder, unpackable);
});

test('BusyBox tar unpacks what ustar can hold', { skip: without('busybox') }, async (t) => {
  const folder = scratch(t);
  await run(['busybox', 'tar', '-xp', '-f', '-', '-C', folder], { input: await archive(simple) });
  assertUnpacked(folder, simple);
});

test('bsdtar unpacks what we write', { skip: without('bsdtar') }, async (t) => {
  const folder = scratch(t);
  await run(['bsdtar', '-xp', '-f', '-', '-C', folder], { input: await archive(unpackable) });
  assertUnpacked(folder, unpackable);
});

for (const format of ['v7', 'ustar', 'oldgnu', 'gnu', 'posix']) {
  test(`what GNU tar writes as ${format} is read`, { skip: without('tar') }, async (t) => {
    const folder = scratch(t);
    const fits = (one: WholeEntry): boolean =>
      format === 'gnu' ||
      format === 'oldgnu' ||
      format === 'posix' ||
      one.entry.path.length < (format === 'v7' ? 97 : 200);
    const items = simple.filter(fits);
    await run(['tar', '-xp', '-f', '-', '-C', folder], { input: await archive(items) });
    const bytes = await run(['tar', '-c', `--format=${format}`, '--sort=name', '.'], { cwd: folder });
    const found = new Map<string, WholeEntry>();
    for await (const { entry, content } of readTar(chunked(bytes, 333)))
      found.set(entry.path, { entry, content: await collect(content) });
    assert.equal(found.get('')?.entry.type, 'directory');
    for (const one of items) {
      const other = found.get(one.entry.path);
      assert.ok(other, one.entry.path);
      // GNU tar takes whichever name of a file it meets first.
      const isLinked = one.entry.type === 'hardlink' || other.entry.type === 'hardlink';
      assert.equal(other.entry.link, isLinked ? other.entry.link : one.entry.link);
      if (isLinked) continue;
      assert.equal(other.entry.type, one.entry.type);
      if (one.entry.type !== 'symlink') assert.equal(other.entry.mode, one.entry.mode);
      assert.deepEqual(other.content, one.content);
    }
    assert.ok(found.size >= items.length && readdirSync(folder).length > 0);
  });
}
