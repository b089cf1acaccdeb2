import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Fault, FaultyProxy, type Seen } from '../../support/faulty-proxy.ts';
import { Machine, type MachineBuild } from '../../support/machine.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { needs, onBase, type PackageFiles, writeTree } from '../../support/site.ts';
import { without } from '../../support/tool.ts';

/* A registry that fails in the middle: whatever it does, everything is built, and with the right content. */

const packages: Record<string, PackageFiles> = {
  seed: { build: onBase('echo 1 >/one') },
  top: { build: { ...needs('seed'), steps: ['cat /one >/two'] } },
};
const all = ['t/seed-1', 't/top-1'];

const isManifest = ({ method, url }: Seen): boolean =>
  method === 'GET' && /\/manifests\/[0-9a-f]{64}$/.test(url);
const isBlob = ({ method, url }: Seen): boolean => method === 'GET' && /\/blobs\/sha256:/.test(url);
const isWrite = ({ method }: Seen): boolean => method !== 'GET' && method !== 'HEAD';

describe('a shared cache that fails', { skip: without('docker-registry') }, () => {
  let registry: TestRegistry;
  let proxy: FaultyProxy;
  let host: string;
  let count = 0;
  let repository: string;
  /** A repository that has everything, and is only read. */
  let filled: string;
  let expected: MachineBuild['bytes'];
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-faults-'));
  const machine = (): Machine => new Machine(mkdtempSync(join(folder, 'm-')), folder);

  before(async () => {
    registry = await startRegistry();
    proxy = new FaultyProxy(registry.host);
    host = await proxy.start();
    writeTree(join(folder, 'tree'), packages);
    filled = `${host}/filled`;
    const first = await machine().build({ repository: filled, push: true });
    assert.deepEqual(first.result.undelivered, []);
    expected = first.bytes;
    assert.equal(Object.keys(expected).length, 4);
  });
  after(async () => {
    await proxy.stop();
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    repository = `${host}/faults-${count++}`;
    proxy.fault = () => undefined;
  });

  const answer = (status: number, body = '', headers: Record<string, string> = {}): Fault => ({
    kind: 'answer',
    status,
    body,
    headers,
  });
  const half = '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"me';
  const reading: readonly (readonly [what: string, fault: (seen: Seen) => Fault | undefined])[] = [
    ['a truncated manifest', (seen) => (isManifest(seen) ? answer(200, half) : undefined)],
    ['a manifest that breaks off', (seen) => (isManifest(seen) ? { kind: 'cut', after: 50 } : undefined)],
    ['a manifest with a wrong digest', (seen) => (isManifest(seen) ? { kind: 'tamper' } : undefined)],
    ['a tag that is gone after it was found', (seen) => (isManifest(seen) ? answer(404) : undefined)],
    ['blobs that are gone', (seen) => (isBlob(seen) ? answer(404) : undefined)],
    ['blobs that break off', (seen) => (isBlob(seen) ? { kind: 'cut', after: 20 } : undefined)],
    ['manifests that fail', (seen) => (isManifest(seen) ? answer(500) : undefined)],
    ['one that is busy for long', () => answer(429, '', { 'retry-after': '3600' })],
  ];
  for (const [what, fault] of reading)
    test(`${what}: what cannot be read is built`, async () => {
      const second = machine();
      proxy.fault = fault;
      const built = await second.build({ repository: filled, pullFrom: [filled] });
      assert.deepEqual([built.ran, built.result.failed, built.bytes], [all, [], expected]);
      assert.ok(built.cacheEvents.length > 0);
      for (const event of built.cacheEvents) assert.match(event.type, /^cache-(?:refused|lost)$/);
      // Nothing wrong is in its store: packages cut from it are the same.
      proxy.fault = () => undefined;
      second.forgetPackages();
      const again = await second.build({ repository: filled });
      assert.deepEqual([again.ran, again.bytes], [[], expected]);
    });

  for (const status of [429, 507])
    test(`one that answers ${status} to what is pushed: everything is built, and is pushed later`, async () => {
      const one = machine();
      proxy.fault = (seen) => (isWrite(seen) ? answer(status) : undefined);
      const built = await one.build({ repository, push: true, pullFrom: [repository] });
      assert.deepEqual([built.ran, built.result.failed, built.bytes], [all, [], expected]);
      assert.deepEqual(built.result.undelivered.map((problem) => problem.package).sort(), all);
      for (const { message } of built.result.undelivered)
        assert.match(message, new RegExp(`answers ${status}`));
      proxy.fault = () => undefined;
      const later = await one.build({ repository, push: true, pullFrom: [repository] });
      assert.deepEqual([later.ran, later.result.undelivered], [[], []]);
      const other = await machine().build({ repository, pullFrom: [repository] });
      assert.deepEqual([other.ran, other.bytes], [[], expected]);
    });

  test('a folder for what is pushed that cannot be written to: everything is built', async () => {
    const pushFolder = join(folder, 'not/there');
    const built = await machine().build({ repository, push: true, pushFolder });
    assert.deepEqual([built.ran, built.result.failed, built.bytes], [all, [], expected]);
    for (const { message } of built.result.undelivered)
      assert.match(message, /not pushed to .*not\/there\/\w+ cannot be written/);
    assert.deepEqual(built.result.undelivered.map((problem) => problem.package).sort(), all);
  });

  test('a full disk: everything is built, and what fits later is right', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('a file system of its own takes root');
    let data = '';
    const mount = (size: string, more = ''): void =>
      void execFileSync('mount', ['-t', 'tmpfs', '-o', `${more}size=${size}`, 'none', data], {
        stdio: 'pipe',
      });
    let why: string | undefined;
    const small = await startRegistry((place) => {
      data = join(place, 'data');
      mkdirSync(data);
      try {
        mount('64k');
      } catch (error) {
        why = `a file system of its own cannot be mounted: ${(error as Error).message}`;
      }
      return [];
    });
    t.after(() => {
      if (why === undefined) execFileSync('umount', ['-l', data]);
      return small.stop();
    });
    if (why !== undefined) return t.skip(why);
    const use = { repository: `${small.host}/full`, push: true, pullFrom: [`${small.host}/full`] };
    const one = machine();
    const built = await one.build(use);
    assert.deepEqual([built.ran, built.result.failed, built.bytes], [all, [], expected]);
    assert.deepEqual(built.result.undelivered.map((problem) => problem.package).sort(), all);
    const alone = await machine().build({ repository: use.repository, pullFrom: use.pullFrom });
    assert.deepEqual([alone.ran, alone.bytes], [all, expected]);
    mount('50m', 'remount,');
    const last = await one.build(use);
    assert.deepEqual([last.ran, last.result.undelivered], [[], []]);
    const other = await machine().build({ repository: use.repository, pullFrom: use.pullFrom });
    assert.deepEqual([other.ran, other.cacheEvents, other.bytes], [[], [], expected]);
  });
});
