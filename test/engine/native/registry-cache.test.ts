import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { inputsTag, lastInputs } from '../../../src/cache/index.ts';
import { FaultyProxy } from '../../support/faulty-proxy.ts';
import { Machine, testRegistry } from '../../support/machine.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { needs, onBase, type PackageFiles, writeTree } from '../../support/site.ts';

// Machines that share nothing but a registry: each has a store and a destination of its own.

const isThere = spawnSync('docker-registry', ['--version']).status === 0;
const skip = isThere ? false : 'docker-registry is not installed here';

const packages: Record<string, PackageFiles> = {
  seed: { build: onBase('echo 1 >/one') },
  top: { build: { ...needs('seed'), steps: ['cat /one >/two'] } },
  // Steps whose outcome differs from one machine to another.
  odd: { build: { ...needs('seed'), steps: ['cat /proc/sys/kernel/random/uuid >/odd'] } },
  side: { build: { ...needs('seed'), steps: ['echo 3 >/three'] }, files: { 'a file': 'x' } },
};
const all = ['t/odd-1', 't/seed-1', 't/side-1', 't/top-1'];

describe('a registry as the cache that machines share', { skip }, () => {
  let registry: TestRegistry;
  let proxy: FaultyProxy;
  let host: string;
  let count = 0;
  let repository: string;
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-machines-'));
  const machine = (): Machine => new Machine(mkdtempSync(join(folder, 'm-')), folder);

  before(async () => {
    registry = await startRegistry();
    proxy = new FaultyProxy(registry.host);
    host = await proxy.start();
    writeTree(join(folder, 'tree'), packages);
  });
  after(async () => {
    await proxy.stop();
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    repository = `${host}/cache-${count++}`;
    proxy.seen.length = 0;
    proxy.fault = () => undefined;
  });

  /** The key of a package's image. */
  const keyOf = (name: string): Promise<string> =>
    machine().withEngine(async (engine) => {
      const plan = await machine().plan(engine);
      const node = plan.nodes.find((one) => one.package === name);
      assert.ok(node?.identity.state === 'known');
      return node.identity.key;
    });

  test('a second machine runs nothing, and writes the same bytes', async () => {
    const first = await machine().build({ repository, push: true, pullFrom: [repository] });
    assert.deepEqual([first.ran, first.result.undelivered], [all, []]);
    proxy.seen.length = 0;
    const second = await machine().build({ repository, pullFrom: [repository] });
    assert.deepEqual([second.ran, second.cacheEvents], [[], []]);
    assert.deepEqual(second.bytes, first.bytes);
    assert.ok(proxy.seen.every(({ method }) => method === 'GET' || method === 'HEAD'));
  });

  test('images of another repository are used, and are named as those of the own one', async () => {
    const other = `${host}/other-${count++}`;
    const first = await machine().build({ repository: other, push: true });
    const second = await machine().build({ repository, pullFrom: [repository, other] });
    assert.deepEqual([second.ran, second.bytes], [[], first.bytes]);
  });

  test('what the engine holds and the registry lacks is pushed', async () => {
    const one = machine();
    await one.build({ repository });
    const again = await one.build({ repository, push: true });
    assert.deepEqual([again.ran, again.result.undelivered], [[], []]);
    const second = await machine().build({ repository, pullFrom: [repository] });
    assert.deepEqual(second.ran, []);
  });

  test('the first one that pushes counts: its image replaces one that was built later', async () => {
    const first = await machine().build({ repository, push: true });
    // It does not look before it builds.
    const late = machine();
    const second = await late.build({ repository, push: true });
    assert.deepEqual(second.ran, all);
    assert.deepEqual(second.bytes, first.bytes);
    const differing = second.cacheEvents.map((event) =>
      event.type === 'cache-differs' ? `${event.package}: ${event.message}` : event.type,
    );
    assert.deepEqual(differing, ['t/odd-1: "/odd"']);
    // The image in its engine is the first one's, too.
    late.forgetPackages();
    const third = await late.build({ repository });
    assert.deepEqual([third.ran, third.bytes], [[], first.bytes]);
  });

  test('two machines at once', async () => {
    const use = { repository, push: true, pullFrom: [repository] };
    const builds = await Promise.all([machine().build(use), machine().build(use)]);
    assert.deepEqual(
      builds.flatMap(({ result }) => [result.failed, result.undelivered]),
      [[], [], [], []],
    );
    const { 'odd-t-1.package.tar': _, 'odd-t-1.metadata.yaml': __, ...rest } = builds[0]?.bytes ?? {};
    const { 'odd-t-1.package.tar': ___, 'odd-t-1.metadata.yaml': ____, ...others } = builds[1]?.bytes ?? {};
    assert.deepEqual(rest, others);
    const later = await machine().build({ repository, pullFrom: [repository] });
    assert.deepEqual([later.ran, later.cacheEvents], [[], []]);
  });

  test('an image under the key of another is named and built again, and its name is put right', async () => {
    await machine().build({ repository, push: true });
    const [top, side] = [await keyOf('t/top-1'), await keyOf('t/side-1')];
    const tools = testRegistry();
    const image = await tools.image(`${repository}:${top}`);
    assert.ok(image);
    await tools.write(`${repository}:${side}`, image);
    const second = await machine().build({ repository, push: true, pullFrom: [repository] });
    assert.deepEqual(second.ran, ['t/side-1']);
    assert.deepEqual(
      second.cacheEvents.map((event) => (event.type === 'cache-refused' ? event.message : event.type)),
      [`image ${repository}:${side} was made for the key ${top}, and is not used`],
    );
    const third = await machine().build({ repository, pullFrom: [repository] });
    assert.deepEqual([third.ran, third.cacheEvents], [[], []]);
  });

  test('a registry that does not answer is reported once, and everything is built', async () => {
    await proxy.stop();
    try {
      const pulled = await machine().build({ repository, pullFrom: [repository] });
      assert.deepEqual(pulled.ran, all);
      assert.deepEqual(
        pulled.cacheEvents.map(({ type }) => type),
        ['cache-lost'],
      );
      const pushed = await machine().build({ repository, push: true });
      assert.deepEqual([pushed.ran, pushed.result.failed], [all, []]);
      assert.deepEqual(
        pushed.result.undelivered.map(({ code, package: pack }) => `${code} ${pack}`).sort(),
        all.map((name) => `not-pushed ${name}`),
      );
    } finally {
      proxy = new FaultyProxy(registry.host);
      host = await proxy.start();
    }
  });

  test('a registry that is busy or breaks off is asked again', async () => {
    let at = 0;
    proxy.fault = ({ method }) => {
      at++;
      if (at % 5 === 0)
        return { kind: 'answer', status: at % 2 === 0 ? 429 : 503, headers: { 'retry-after': '1' } };
      if (at % 7 === 0)
        return method === 'GET' ? { kind: 'cut', after: 100 } : { kind: 'cut-upload', after: 10 };
      return undefined;
    };
    const first = await machine().build({ repository, push: true, pullFrom: [repository] });
    assert.deepEqual([first.ran, first.result.undelivered, first.cacheEvents], [all, [], []]);
    const second = await machine().build({ repository, pullFrom: [repository] });
    assert.deepEqual([second.ran, second.bytes], [[], first.bytes]);
  });

  test('a layer that lies is not used, nor kept', async () => {
    await machine().build({ repository, push: true });
    proxy.fault = ({ url }) => (/blobs/.test(url) ? { kind: 'tamper' } : undefined);
    const second = machine();
    const spoiled = await second.build({ repository, pullFrom: [repository] });
    assert.deepEqual([spoiled.ran, spoiled.result.failed], [all, []]);
    assert.ok(spoiled.cacheEvents.every(({ type }) => type === 'cache-refused'));
    assert.ok(spoiled.cacheEvents.length > 0);
  });

  test('what a key was made of stands beside the image', async () => {
    await machine().build({ repository, push: true });
    const signal = new AbortController().signal;
    const tools = testRegistry();
    const found = await lastInputs(tools, repository, { category: 't', name: 'side' }, signal);
    assert.equal(found?.key, await keyOf('t/side-1'));
    assert.deepEqual(found?.inputs.steps, ['echo 3 >/three']);
    assert.ok(found?.inputs.context?.some(({ path }) => path === 'a file'));
    const digest = await tools.resolve(`${repository}:${found?.key}`);
    assert.ok(digest);
    const listed = await tools.referrers(repository, digest, 'application/vnd.luet-ts.inputs.v1');
    const tag = await tools.resolve(`${repository}:${inputsTag({ category: 't', name: 'side' })}`);
    assert.deepEqual(
      listed.map((one) => one.digest),
      [tag],
    );
  });
});
