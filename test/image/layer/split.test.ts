import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import {
  extractLayer,
  ImageError,
  joinSplit,
  removeFolder,
  SplitRecorder,
} from '../../../src/image/index.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { chunked, collect } from '../../support/stream.ts';
import { run, without } from '../../support/tool.ts';

const isRoot = process.getuid?.() === 0;

interface Split {
  readonly root: string;
  readonly file: string;
  /** Whether the archive can be put together again. */
  readonly isWhole: boolean;
  joined(): Promise<Buffer>;
}

async function scratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-split-'));
  try {
    await work(folder);
  } finally {
    removeFolder(folder);
  }
}

/** Extracts an archive, which may come in chunks whose memory is used again, and keeps what it is besides files. */
async function split(archive: Buffer, folder: string, ...lengths: number[]): Promise<Split> {
  const root = join(folder, 'files');
  const file = join(folder, 'split');
  mkdirSync(root);
  const recorder = new SplitRecorder(join(folder, 'aside'));
  async function* once(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunked(archive, ...lengths)) {
      const passing = Buffer.from(chunk);
      yield passing;
      passing.fill(0xee);
    }
  }
  try {
    await extractLayer(once(), root, {
      form: 'overlay',
      split: recorder,
      lowers: [],
      ...(isRoot ? {} : { owners: 'none', devices: 'skip' }),
    });
    const isWhole = await recorder.finish();
    if (isWhole) writeFileSync(file, readFileSync(recorder.file));
    return { root, file, isWhole, joined: () => collect(joinSplit(file, root)) };
  } finally {
    recorder.close();
    assert.ok(!existsSync(recorder.file));
  }
}

const text = fc
  .tuple(fc.constantFrom(0, 1, 3, 511, 512, 513, 1024, 5000), fc.nat(255))
  .map(([length, unit]) => String.fromCharCode(unit).repeat(length));
const name = fc.constantFrom('f', '\xfe', 'n'.repeat(120), 'ä', 'x y');
const long = (flag: 'L' | 'K', content: string): RawEntry => ({
  name: '././@LongLink',
  flag,
  content: `${content}\0`,
});

/** Entries at a path that no other of the archive has: files in all spellings, and what is no file. */
const items = fc
  .array(
    fc.tuple(
      fc.constantFrom('file', 'pax', 'gnu', 'old', 'dir', 'symlink', 'hardlink', 'whiteout', 'aufs'),
      name,
      text,
    ),
    { maxLength: 12 },
  )
  .map((list) =>
    list.flatMap(([kind, base, content], i): RawEntry[] => {
      const path = `d${i % 3}/${i}${base}`;
      const whole: RawEntry = { name: path, flag: '0', content, mtime: 1000 + i };
      if (kind === 'pax') return [{ ...whole, pax: { 'SCHILY.xattr.user.n': base, mtime: '12.345678' } }];
      if (kind === 'gnu') return [long('L', path), { ...whole, name: 'cut' }];
      if (kind === 'old') return [{ ...whole, flag: '\0' }];
      if (kind === 'dir') return [{ name: `./${path}/`, flag: '5', size: 0, mode: 0o711 }];
      if (kind === 'symlink') return [long('K', path), { name: path, flag: '2', link: 'cut' }];
      if (kind === 'hardlink')
        return [
          whole,
          { name: `${path}.2`, flag: '1', link: path },
          { name: `${path}.3`, flag: '1', link: path },
        ];
      // What whiteouts hold means nothing, and is part of the archive all the same.
      if (kind === 'whiteout') return [{ ...whole, name: `d${i % 3}/.wh.${i}` }];
      return kind === 'aufs' ? [{ ...whole, name: `.wh..wh.plnk/${i}` }] : [whole];
    }),
  );
const lengths = fc.array(fc.constantFrom(1, 7, 100, 511, 512, 513, 1500, 10_240, 100_000), {
  minLength: 1,
  maxLength: 6,
});

test('any archive is put together again to the same bytes, however it arrived', async () => {
  let largest = 0;
  await fc.assert(
    fc.asyncProperty(items, lengths, text, (entries, chunks, behind) =>
      scratch(async (folder) => {
        const archive = Buffer.concat([rawTar(entries), Buffer.from(behind, 'latin1')]);
        const { isWhole, joined } = await split(archive, folder, ...chunks);
        assert.ok(isWhole);
        assert.ok((await joined()).equals(archive));
        largest = Math.max(largest, archive.length);
      }),
    ),
    { numRuns: Number(process.env.LUET_TS_TEST_RUNS ?? 50) },
  );
  assert.ok(largest > 10_000);
});

const clashing = fc.array(
  fc
    .tuple(
      fc.constantFrom('a', 'a/b', 'b', 'b/a', 'a/b/c'),
      fc.constantFrom('0', '5', '2', '1', 'w', 'o'),
      text,
    )
    .map(([path, flag, content]): RawEntry => {
      if (flag === 'w') return { name: path.replace(/[^/]$/, '.wh.$&'), flag: '0' };
      if (flag === 'o') return { name: `${path}/.wh..wh..opq`, flag: '0' };
      return flag === '0'
        ? { name: path, flag, content }
        : { name: path, flag, link: flag === '5' ? '' : 'b' };
    }),
  { maxLength: 8 },
);

test('an archive that replaces its own files is put together right, or not at all', async () => {
  const seen = { whole: 0, lost: 0 };
  await fc.assert(
    fc.asyncProperty(clashing, lengths, (entries, chunks) =>
      scratch(async (folder) => {
        const archive = rawTar(entries);
        let result: Split;
        try {
          result = await split(archive, folder, ...chunks);
        } catch (error) {
          // Links to what is no file.
          assert.ok(error instanceof ImageError, String(error));
          return;
        }
        seen[result.isWhole ? 'whole' : 'lost']++;
        if (result.isWhole) assert.ok((await result.joined()).equals(archive));
      }),
    ),
    { numRuns: Number(process.env.LUET_TS_TEST_RUNS ?? 100) },
  );
  assert.ok(seen.whole > 20 && seen.lost > 5, JSON.stringify(seen));
});

for (const format of [
  'gnu',
  'posix',
  'ustar',
  'v7',
  'oldgnu',
  'sparse',
  'sparse 0.0',
  'sparse 0.1',
  'sparse 1.0',
])
  test(`an archive of GNU tar, ${format}`, { skip: without('tar') }, () =>
    scratch(async (folder) => {
      const from = join(folder, 'from');
      mkdirSync(join(from, 'usr/share'), { recursive: true });
      for (let i = 0; i < 300; i++) writeFileSync(join(from, 'usr/share', `f${i}`), `${i}`.repeat(i));
      writeFileSync(join(from, 'usr/big'), Buffer.alloc(3_000_000, 'big'));
      symlinkSync('usr/big', join(from, 'link'));
      if (!/ustar|v7/.test(format)) writeFileSync(join(from, 'l'.repeat(180)), 'long');
      writeFileSync(join(from, 'sparse'), 'begin');
      truncateSync(join(from, 'sparse'), 5_000_000);
      const version = / (.*)/.exec(format)?.[1];
      const how = format.startsWith('sparse')
        ? [
            '-S',
            ...(version === undefined ? ['--format=gnu'] : ['--format=posix', `--sparse-version=${version}`]),
          ]
        : [`--format=${format}`];
      const archive = await run(['tar', '-c', ...how, '-C', from, '.']);
      const { isWhole, joined, file } = await split(archive, folder, 65_536);
      assert.ok(isWhole);
      assert.ok((await joined()).equals(archive));
      assert.ok(statSync(file).size < 20_000, `${statSync(file).size}`);
    }),
  );

test('what is damaged gives an error or other bytes', () =>
  scratch(async (folder) => {
    const archive = rawTar([
      { name: 'a', flag: '0', content: 'a'.repeat(700) },
      { name: 'b', flag: '0', content: 'b'.repeat(70_000) },
    ]);
    const { joined, file, root } = await split(archive, folder);
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole.subarray(0, length));
      await assert.rejects(joined(), ImageError, `${length} bytes`);
    }
    writeFileSync(file, whole);
    const b = join(root, 'b');
    truncateSync(b, 60_000);
    await assert.rejects(joined(), ImageError);
    truncateSync(b, 70_000);
    assert.ok(!(await joined()).equals(archive));
    for (const target of ['/dev/zero', 'a']) {
      rmSync(b);
      symlinkSync(target, b);
      await assert.rejects(joined(), ImageError);
    }
    rmSync(b);
    await assert.rejects(joined(), ImageError);
    writeFileSync(b, 'b'.repeat(70_000));
    assert.ok((await joined()).equals(archive));
    rmSync(file);
    await assert.rejects(joined(), ImageError);
  }));
