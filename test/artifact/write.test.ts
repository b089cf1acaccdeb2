import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  compressions,
  openArchive,
  type PackageFileOptions,
  parseMetadata,
  readArtifactRecord,
  removeUnfinished,
  writeArtifact,
} from '../../src/artifact/index.ts';
import { readTar } from '../../src/tar/index.ts';
import { directory, file, link, sourceOf } from '../support/stream.ts';
import { bare, idle } from './sample.ts';

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const items = [
  directory('usr'),
  file('usr/a', 'content'),
  link('symlink', 'usr/b', 'a'),
  link('hardlink', 'usr/c', 'usr/a'),
  file('usr/caf\xe9', ''),
];

const options = (destination: string, more: Partial<PackageFileOptions> = {}): PackageFileOptions => ({
  destination,
  fingerprint: 'foo-utils-1.0',
  compression: 'zstd',
  entries: sourceOf(items),
  runtime: bare('foo'),
  build: idle(bare('foo')),
  record: { key: 'k1', artifact: 'a1' },
  runId: 'run1',
  ...more,
});

for (const compression of compressions) {
  test(`${compression}: an archive and its metadata are written`, async (t) => {
    const destination = join(scratch(t), 'new', 'folder');
    const written = await writeArtifact(options(destination, { compression }));
    const suffix = { none: '', gzip: '.gz', zstd: '.zst' }[compression];
    assert.deepEqual(readdirSync(destination), [
      'foo-utils-1.0.metadata.yaml',
      `foo-utils-1.0.package.tar${suffix}`,
    ]);
    const bytes = readFileSync(written.archive);
    assert.equal(written.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(written.size, bytes.length);
    const metadata = parseMetadata(readFileSync(written.metadata, 'utf8'));
    assert.equal(metadata.sha256, written.sha256);
    assert.equal(metadata.compression, compression);
    assert.equal(metadata.archive, `foo-utils-1.0.package.tar${suffix}`);
    assert.deepEqual(metadata.files, ['usr/a', 'usr/b', 'usr/c', 'usr/caf\ufffd']);
    assert.deepEqual(metadata.record, { key: 'k1', artifact: 'a1', size: bytes.length });
    const paths: string[] = [];
    for await (const { entry } of readTar(openArchive(written.archive))) paths.push(entry.path);
    assert.deepEqual(
      paths,
      items.map((one) => one.entry.path),
    );
  });
}

test('equal input gives equal files, whoever writes them and where', async (t) => {
  const folders = [scratch(t), scratch(t)];
  for (const [i, folder] of folders.entries()) await writeArtifact(options(folder, { runId: `run${i}` }));
  const [first, second] = folders.map((folder) =>
    readdirSync(folder).map((name) => readFileSync(join(folder, name))),
  );
  assert.deepEqual(first, second);
});

test('an empty package has an archive without entries', async (t) => {
  const { archive, files } = await writeArtifact(options(scratch(t), { entries: sourceOf([]) }));
  for await (const _ of readTar(openArchive(archive))) assert.fail();
  assert.deepEqual(files, []);
});

test('an archive in another compression is replaced', async (t) => {
  const folder = scratch(t);
  for (const compression of ['none', 'gzip', 'zstd', 'none'] as const) {
    const { archive } = await writeArtifact(options(folder, { compression }));
    assert.deepEqual(
      readdirSync(folder)
        .filter((name) => name.includes('package'))
        .map((name) => join(folder, name)),
      [archive],
    );
  }
});

test('neighbours with a longer version are left alone', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'foo-utils-1.0.1.package.tar'), '');
  await writeArtifact(options(folder));
  assert.ok(readdirSync(folder).includes('foo-utils-1.0.1.package.tar'));
});

test('after a failure nothing is left, and what was there is as it was', async (t) => {
  const folder = scratch(t);
  async function* broken() {
    yield* sourceOf(items);
    throw new Error('the engine went away');
  }
  await assert.rejects(writeArtifact(options(folder, { entries: broken() })), /the engine went away/);
  assert.deepEqual(readdirSync(folder), []);
  const before = await writeArtifact(options(folder));
  await assert.rejects(writeArtifact(options(folder, { entries: broken(), compression: 'gzip' })));
  assert.equal(readdirSync(folder).length, 2);
  assert.equal((await readArtifactRecord(folder, 'foo-utils-1.0'))?.size, before.size);
});

for (const compression of compressions) {
  test(`${compression}: an abort ends the work and leaves nothing`, async (t) => {
    const folder = scratch(t);
    const abort = new AbortController();
    let isClosed = false;
    async function* endless() {
      try {
        for (let i = 0; ; i++) {
          if (i === 100) abort.abort();
          yield* sourceOf([file(`f${String(i).padStart(9, '0')}`, 'x'.repeat(100_000))]);
        }
      } finally {
        isClosed = true;
      }
    }
    await assert.rejects(
      writeArtifact(options(folder, { entries: endless(), signal: abort.signal, compression })),
      {
        name: 'AbortError',
      },
    );
    assert.deepEqual(readdirSync(folder), []);
    assert.ok(isClosed);
  });
}

test('entries out of order are refused', async (t) => {
  const folder = scratch(t);
  const refused = async (...wrong: typeof items) =>
    assert.rejects(writeArtifact(options(folder, { entries: sourceOf(wrong) })), /comes (after|later)/);
  await refused(file('b'), file('a'));
  await refused(file('a'), file('a'));
  await refused(file('a/b'), file('a.b'));
  await refused(link('hardlink', 'a', 'b'), file('b'));
});

test('a fingerprint does not lead out of the folder', async (t) => {
  const folder = scratch(t);
  await assert.rejects(writeArtifact(options(folder, { fingerprint: '../x' })), /file name/);
  await assert.rejects(readArtifactRecord(folder, '../x'), /file name/);
});

test('a record is read while its archive is there whole', async (t) => {
  const folder = scratch(t);
  assert.equal(await readArtifactRecord(folder, 'foo-utils-1.0'), undefined);
  assert.equal(await readArtifactRecord(join(folder, 'none'), 'foo-utils-1.0'), undefined);
  for (const compression of compressions) {
    const { archive, size } = await writeArtifact(options(folder, { compression }));
    const known = { key: 'k1', artifact: 'a1', size, compression, archive };
    assert.deepEqual(await readArtifactRecord(folder, 'foo-utils-1.0'), known);
  }
  const { archive, metadata, size } = await writeArtifact(options(folder));
  truncateSync(archive, size - 1);
  assert.equal(await readArtifactRecord(folder, 'foo-utils-1.0'), undefined);
  rmSync(archive);
  assert.equal(await readArtifactRecord(folder, 'foo-utils-1.0'), undefined);
  await writeArtifact(options(folder));
  truncateSync(metadata, statSync(metadata).size - 1);
  assert.equal(await readArtifactRecord(folder, 'foo-utils-1.0'), undefined);
  for (const damage of ['', 'luetts: [', '\n', 'luetts:\n  key: k1\n']) {
    writeFileSync(metadata, damage);
    assert.equal(await readArtifactRecord(folder, 'foo-utils-1.0'), undefined);
  }
});

test('metadata that another builder wrote has no record', async (t) => {
  const folder = scratch(t);
  const name = 'foo-utils-1.0.metadata.yaml';
  writeFileSync(join(folder, name), readFileSync(join(import.meta.dirname, 'fixtures', name)));
  assert.equal(await readArtifactRecord(folder, 'foo-utils-1.0'), undefined);
});

test('only what ended runs left unfinished is removed', async (t) => {
  const folder = scratch(t);
  const over = Promise.withResolvers<never>();
  const runs = ['dead', 'alive'].map((runId) => {
    const begun = Promise.withResolvers<void>();
    async function* stuck() {
      begun.resolve();
      yield await over.promise;
    }
    return { begun: begun.promise, end: writeArtifact(options(folder, { runId, entries: stuck() })) };
  });
  await Promise.all(runs.map((run) => run.begun));
  writeFileSync(join(folder, '.luet-ts-mine'), '');
  assert.equal(readdirSync(folder).length, 3);
  await removeUnfinished(folder, (runId) => runId === 'dead');
  const left = readdirSync(folder);
  assert.equal(left.length, 2);
  assert.ok(left.every((name) => name === '.luet-ts-mine' || name.startsWith('.luet-ts-alive-')));
  await removeUnfinished(join(folder, 'none'), () => true);
  over.reject(new Error('over'));
  await Promise.allSettled(runs.map((run) => run.end));
});
