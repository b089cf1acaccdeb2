import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setAttributeSync } from '@napi-rs/xattr';
import fc from 'fast-check';
import { type ExtractOptions, extractLayer, ImageError, removeFolder } from '../../../src/image/index.ts';
import { attributeNames } from '../../../src/tar/index.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { chunked } from '../../support/stream.ts';

const isRoot = process.getuid?.() === 0;

/** Everything that can be seen of what lies in a folder, but for one name. */
function listing(folder: string, but: string): string[] {
  const lines: string[] = [];
  const visit = (path: string): void => {
    const { mode, uid, gid, nlink, size, mtimeMs, ctimeMs, rdev } = lstatSync(path);
    const isFolder = (mode & 0o170000) === 0o040000;
    const isFile = (mode & 0o170000) === 0o100000;
    const link = (mode & 0o170000) === 0o120000 ? readlinkSync(path) : '';
    const content = isFile ? readFileSync(path, 'utf8') : '';
    const attributes = attributeNames({ path, isFolder }).join();
    // The root comes and goes in the folder itself.
    const more = path === folder ? '' : `${nlink} ${size} ${mtimeMs} ${ctimeMs}`;
    lines.push([path, mode, uid, gid, more, rdev, link, content, attributes].join(' '));
    if (isFolder) for (const name of readdirSync(path).sort()) if (name !== but) visit(join(path, name));
  };
  visit(folder);
  return lines;
}

const part = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom('a', 'b', 'c', 'd') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '..',
      '.',
      '',
      'canary',
      '.wh.',
      '.wh..',
      '.wh...',
      '.wh..wh.plnk',
      '\xff',
      'ä',
      "it's",
      '-r',
      '$(x)\n',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('n'.repeat(255), 'n'.repeat(256)) },
);
const whiteout = fc.constantFrom('.wh.a', '.wh.b', '.wh.c', '.wh..wh..opq');
const path = fc
  .tuple(
    fc.array(part, { maxLength: 3 }),
    fc.oneof({ weight: 8, arbitrary: part }, { weight: 1, arbitrary: whiteout }),
  )
  .map(([parts, last]) => [...parts, last].join('/'));
const name = fc.oneof(
  { weight: 40, arbitrary: path },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom('/', './', '../', '/../', 'CANARY/'), path).map((p) => p.join('')),
  },
  { weight: 1, arbitrary: fc.constantFrom('.', './', '/', '', 'CANARY/file') },
);
const target = fc.oneof(
  path,
  fc.constantFrom(
    '..',
    '../canary',
    '../canary/file',
    '../../canary/file',
    '/',
    'CANARY',
    'CANARY/file',
    'CANARY/folder',
    '.',
    'a',
    'a/b',
  ),
);
const entry: fc.Arbitrary<RawEntry> = fc.record(
  {
    name,
    flag: fc.oneof(
      { weight: 24, arbitrary: fc.constantFrom('0', '5', '2') },
      { weight: 2, arbitrary: fc.constant('1') },
      { weight: 1, arbitrary: fc.constantFrom('6', '3', '4') },
    ),
    link: target,
    mode: fc.constantFrom(0o644, 0o755, 0o4755, 0o000, 0o7777),
    uid: fc.constantFrom(0, 0, 1000, 2_097_151),
    content: fc.constantFrom('', 'content'),
    major: fc.constantFrom(0, 1, 8),
    minor: fc.constantFrom(0, 3),
    pax: fc.oneof(
      { weight: 20, arbitrary: fc.constant({}) },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          { 'SCHILY.xattr.user.x': 'y' },
          { 'SCHILY.xattr.trusted.overlay.opaque': 'y' },
          { 'SCHILY.xattr.trusted.overlay.redirect': '/../canary' },
        ),
      },
      { weight: 1, arbitrary: fc.constant({ 'SCHILY.xattr.security.capability': 'nonsense' }) },
    ),
  },
  { requiredKeys: ['name', 'flag', 'link'] },
);

/** A scratch folder with files that must stay as they are, some of them below the root's lower layer. */
function scratch(): { folder: string; lower: string } {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-hostile-'));
  for (const made of ['canary/folder', 'lower/a/b']) mkdirSync(join(folder, made), { recursive: true });
  writeFileSync(join(folder, 'canary/file'), 'as it was');
  writeFileSync(join(folder, 'canary/folder/b'), 'as it was');
  writeFileSync(join(folder, 'lower/a/c'), 'lower');
  symlinkSync('../canary', join(folder, 'lower/b'));
  symlinkSync(join(folder, 'canary/file'), join(folder, 'lower/c'));
  if (isRoot) setAttributeSync(join(folder, 'canary/file'), 'user.mine', 'yes');
  return { folder, lower: join(folder, 'lower') };
}

const forms: readonly ExtractOptions[] = [
  { form: 'plain' },
  ...(isRoot ? ([{ form: 'overlay' }, { form: 'overlay-user' }] as const) : []),
  { form: 'plain', owners: 'none', devices: 'skip' },
];

test('whatever an archive says, nothing outside the root changes', async () => {
  const { folder, lower } = scratch();
  const root = join(folder, 'root');
  const outside = listing(folder, 'root');
  let extracted = 0;
  let refused = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(entry, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 2 }),
        fc.constantFrom(...forms),
        fc.boolean(),
        async (layers, form, hasLink) => {
          // After a failure, before the next try.
          removeFolder(root);
          mkdirSync(root);
          // What an earlier image may have left where the next one is laid over it.
          if (hasLink && form.form === 'plain') symlinkSync('../canary', join(root, 'd'));
          for (const entries of layers) {
            const place = (text: string) => text.replace('CANARY', join(folder, 'canary'));
            const archive = rawTar(
              entries.map((e) => ({
                ...e,
                content: e.flag === '0' ? (e.content ?? '') : '',
                name: place(e.name),
                link: place(e.link ?? ''),
              })),
            );
            const lowers = form.form === 'plain' ? [] : [lower];
            try {
              const options = isRoot ? form : ({ ...form, owners: 'none', devices: 'skip' } as const);
              await extractLayer(chunked(archive, 700), root, { ...options, lowers });
              extracted++;
            } catch (error) {
              // Refused, never broken.
              if (!(error instanceof ImageError)) throw error;
              refused++;
            }
            assert.deepEqual(listing(folder, 'root'), outside);
          }
          removeFolder(root);
          assert.deepEqual(listing(folder, 'root'), outside);
        },
      ),
      { numRuns: Number(process.env.LUET_TS_TEST_RUNS ?? 150) },
    );
    // Else the test would look at nothing.

    assert.ok(extracted > 50 && refused > 20, `${extracted} extracted, ${refused} refused`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

async function inRoot(work: (root: string, folder: string) => Promise<void>): Promise<void> {
  const { folder } = scratch();
  const root = join(folder, 'root');
  mkdirSync(root);
  const outside = listing(folder, 'root');
  try {
    await work(root, folder);
    assert.deepEqual(listing(folder, 'root'), outside);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const owners = 'none';
const dir = (name: string): RawEntry => ({ name, flag: '5', mode: 0o755 });
const file = (name: string, content = ''): RawEntry => ({ name, flag: '0', content });
const symlink = (name: string, link: string): RawEntry => ({ name, flag: '2', link });
const hardlink = (name: string, link: string): RawEntry => ({ name, flag: '1', link });

test('links that point outside of the root lead to a place within it', () =>
  inRoot(async (root, folder) => {
    const entries = [
      symlink('d', '../canary'),
      file('d/new', '1'),
      dir('e'),
      symlink('e/f', '/'),
      file('e/f/etc/new', '2'),
      symlink('g', join(folder, 'canary')),
      file('g/file', '3'),
    ];
    await extractLayer(chunked(rawTar(entries)), root, { owners });
    assert.equal(readFileSync(join(root, 'canary/new'), 'utf8'), '1');
    assert.equal(readFileSync(join(root, 'etc/new'), 'utf8'), '2');
    assert.equal(readFileSync(join(root, folder, 'canary/file'), 'utf8'), '3');
    assert.ok(lstatSync(join(root, 'd')).isSymbolicLink());
  }));

test('a path through a link of an earlier layer turns the link into a folder', () =>
  inRoot(async (root) => {
    const first = rawTar([symlink('d', '../canary'), dir('e'), symlink('e/f', '/')]);
    await extractLayer(chunked(first), root, { owners });
    await extractLayer(chunked(rawTar([file('d/new', '1'), file('e/f/etc/new', '2')])), root, { owners });
    assert.equal(readFileSync(join(root, 'd/new'), 'utf8'), '1');
    assert.equal(readFileSync(join(root, 'e/f/etc/new'), 'utf8'), '2');
    assert.ok(lstatSync(join(root, 'd')).isDirectory());
  }));

test('a folder that was replaced by a link after it was used is not used again', () =>
  inRoot(async (root) => {
    const entries = [
      dir('a'),
      file('a/one'),
      symlink('a', '../canary'),
      file('a/file', 'new'),
      symlink('a/x', '..'),
      file('a/x/y'),
    ];
    await extractLayer(chunked(rawTar(entries)), root, { owners });
    assert.deepEqual(readdirSync(root).sort(), ['a', 'canary', 'y']);
    assert.deepEqual(readdirSync(join(root, 'canary')).sort(), ['file', 'x']);
  }));

test('links to what is outside are refused, and absolute ones mean the root', () =>
  inRoot(async (root, folder) => {
    for (const entries of [
      [hardlink('x', '../canary/file')],
      [hardlink('x', join(folder, 'canary/file'))],
      [symlink('d', '../canary'), hardlink('x', 'd/file')],
      [symlink('d', join(folder, 'canary')), hardlink('x', 'd/file')],
      [hardlink('x', 'x')],
      [dir('x'), hardlink('y', 'x')],
      [dir('x'), file('x/y'), hardlink('x', 'x/y')],
    ])
      await assert.rejects(extractLayer(chunked(rawTar(entries)), root, { owners }), ImageError);
    await extractLayer(chunked(rawTar([file('/usr/a', 'A'), hardlink('b', '/usr/a')])), root, { owners });
    assert.equal(lstatSync(join(root, 'b')).ino, lstatSync(join(root, 'usr/a')).ino);
  }));

test('more than the limits, cut archives, and aborts are errors', () =>
  inRoot(async (root) => {
    const archive = rawTar([file('a', 'four'), file('b', 'four'), dir('c')]);
    const extract = (bytes: Buffer, options: ExtractOptions) =>
      extractLayer(chunked(bytes, 512), root, { owners, ...options });
    await extract(archive, { limits: { entries: 3, bytes: 8 } });
    await assert.rejects(extract(archive, { limits: { entries: 2 } }), /exceeds the limit of 2 entries/);
    await assert.rejects(extract(archive, { limits: { bytes: 7 } }), /exceeds the limit of 7 bytes/);
    const devices = rawTar([{ name: 'd', flag: '3', major: 1, minor: 3 }]);
    await assert.rejects(extract(devices, { limits: { devices: 0 } }), /exceeds the limit of 0 devices/);
    assert.equal((await extract(devices, { devices: 'skip' })).skippedDevices, 1);
    // In a header, and in the padding behind content.
    await assert.rejects(extract(archive.subarray(0, 1100), {}), ImageError);
    await assert.rejects(extract(archive.subarray(0, 700), {}), ImageError);
    await assert.rejects(extract(rawTar([{ ...file('a', 'x'), size: 5000 }]), {}), ImageError);
    const name = `${'n/'.repeat(2100)}n`;
    await assert.rejects(extract(rawTar([file(name)]), {}), ImageError);
    await assert.rejects(extract(archive, { signal: AbortSignal.abort(new Error('stop')) }), /stop/);
  }));

test(
  'an owner that cannot be given is told of',
  { skip: isRoot ? 'root gives files to anybody' : false },
  () =>
    inRoot(async (root) => {
      const archive = rawTar([{ ...file('o'), uid: 7 }]);
      await assert.rejects(extractLayer(chunked(archive), root), /cannot give "o" to its owner/);
    }),
);
