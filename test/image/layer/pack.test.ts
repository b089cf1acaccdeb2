import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setAttributeSync } from '@napi-rs/xattr';
import fc from 'fast-check';
import { extractLayer, ImageError, measure, packFolder, removeFolder } from '../../../src/image/index.ts';
import { readTar } from '../../../src/tar/index.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { chunked, collect } from '../../support/stream.ts';

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'needs root';

async function scratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-pack-'));
  try {
    await work(folder);
  } finally {
    removeFolder(folder);
  }
}

const part = fc.constantFrom('a', 'b', 'c-', 'c', 'ä', '\xff');
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const more = fc.record({
  mtime: fc.integer({ min: 0, max: 2_000_000_000 }),
  mode: fc.constantFrom(0o644, 0o4755, 0o1777, 0o600),
  uid: fc.nat(70_000),
  pax: fc.constantFrom({}, { 'SCHILY.xattr.user.a': 'b', 'SCHILY.xattr.user.0': '' }),
});
const entry: fc.Arbitrary<RawEntry> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(path, more, fc.string())
      .map(([name, m, content]) => ({ ...m, name, flag: '0', content })),
  },
  { weight: 4, arbitrary: fc.tuple(path, more).map(([name, m]) => ({ ...m, name, flag: '5' })) },
  {
    weight: 1,
    arbitrary: fc.tuple(path, more).map(([name, m]) => ({ ...m, pax: {}, name, flag: '2', link: '../\xfe' })),
  },
  { weight: 1, arbitrary: path.map((name) => ({ name, flag: '3', major: 259, minor: 300_000 })) },
  { weight: 1, arbitrary: path.map((name) => ({ name, flag: '6' })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.option(path, { nil: '.' }), part)
      .map(([at, name]) => ({ name: `${at}/.wh.${name}`, flag: '0' })),
  },
  { weight: 1, arbitrary: path.map((at) => ({ name: `${at}/.wh..wh..opq`, flag: '0' })) },
);

for (const form of ['overlay', 'overlay-user', 'plain'] as const)
  test(`${form}: what was packed is the same when it is extracted and packed again`, {
    skip: needsRoot,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 10 }), (entries) =>
        scratch(async (folder) => {
          const pack = (name: string) =>
            collect(
              packFolder(join(folder, name), {
                form: form === 'plain' ? 'plain' : 'overlay',
                scratch: join(folder, '.scratch'),
              }),
            );
          const extract = async (archive: Buffer, name: string) => {
            mkdirSync(join(folder, name));
            await extractLayer(chunked(archive, 5000), join(folder, name), { form });
            return pack(name);
          };
          // Archives with a path through one of their own files are none.
          const first = await extract(rawTar(entries), 'first').catch((error: unknown) => {
            fc.pre(!(error instanceof ImageError && /which is not a folder/.test(error.message)));
            throw error;
          });
          assert.ok(first.equals(await extract(first, 'second')));
        }),
      ),
      { numRuns: 40, maxSkipsPerRun: 1000 },
    );
  });

test(
  'an archive is sorted, has links within itself, and whiteouts as archives have them',
  { skip: needsRoot },
  () =>
    scratch(async (folder) => {
      const root = join(folder, 'root');
      mkdirSync(root);
      const file = (name: string, content = ''): RawEntry => ({ name, flag: '0', content });
      const entries = [
        { name: 'z', flag: '0', content: 'z' },
        { name: 'b/x', flag: '1', link: 'z' },
        file('b/.wh.gone'),
        file('o/.wh..wh..opq'),
        file('o/new'),
        file('b-'),
        { name: 'null', flag: '3', major: 1, minor: 3 },
      ];
      await extractLayer(chunked(rawTar(entries)), root, { form: 'overlay' });
      const server = createServer().listen(join(root, 'socket'));
      const seen: string[] = [];
      const archive = packFolder(root, { form: 'overlay', owner: { uid: 5, gid: 6 } });
      for await (const { entry: e } of readTar(archive))
        seen.push(`${e.path} ${e.type}${e.link === undefined ? '' : ` ${e.link}`} ${e.uid}:${e.gid}`);
      server.close();
      assert.deepEqual(seen, [
        'b directory 5:6',
        'b- file 5:6',
        'b/.wh.gone file 0:0',
        'b/x file 5:6',
        'null character 5:6',
        'o directory 5:6',
        'o/.wh..wh..opq file 0:0',
        'o/new file 5:6',
        'z hardlink b/x 5:6',
      ]);
      const options = { form: 'overlay' } as const;
      assert.deepEqual(await measure(packFolder(root, options)), await measure(packFolder(root, options)));
    }),
);

test('what a layer cannot have is an error', () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    mkdirSync(root);
    writeFileSync(join(root, '.wh.x'), '');
    await assert.rejects(collect(packFolder(root)), ImageError);
    await assert.rejects(collect(packFolder(root, { signal: AbortSignal.abort() })));
    const other = join(folder, 'other');
    mkdirSync(join(other, 'd'), { recursive: true });
    chmodSync(other, 0o755);
    setAttributeSync(join(other, 'd'), 'user.overlay.redirect', '/etc');
    await assert.rejects(collect(packFolder(other, { form: 'overlay' })), /is in another layer/);
  }));
