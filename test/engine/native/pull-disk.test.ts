import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ociLayout, Registry } from '../../../src/image/index.ts';
import { makeImage, readAll, testClock } from '../../image/registry/support.ts';
import { cli } from '../../support/cli.ts';
import { startRegistry } from '../../support/registry.ts';
import { without } from '../../support/tool.ts';
import { notHere } from './support.ts';

const skip = notHere || without('docker-registry');

test('a disk that is full in the middle of a pull is told plainly, and the next pull works', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const disk = mkdtempSync(join(tmpdir(), 'luet-ts-disk-'));
  const mount = (...words: string[]): boolean =>
    spawnSync('mount', [...words, 'luet-ts-test', disk]).status === 0;
  const hasDisk = mount('-t', 'tmpfs', '-o', 'size=8m');
  t.after(() => {
    spawnSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  if (!hasDisk) return t.skip('a small disk cannot be mounted');
  const registry = await startRegistry();
  t.after(() => registry.stop());
  const name = `${registry.host}/a/full:1`;
  const image = await makeImage([3_000_000, 3_000_000, 3_000_000, 3_000_000], { files: 20 });
  await new Registry({ clock: testClock() }).write(name, image);

  const store = join(disk, 'store');
  const onStore = ['--engine', 'native', '--store', store];
  const layout = join(disk, 'layout');
  const pull = () => cli(['image', 'pull', ...onStore, name]);
  const copy = () => cli(['image', 'copy', `docker://${name}`, `oci:${layout}:one`]);

  const full = await pull();
  assert.equal(full.code, 1);
  assert.match(full.stderr, new RegExp(`the disk that the store ${store} lies on is full`));
  assert.doesNotMatch(full.stderr, /This is a bug/);
  const listed = await cli(['image', 'ls', ...onStore, registry.host]);
  assert.doesNotMatch(listed.stdout, /full/);
  assert.deepEqual(readdirSync(join(store, 'layers')), []);
  assert.deepEqual(readdirSync(join(store, 'runs')), []);

  const second = await copy();
  assert.equal(second.code, 1);
  assert.match(second.stderr, /error\[no-space\]: .*layout cannot be written: its disk is full/);
  assert.equal(existsSync(layout), false);

  assert.ok(mount('-o', 'remount,size=64m'));
  for (const again of [pull, copy]) {
    const done = await again();
    assert.equal(done.code, 0, done.stderr);
  }
  await readAll(await ociLayout(layout).image('one'));
  const verified = await cli(['store', 'verify', '--store', store]);
  assert.equal(verified.code, 0, verified.stderr);
  const inspected = await cli(['image', 'inspect', ...onStore, name, '-o', 'json']);
  assert.equal((JSON.parse(inspected.stdout) as { layers: unknown[] }).layers.length, 4);
});
