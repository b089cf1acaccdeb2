import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { contextEntries } from '../../src/execute/upload.ts';
import { type ContextFile, RetrieveError, readContext, retrieve } from '../../src/resolve/index.ts';
import { packingOf } from '../../src/resolve/unpack.ts';
import { type RawEntry, rawTar } from '../support/raw-tar.ts';
import { collect } from '../support/stream.ts';
import { without } from '../support/tool.ts';

/** A folder with these files. */
function folder(t: TestContext, files: Readonly<Record<string, Uint8Array>>): string {
  const path = mkdtempSync(join(tmpdir(), 'luet-ts-unpack-'));
  t.after(() => rmSync(path, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(path, name), bytes);
  return path;
}

/** What comes to lie in the build folder, a line each, without the folder itself. */
async function rows(
  path: string,
  context: readonly ContextFile[] = [],
  from = path,
  glob = '*',
): Promise<string[]> {
  const { files } = await retrieve(path, [glob], new Set());
  const found: string[] = [];
  for await (const { entry, content } of await contextEntries(from, { files: context }, files, 77)) {
    const { path: at, type, mode, uid, gid, mtime, link } = entry;
    const text =
      content === undefined
        ? ''
        : (await collect(typeof content === 'function' ? content() : content)).toString();
    const isArchive = text.includes('ustar') || /[^\x20-\x7e\n]/.test(text);
    const said = link ?? (isArchive ? '…' : text.trim());
    if (at !== 'luetbuild')
      found.push(
        `${type} ${at.slice('luetbuild/'.length)} ${mode.toString(8)} ${uid}:${gid} ${mtime} ${said}`.trim(),
      );
  }
  return found.sort();
}

const inside: readonly RawEntry[] = [
  { name: './', flag: '5', mode: 0o700, uid: 9 },
  { name: './d/', flag: '5', mode: 0o2750, uid: 12, gid: 34, mtime: 5 },
  { name: './d/one', flag: '0', mode: 0o4755, uid: 12, gid: 34, mtime: 5, content: 'two\n' },
  { name: './hard', flag: '1', link: './d/one', mode: 0o4755, uid: 12, gid: 34, mtime: 5 },
  { name: './link', flag: '2', link: '/etc/passwd', mode: 0o777, mtime: 6 },
  { name: './pipe', flag: '6', mtime: 6 },
  { name: './null', flag: '3', major: 1, minor: 3, mtime: 6 },
];
const unpacked = [
  'character null 644 0:0 6',
  'directory d 2750 12:34 5',
  'fifo pipe 644 0:0 6',
  'file d/one 4755 12:34 5 two',
  'hardlink hard 4755 12:34 5 luetbuild/d/one',
  'symlink link 777 0:0 6 /etc/passwd',
];

/** An archive of `d/one` by bzip2 and xz, which Node cannot write: `tar | bzip2 -9`, `tar | xz -9e`. */
const bzip2 =
  'QlpoOTFBWSZTWUe4YrIAAIv7gOGQAARAAP+AAAlmAZ6ABAggAHQSlMIaBo0ZBo9QSUQaNqMgAA+2tmzFSQEYJIRdKdjiZJ7iJAQhwHD2ORh0NeIiTo8QaQkTYEThrhrIRpe6DLEKnK1kvfoopcphiIgfi7kinChII9wxWQA=';
const xz =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/AG5dADILvBunjDRE4cIHddN1Y1zfOhMHWu4XEVTytA9rPsxQ9UYTjRK0J0TA2WVRV9WntCg35QnNERZg5Pz9hogD5GHB6lv/B2N7WyJHkwf/g8pv2SaygFpPfqscewREWpkuBM2Fjycu3g3jhHYKjLgAAAAAv1K27akK0i4AAYoBgFAAAFhS+8CxxGf7AgAAAAAEWVo=';

for (const [name, pack] of [
  ['plain', (bytes: Buffer) => bytes],
  ['gzip', gzipSync],
  [
    'gzip in two members',
    (bytes: Buffer) => Buffer.concat([gzipSync(bytes.subarray(0, 600)), gzipSync(bytes.subarray(600))]),
  ],
  ['zstd', zstdCompressSync],
] as const) {
  test(`a retrieved archive is unpacked beside itself, whatever it is called (${name})`, async (t) => {
    const path = folder(t, { 'x.dat': pack(rawTar(inside)) });
    const [archive, ...others] = [...(await rows(path))].sort((a) => (a.includes('x.dat') ? -1 : 1));
    assert.equal(archive, 'file x.dat 644 0:0 77 …');
    assert.deepEqual(others, unpacked);
  });
}

for (const [program, packed] of [
  ['bzip2', bzip2],
  ['xz', xz],
] as const) {
  test(`${program} unpacks what it has packed`, { skip: without(program) }, async (t) => {
    const bytes = Buffer.from(packed, 'base64');
    assert.deepEqual(await rows(folder(t, { 'a.tar': bytes })), [
      'directory d 755 12:34 0',
      'file a.tar 644 0:0 77 …',
      'file d/one 644 12:34 0 two',
    ]);
    for (const cut of [bytes.subarray(0, 20), bytes.subarray(0, -8)])
      await assert.rejects(rows(folder(t, { 'a.tar': cut })), (error: unknown) => {
        assert.ok(error instanceof RetrieveError, String(error));
        assert.match(error.message, /^cannot unpack a\.tar: .*(?:end|EOF|ended)/);
        return true;
      });
  });
}

test('what is no archive, or has nothing in it, is a file like any other', async (t) => {
  const damaged = rawTar(inside);
  damaged[5] = 1;
  const files = {
    text: Buffer.from('hello\n'),
    'text.gz': gzipSync('hello\n'),
    'damaged.tar': damaged,
    'empty.tar': Buffer.alloc(10240),
    nothing: Buffer.alloc(0),
    lz4: Buffer.from('04224d18aaaa', 'hex'),
  };
  const path = folder(t, files);
  const found = await rows(path);
  assert.deepEqual(
    found.map((row) => row.split(' ').slice(0, 2).join(' ')).sort(),
    Object.keys(files)
      .map((one) => `file ${one}`)
      .sort(),
  );
});

test('an archive that ends early or lies about itself fails with its name, before anything is uploaded', async (t) => {
  const long = { name: 'a', flag: '0', content: 'x'.repeat(3000) };
  const bad: Readonly<Record<string, Buffer>> = {
    'none.gz': Buffer.from('1f8b08', 'hex'),
    'none.zst': Buffer.from('28b52ffd', 'hex'),
    cut: rawTar([long]).subarray(0, 1500),
    'cut.gz': gzipSync(rawTar([{ name: 'b', flag: '0' }, long])).subarray(0, -20),
    link: rawTar([{ name: 'l', flag: '1', link: 'nowhere' }]),
    type: rawTar([long, { name: 'b', flag: 'Q' }]),
    checksum: Buffer.concat([rawTar([long], false), Buffer.alloc(512, 'x')]),
    size: rawTar([{ name: 'a', flag: '0', size: 2 ** 32, content: '' }], false),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    const path = folder(t, { [name]: bytes });
    await assert.rejects(rows(path), (error: unknown) => {
      assert.ok(error instanceof RetrieveError, `${name}: ${String(error)}`);
      assert.match(error.message, new RegExp(`^cannot unpack ${name}: `));
      return true;
    });
  }
});

test('nothing of an archive leaves the build folder or is written through a link', async (t) => {
  const path = folder(t, {
    '1.tar': rawTar([
      { name: '/abs', flag: '0', content: '1' },
      { name: '../../up', flag: '0', content: '2' },
      { name: 'out', flag: '2', link: '/etc' },
      { name: 'out/passwd', flag: '0', content: '3' },
      { name: 'a/../../b', flag: '0', content: '4' },
      { name: 'h', flag: '1', link: '../../up' },
    ]),
  });
  assert.deepEqual(
    (await rows(path)).map((row) => row.replace(/ 1000000000| \d+ 0:0/g, '')),
    [
      'directory out 0',
      'file 1.tar 77 …',
      'file abs 1',
      'file b 4',
      'file h 2',
      'file out/passwd 3',
      'hardlink up luetbuild/h',
    ],
  );
});

test('archives replace files of the context, later ones earlier ones, and folders stay', async (t) => {
  const path = folder(t, {
    '1.tar': rawTar([
      { name: 'same', flag: '0', content: 'first' },
      { name: 'd/', flag: '5', mode: 0o700 },
      { name: 'd/new', flag: '0', content: 'new' },
      { name: 'l/in', flag: '0', content: 'through' },
    ]),
    '2.tar': rawTar([{ name: 'same', flag: '0', content: 'second' }]),
  });
  // The context's files are read where they lie: here among the archives.
  for (const name of ['d', 'old']) mkdirSync(join(path, 'ctx', name), { recursive: true });
  writeFileSync(join(path, 'ctx/d/old'), 'old');
  writeFileSync(join(path, 'ctx/same'), 'context');
  symlinkSync('/tmp', join(path, 'ctx/l'));
  const { files } = await readContext(join(path, 'ctx'));
  const found = await rows(path, files, join(path, 'ctx'), '*.tar');
  assert.deepEqual(
    found.map((row) => row.replace(/ 0:0 \d+/, '')),
    [
      'directory d 700',
      'directory l 755',
      'directory old 755',
      'file 1.tar 644 …',
      'file 2.tar 644 …',
      'file d/new 644 new',
      'file d/old 644 old',
      'file l/in 644 through',
      'file same 644 second',
    ],
  );
});

test('how a file is packed is told by what is in it', async (t) => {
  const tar = rawTar([{ name: 'a', flag: '0' }]);
  const path = folder(t, { a: tar, b: gzipSync(tar), c: zstdCompressSync(tar), d: Buffer.from('x') });
  const found = await Promise.all(['a', 'b', 'c', 'd'].map((one) => packingOf(join(path, one))));
  assert.deepEqual(found, ['none', 'gzip', 'zstd', undefined]);
});
