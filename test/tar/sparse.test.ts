import assert from 'node:assert/strict';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { ArchiveError, readTar } from '../../src/tar/index.ts';
import { chunked, collect } from '../support/stream.ts';
import { run, without } from '../support/tool.ts';

/** Files with holes: at the start, in the middle, at the end, nothing but a hole, and more parts than a header holds. */
function makeFiles(folder: string): string[] {
  const files: Record<string, [size: number, ...offsets: number[]]> = {
    a: [300_000, 100_000, 250_000],
    b: [1_000_000, 0],
    c: [200_000],
    d: [4_000_000, ...Array.from({ length: 60 }, (_, i) => i * 65_536)],
    [`e-${'n'.repeat(120)}`]: [500_001, 300_000],
  };
  for (const [name, [size, ...offsets]] of Object.entries(files)) {
    const fd = openSync(join(folder, name), 'w');
    ftruncateSync(fd, size);
    for (const offset of offsets) writeSync(fd, `bytes at ${offset}`, offset);
    closeSync(fd);
  }
  writeFileSync(join(folder, 'f'), 'not sparse');
  return [...Object.keys(files), 'f'];
}

for (const form of ['gnu', '0.0', '0.1', '1.0'])
  test(`sparse files in the form ${form} of GNU tar`, { skip: without('tar') }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'luet-ts-sparse-'));
    try {
      const names = makeFiles(folder);
      const how = form === 'gnu' ? ['--format=gnu'] : ['--format=pax', `--sparse-version=${form}`];
      const archive = await run(['tar', '-cS', ...how, '-C', folder, ...names]);
      assert.ok(archive.length < 1_000_000);
      await assert.rejects(async () => {
        for await (const _ of readTar(chunked(archive)));
      }, ArchiveError);
      for (const length of [100, 512, 70_000]) {
        const seen: string[] = [];
        for await (const { entry, content, sparse } of readTar(chunked(archive, length), { sparse: true })) {
          seen.push(entry.path);
          const real = readFileSync(join(folder, entry.path));
          assert.equal(entry.size, real.length);
          if (entry.path === 'a') {
            const data = await collect(sparse?.data ?? content);
            const parts = sparse?.segments ?? [];
            assert.equal(
              parts.reduce((sum, part) => sum + part.size, 0),
              data.length,
            );
          } else if (entry.path !== 'b') assert.ok(real.equals(await collect(content)), entry.path);
        }
        assert.deepEqual(seen, names);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

test('maps that lie are refused', { skip: without('tar') }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-sparse-'));
  try {
    makeFiles(folder);
    const read = async (archive: Buffer): Promise<void> => {
      for await (const { content } of readTar(chunked(archive), { sparse: true })) await collect(content);
    };
    for (const [version, from, to] of [
      ['0.1', 'GNU.sparse.map=98304,', 'GNU.sparse.map=98305,'],
      ['0.1', 'GNU.sparse.size=300000', 'GNU.sparse.size=100000'],
      ['0.0', 'GNU.sparse.numbytes=4096', 'GNU.sparse.numbytes=9096'],
      ['1.0', 'GNU.sparse.minor=0', 'GNU.sparse.minor=7'],
      ['1.0', '\n4096\n', '\n409x\n'],
      ['1.0', '\n4096\n', '\n4095\n'],
    ] as const) {
      const archive = await run([
        'tar',
        '-cS',
        '--format=pax',
        `--sparse-version=${version}`,
        '-C',
        folder,
        'a',
      ]);
      await read(archive);
      const at = archive.indexOf(from);
      assert.ok(at > 0, from);
      archive.write(to, at, 'latin1');
      // A map that is moved within the file lies about nothing that can be seen.
      if (from.includes('98304')) await read(archive);
      else await assert.rejects(read(archive), ArchiveError, `${from} → ${to}`);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
