import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { digestOf } from '../../src/image/index.ts';
import { type PublishedPackage, pushFinalImage } from '../../src/repository/index.ts';
import { writeTar } from '../../src/tar/index.ts';
import { testRegistry } from '../support/machine.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { collect, file, sourceOf } from '../support/stream.ts';

const isThere = spawnSync('docker-registry', ['--version']).status === 0;

describe('images of contents', { skip: isThere ? false : 'docker-registry is not installed here' }, () => {
  let registry: TestRegistry;
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-final-'));
  before(async () => {
    registry = await startRegistry();
    mkdirSync(join(folder, 'tmp'));
  });
  after(async () => {
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const signal = new AbortController().signal;
  const push = (pack: PublishedPackage, force = false) =>
    pushFinalImage(pack, {
      registry: testRegistry(),
      repository: `${registry.host}/final`,
      force,
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      temporary: join(folder, 'tmp'),
      signal,
    });
  /** A package in the destination, whose archive has one file. */
  async function packageOf(name: string, content: string, suffix = ''): Promise<PublishedPackage> {
    const tar = await collect(writeTar(sourceOf([file('a/b', Buffer.from(content))])));
    const bytes = suffix === '.gz' ? gzipSync(tar) : suffix === '.zst' ? zstdCompressSync(tar) : tar;
    const pack = {
      package: `c/${name}-1+1`,
      fingerprint: `${name}-c-1+1`,
      archive: join(folder, `${name}-c-1+1.package.tar${suffix}`),
      metadata: join(folder, `${name}-c-1+1.metadata.yaml`),
    };
    writeFileSync(pack.archive, bytes);
    writeFileSync(pack.metadata, `name: ${name}\n`);
    return pack;
  }

  for (const suffix of ['', '.gz', '.zst'])
    test(`one layer, which is the archive${suffix === '.gz' ? ' itself' : ''}: ${suffix || 'plain'}`, async () => {
      const name = `app${suffix.slice(1)}`;
      const pack = await packageOf(name, 'x', suffix);
      const image = `${registry.host}/final:${name}-c-1-1`;
      assert.deepEqual(await push(pack), { package: pack.package, image, outcome: 'pushed' });
      const there = await testRegistry().image(image, { platform: { os: 'linux', architecture: 'arm64' } });
      assert.ok(there);
      const [layer, ...more] = await there.layers();
      assert.ok(layer !== undefined && more.length === 0);
      const descriptor = await layer.descriptor();
      assert.match(descriptor.mediaType, /gzip$/);
      if (suffix === '.gz') assert.equal(descriptor.digest, digestOf(readFileSync(pack.archive)));
      assert.equal(await layer.diffId(), digestOf(await collect(layer.uncompressed())));
      const { config, created, variant } = await there.configuration();
      assert.deepEqual([config, created, variant], [{}, '0001-01-01T00:00:00Z', 'v8']);
      const platform = { os: 'linux', architecture: 'arm64' };
      const metadata = await testRegistry().image(`${image}.metadata.yaml`, { platform });
      const [only] = (await metadata?.layers()) ?? [];
      assert.ok(only);
      const tar = Buffer.from(await collect(only.uncompressed()));
      assert.ok(tar.includes(`${pack.fingerprint}.metadata.yaml`) && tar.includes(`name: ${name}\n`));
      assert.equal((await push(pack)).outcome, 'there');
    });

  test('a tag that has other content stays, unless it may be overwritten', async () => {
    assert.equal((await push(await packageOf('two', 'x'))).outcome, 'pushed');
    const other = await packageOf('two', 'y');
    assert.equal((await push(other)).outcome, 'differs');
    assert.equal((await push(other, true)).outcome, 'pushed');
    assert.equal((await push(other)).outcome, 'there');
  });
});
