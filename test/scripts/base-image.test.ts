import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type BaseImage, makeBaseImage } from '../../scripts/base-image.ts';
import { isStatic } from '../../scripts/images/busybox.ts';

const image: BaseImage = {
  reference: 'luet-ts-test/base:1',
  created: 1_700_000_000,
  fileTime: 86_400,
  architecture: 'amd64',
  env: ['PATH=/bin'],
  command: ['/bin/sh'],
  files: {
    tmp: { type: 'directory', mode: 0o1777 },
    'bin/sh': { type: 'symlink', to: 'busybox' },
    bin: { type: 'directory' },
    'bin/busybox': { type: 'file', content: 'not really', mode: 0o755 },
  },
};

test('the same description gives the same bytes, whatever its order', async () => {
  const reversed = { ...image, files: Object.fromEntries(Object.entries(image.files).reverse()) };
  assert.deepEqual(await makeBaseImage(reversed), await makeBaseImage(image));
});

test("the archive is an image's: a manifest, a configuration and a layer that tar reads", async () => {
  const { bytes, diffId } = await makeBaseImage(image);
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-base-'));
  try {
    writeFileSync(join(folder, 'image.tar'), bytes);
    execFileSync('tar', ['-xf', 'image.tar'], { cwd: folder });
    const read = (name: string): Buffer => readFileSync(join(folder, name));
    const [manifest] = JSON.parse(read('manifest.json').toString());
    assert.deepEqual([manifest.RepoTags, manifest.Layers], [['luet-ts-test/base:1'], ['layer.tar']]);
    const config = JSON.parse(read(manifest.Config).toString());
    assert.equal(config.created, '2023-11-14T22:13:20Z');
    assert.deepEqual([config.config.Env, config.config.Cmd], [['PATH=/bin'], ['/bin/sh']]);
    assert.deepEqual(config.rootfs.diff_ids, [diffId]);
    assert.equal(`sha256:${createHash('sha256').update(read('layer.tar')).digest('hex')}`, diffId);
    const listing = execFileSync('tar', ['--utc', '--full-time', '--numeric-owner', '-tvf', 'layer.tar'], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.deepEqual(
      listing
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/ +/g, ' ')),
      [
        'drwxr-xr-x 0/0 0 1970-01-02 00:00:00 bin/',
        '-rwxr-xr-x 0/0 10 1970-01-02 00:00:00 bin/busybox',
        'lrwxrwxrwx 0/0 0 1970-01-02 00:00:00 bin/sh -> busybox',
        'drwxrwxrwt 0/0 0 1970-01-02 00:00:00 tmp/',
      ],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a program with a loader is not taken for a static one, and neither is what is no program', () => {
  assert.equal(isStatic(readFileSync(process.execPath)), false);
  assert.equal(isStatic(Buffer.from('#!/bin/sh\n')), false);
  assert.equal(isStatic(Buffer.alloc(0)), false);
});
