import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Digest, digestOf, Registry, type RegistryOptions } from '../../../src/image/index.ts';
import { type Fault, FaultyProxy, type Seen } from '../../support/faulty-proxy.ts';
import { startRegistry, type TestRegistry } from '../../support/registry.ts';
import { run, without } from '../../support/tool.ts';
import { makeImage, readAll, testClock } from './support.ts';

const skip = without('docker-registry');
const isBlob = ({ method, url }: Seen): boolean => method === 'GET' && url.includes('/blobs/sha256:');
/** Does something with the first so many requests of a kind only. */
function first<T>(count: number, of: (seen: Seen) => boolean, what: T): (seen: Seen) => T | undefined {
  let left = count;
  return (seen) => (of(seen) && left-- > 0 ? what : undefined);
}

describe('a registry', { skip }, () => {
  let server: TestRegistry;
  let proxy: FaultyProxy;
  let host: string;
  let clock: ReturnType<typeof testClock>;
  let registry: Registry;
  const client = (options: Partial<RegistryOptions> = {}): Registry => new Registry({ clock, ...options });

  before(async () => {
    server = await startRegistry();
    proxy = new FaultyProxy(server.host);
    host = await proxy.start();
  });
  after(async () => {
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(() => {
    proxy.seen.length = 0;
    proxy.fault = () => undefined;
    clock = testClock();
    registry = client();
  });

  test('gives back what was pushed, and takes nothing twice', async () => {
    for (const [name, options] of [
      ['oci', { compression: 'gzip' }],
      ['zstd', { compression: 'zstd' }],
      ['docker', { docker: true }],
    ] as const) {
      const image = await makeImage([100_000, 0, 3_000_000], options);
      let told = 0;
      const written = await registry.write(`${host}/${name}:1`, image, {
        onBytes: (count) => (told += count),
      });
      assert.deepEqual(written, await image.descriptor());
      const sizes = await Promise.all(
        (await image.layers()).map(async (layer) => (await layer.descriptor()).size),
      );
      assert.equal(
        told,
        sizes.reduce((a, b) => a + b),
      );
      const back = await readAll(await registry.image(`${host}/${name}:1`));
      assert.deepEqual(Buffer.from(back.manifest), Buffer.from(await image.manifest()));
      assert.equal((await registry.image(`${host}/${name}@${written.digest}`)) !== undefined, true);
      proxy.seen.length = 0;
      await registry.write(`${host}/${name}:2`, image);
      assert.deepEqual(
        proxy.seen.filter(({ method }) => method === 'POST'),
        [],
      );
      assert.deepEqual(await registry.tags(`${host}/${name}`), ['1', '2']);
    }
  });

  test('has no image of that name, no such repository', async () => {
    assert.equal(await registry.image(`${host}/nothing:1`), undefined);
    assert.equal(await registry.tags(`${host}/nothing`), undefined);
    assert.equal(await registry.missing(`${host}/nothing:1`), `repository nothing not found in ${host}`);
    for (const tag of ['2.0', '1.2', '1.10'])
      await registry.write(`${host}/some:${tag}`, await makeImage([]));
    assert.equal(
      await registry.missing(`${host}/some:1.22`),
      `image ${host}/some:1.22 not found; tags of ${host}/some: 1.2, 1.10, 2.0`,
    );
  });

  test('is sent a manifest after everything that it names', async () => {
    await registry.write(`${host}/order:1`, await makeImage([10, 20, 30]));
    const puts = proxy.seen.filter(({ method }) => method === 'PUT');
    assert.equal(
      puts.findIndex(({ url }) => url.includes('/manifests/')),
      puts.length - 1,
    );
    assert.ok(
      puts.every(
        ({ headers }) =>
          headers['content-length'] !== undefined && headers['transfer-encoding'] === undefined,
      ),
    );
  });

  test('mounts what another repository of it has', async () => {
    await registry.write(`${host}/from:1`, await makeImage([200_000]));
    const image = await registry.image(`${host}/from:1`);
    assert.ok(image);
    proxy.seen.length = 0;
    await registry.write(`${host}/to:1`, image);
    assert.ok(proxy.seen.some(({ url }) => url.includes('mount=sha256') && url.includes('from=from')));
    assert.deepEqual(proxy.seen.filter(isBlob).length, 1, 'only the configuration is read');
    await readAll(await registry.image(`${host}/to:1`));
  });

  test('is sent long blobs in pieces where asked, or where it wants that', async () => {
    const image = await makeImage([1_000_000]);
    await client({ chunkSize: 300_000 }).write(`${host}/pieces:1`, image);
    const patches = proxy.seen.filter(({ method }) => method === 'PATCH');
    assert.equal(patches.length, 4);
    assert.equal(patches[1]?.headers['content-range'], '300000-599999');
    await readAll(await registry.image(`${host}/pieces:1`));
    const other = await makeImage([500_000]);
    proxy.fault = first(1, ({ method, url }) => method === 'PUT' && url.includes('/blobs/'), {
      kind: 'answer',
      status: 413,
    });
    await registry.write(`${host}/pieces:2`, other);
    await readAll(await registry.image(`${host}/pieces:2`));
  });

  test('is asked again where it answers 500, 503, 429 or breaks off', async () => {
    const image = await makeImage([50_000]);
    const counts = new Map<string, number>();
    proxy.fault = ({ method, url }) => {
      // An upload has another address each time.
      const key = `${method} ${url.replace(/uploads\/.*/, '')}`;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      if (count % 3 === 1)
        return method === 'GET' ? { kind: 'cut', after: 0 } : { kind: 'answer', status: 500 };
      if (count % 3 === 2) return { kind: 'answer', status: 429, headers: { 'retry-after': '7' } };
      return undefined;
    };
    await registry.write(`${host}/again:1`, image);
    await readAll(await registry.image(`${host}/again:1`));
    assert.ok(clock.waits.includes(7000));
  });

  test('is given up after some tries, with what it was asked and what it said', async () => {
    const body = '{"errors":[{"code":"UNAVAILABLE","message":"tired"}]}';
    proxy.fault = () => ({ kind: 'answer', status: 503, body });
    await assert.rejects(registry.image(`${host}/gone:1`), {
      name: 'RegistryError',
      message: `cannot pull the manifest of ${host}/gone:1: ${host} answers 503 (UNAVAILABLE: tired)`,
    });
    assert.equal(proxy.seen.length, 6);
    proxy.fault = () => ({ kind: 'answer', status: 429, headers: { 'retry-after': '3600' } });
    await assert.rejects(registry.image(`${host}/gone:1`), /answers 429; with a login .* retry after 3600 s/);
  });

  test('breaks off in the middle of a blob: it goes on from there', async () => {
    await registry.write(`${host}/cut:1`, await makeImage([5_000_000]));
    let cuts = 0;
    proxy.fault = (seen) => (isBlob(seen) && cuts++ < 4 ? { kind: 'cut', after: 1_200_000 } : undefined);
    let told = 0;
    const options = { onBytes: (count: number) => (told += count) };
    const image = await registry.image(`${host}/cut:1`, options);
    await image?.configuration();
    cuts = 0;
    told = 0;
    await readAll(image);
    assert.equal(told, (await (await image?.layers())?.[0]?.descriptor())?.size);
    const ranges = proxy.seen.filter(({ headers }) => headers.range !== undefined);
    assert.ok(ranges.length >= 3);
    // Where ranges are not known, what is here already is skipped.
    cuts = 0;
    proxy.fault = (seen) => {
      if (!isBlob(seen)) return undefined;
      return cuts++ === 0 ? { kind: 'cut', after: 1_200_000 } : { kind: 'no-range' };
    };
    await readAll(image);
    proxy.fault = (seen) => (isBlob(seen) ? { kind: 'cut', after: 100 } : undefined);
    await assert.rejects(readAll(image), /broke 6 times, the last time after 600 of \d+ bytes/);
  });

  test('breaks off in the middle of an upload', async () => {
    proxy.fault = first(
      2,
      ({ method, url }) => (method === 'PUT' || method === 'PATCH') && url.includes('/blobs/'),
      {
        kind: 'cut-upload',
        after: 1_000_000,
      },
    );
    await registry.write(`${host}/cut-upload:1`, await makeImage([6_000_000]));
    await readAll(await registry.image(`${host}/cut-upload:1`));
    proxy.fault = first(2, ({ method }) => method === 'PATCH', { kind: 'cut-upload', after: 1000 });
    await client({ chunkSize: 2_000_000 }).write(`${host}/cut-upload:2`, await makeImage([6_000_000]));
    await readAll(await registry.image(`${host}/cut-upload:2`));
  });

  test('falls silent: that is as if it had broken off', async () => {
    const idle = client({ idle: 500 });
    let times = 0;
    const once = (fault: Fault, of: (seen: Seen) => boolean): void => {
      times = 0;
      proxy.fault = (seen) => (of(seen) && times++ === 0 ? fault : undefined);
    };
    once({ kind: 'silent' }, ({ method }) => method === 'HEAD');
    await idle.write(`${host}/idle:1`, await makeImage([5_000_000]));
    assert.ok(times > 1);
    once(
      { kind: 'stall-upload', after: 100_000 },
      ({ method, url }) => method === 'PUT' && url.includes('/blobs/'),
    );
    const image = await makeImage([30_000_000]);
    // The layer's or the configuration's: whichever comes first.
    await idle.write(`${host}/idle:2`, image);
    assert.ok(times > 1);
    for (const isIt of [({ url }: Seen) => url.includes('/manifests/'), isBlob]) {
      for (const fault of [{ kind: 'silent' }, { kind: 'stall', after: 100 }] as const) {
        once(fault, isIt);
        const { manifest } = await readAll(await idle.image(`${host}/idle:2`));
        assert.deepEqual(Buffer.from(manifest), Buffer.from(await image.manifest()));
        assert.ok(times > 1);
      }
    }
    // What we take our time for is not its fault.
    proxy.fault = () => undefined;
    proxy.seen.length = 0;
    const [layer] = (await (await idle.image(`${host}/idle:2`))?.layers()) ?? [];
    let isFirst = true;
    for await (const _ of layer?.compressed() ?? []) {
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 1200));
      isFirst = false;
    }
    assert.equal(proxy.seen.filter(isBlob).length, 1);
    proxy.fault = (seen) => (isBlob(seen) ? { kind: 'stall', after: 100 } : undefined);
    await assert.rejects(readAll(await idle.image(`${host}/idle:2`)), /broke 6 times, .* for 0.5 s$/);
    proxy.fault = () => ({ kind: 'silent' });
    await assert.rejects(idle.image(`${host}/idle:2`), /cannot be reached: no data for 0.5 s$/);
  });

  test('that lies is refused', async () => {
    await registry.write(`${host}/lies:1`, await makeImage([300_000]));
    proxy.fault = (seen) => (isBlob(seen) ? { kind: 'tamper' } : undefined);
    await assert.rejects(readAll(await registry.image(`${host}/lies:1`)), /has the digest/);
    proxy.fault = (seen) => (isBlob(seen) ? { kind: 'length', length: 10 } : undefined);
    await assert.rejects(readAll(await registry.image(`${host}/lies:1`)), /announced 10 bytes/);
    proxy.fault = (seen) => (isBlob(seen) ? { kind: 'endless' } : undefined);
    await assert.rejects(
      readAll(await registry.image(`${host}/lies:1`)),
      /larger than the declared \d+ bytes/,
    );
    proxy.fault = () => ({ kind: 'tamper' });
    await assert.rejects(registry.image(`${host}/lies:1`), /has the digest/);
    proxy.fault = () => ({ kind: 'endless' });
    await assert.rejects(registry.image(`${host}/lies:1`), /longer than 4194304 bytes/);
  });

  test('a source that fails is what is told, and nothing is tried again', async () => {
    const image = await makeImage([2_000_000]);
    const [layer] = await image.layers();
    assert.ok(layer);
    const broken = {
      ...layer,
      compressed: async function* () {
        yield Buffer.alloc(1000);
        throw new Error('the disk is gone');
      },
    };
    const write = registry.write(`${host}/broken:1`, { ...image, layers: () => Promise.resolve([broken]) });
    await assert.rejects(write, { message: 'the disk is gone' });
    assert.equal(await registry.image(`${host}/broken:1`), undefined);
    assert.deepEqual(clock.waits, []);
  });

  test('an abort ends a pull and a push', async () => {
    const image = await makeImage([2_000_000]);
    const over = new AbortController();
    const push = registry.write(`${host}/abort:1`, image, {
      signal: over.signal,
      onBytes: () => over.abort(new Error('enough')),
    });
    await assert.rejects(push, { message: 'enough' });
    await registry.write(`${host}/abort:1`, image);
    const stop = new AbortController();
    const found = await registry.image(`${host}/abort:1`, {
      signal: stop.signal,
      onBytes: () => stop.abort(new Error('enough')),
    });
    await assert.rejects(readAll(found), { message: 'enough' });
  });

  test('leads to another host, which is not shown what the registry is', async () => {
    await registry.write(`${host}/redirect:1`, await makeImage([10_000]));
    const other = new FaultyProxy(server.host);
    const place = await other.start('127.0.0.2');
    try {
      proxy.fault = (seen) => {
        if (seen.headers.authorization === undefined)
          return { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } };
        if (!isBlob(seen)) return undefined;
        return { kind: 'answer', status: 307, headers: { location: `http://${place}${seen.url}` } };
      };
      const known = client({ credentials: async () => ({ username: 'me', password: 'hunter2' }) });
      await readAll(await known.image(`${host}/redirect:1`));
      assert.ok(other.seen.length >= 2);
      assert.ok(other.seen.every(({ headers }) => headers.authorization === undefined));
      proxy.fault = () => ({
        kind: 'answer',
        status: 307,
        headers: { location: 'http://example.org/?secret' },
      });
      await assert.rejects(
        registry.image(`${host}/redirect:1`),
        /redirects to http:\/\/example.org, which is not encrypted$/,
      );
      proxy.fault = ({ url }) => ({ kind: 'answer', status: 307, headers: { location: url } });
      await assert.rejects(registry.image(`${host}/redirect:1`), /too many redirections/);
    } finally {
      await other.stop();
    }
  });

  test('an image of an index is chosen by platform', async () => {
    const push = async (architecture: string) => {
      const image = await makeImage([1000], { architecture });
      const written = await registry.write(`${host}/multi:${architecture}`, image);
      return { ...written, platform: { os: 'linux', architecture } };
    };
    const manifests = [await push('arm64'), await push('amd64')];
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
    const url = `http://${server.host}/v2/multi/manifests/all`;
    const put = await fetch(url, { method: 'PUT', body: bytes, headers: { 'content-type': mediaType } });
    assert.equal(put.status, 201);
    const name = `${host}/multi:all`;
    const arm = await registry.image(name, {
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
    });
    assert.equal((await arm?.descriptor())?.digest, manifests[0]?.digest);
    await assert.rejects(registry.image(name, { platform: { os: 'linux', architecture: 's390x' } }), {
      message: `${name} has no image for linux/s390x; available: linux/arm64, linux/amd64`,
    });
    await assert.rejects(
      registry.image(`${host}/multi:arm64`, { platform: { os: 'linux', architecture: 'amd64' } }),
      /is for linux\/arm64, but linux\/amd64 was requested/,
    );
    const index = await registry.index(name);
    assert.equal((await index?.descriptor())?.digest, digestOf(bytes));
    assert.ok(await index?.image(manifests[1]?.digest as Digest));
    assert.equal(await registry.index(`${host}/multi:arm64`), undefined);
  });

  test('a layer that lies elsewhere is refused', async () => {
    const image = await makeImage([1000]);
    const manifest = JSON.parse(Buffer.from(await image.manifest()).toString()) as { layers: object[] };
    const layers = manifest.layers.map((layer) => ({ ...layer, urls: ['https://example.org/layer'] }));
    const bytes = Buffer.from(JSON.stringify({ ...manifest, layers }));
    await registry.write(`${host}/foreign:1`, image);
    proxy.fault = ({ url }) =>
      url.includes('/manifests/') ? { kind: 'answer', status: 200, body: bytes.toString() } : undefined;
    await assert.rejects(readAll(await registry.image(`${host}/foreign:1`)), /is a foreign layer/);
  });

  test('podman pulls what was pushed', { skip: without('podman') || process.getuid?.() !== 0 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'luet-ts-podman-'));
    const podman = [
      'podman',
      '--root',
      join(folder, 'root'),
      '--runroot',
      join(folder, 'run'),
      '--storage-driver',
      'vfs',
    ] as const;
    try {
      const image = await makeImage([100_000, 20]);
      const { digest } = await registry.write(`${host}/podman:1`, image);
      const name = `${server.host}/podman:1`;
      await run([...podman, 'pull', '-q', '--tls-verify=false', name]);
      const seen = await run([...podman, 'image', 'inspect', '--format', '{{.Digest}}', name]);
      assert.equal(seen.toString().trim(), digest);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('skopeo reads what was pushed, and pushes what is read', { skip: without('skopeo') }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'luet-ts-skopeo-'));
    try {
      const image = await makeImage([400_000, 20]);
      const { digest } = await registry.write(`${host}/interop:1`, image);
      const from = `docker://${server.host}/interop:1`;
      await run(['skopeo', 'copy', '-q', '--src-tls-verify=false', from, `oci:${folder}:x`]);
      const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as {
        manifests: { digest: string }[];
      };
      assert.equal(index.manifests[0]?.digest, digest);
      const to = `docker://${server.host}/interop:2`;
      await run(['skopeo', 'copy', '-q', '--dest-tls-verify=false', '-f', 'v2s2', `oci:${folder}:x`, to]);
      const back = await registry.image(`${host}/interop:2`);
      assert.match((await back?.descriptor())?.mediaType ?? '', /docker/);
      await readAll(back);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

test('a layer that is pushed is not kept in memory', async () => {
  const made = await makeImage([10]);
  const [layer0] = await made.layers();
  assert.ok(layer0);
  const image = { whole: made, layer: layer0, digest: (await layer0.descriptor()).digest };
  const size = 400 * 1024 * 1024;
  let taken = 0;
  let most = 0;
  const server = createServer((request, response) => {
    const { method, url = '' } = request;
    if (method === 'HEAD') response.writeHead(url.includes(image.digest) ? 404 : 200).end();
    else if (method === 'POST') response.writeHead(202, { location: '/upload' }).end();
    else request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const layer = {
      ...image.layer,
      compressed: async function* () {
        for (; taken < size; taken += 65_536) {
          most = Math.max(most, process.memoryUsage().arrayBuffers);
          yield Buffer.alloc(65_536);
        }
      },
    };
    const manifest = JSON.parse(Buffer.from(await image.whole.manifest()).toString()) as { layers: object[] };
    const layers = manifest.layers.map((one) => ({ ...one, size }));
    const bytes = Buffer.from(JSON.stringify({ ...manifest, layers }));
    const whole = { ...image.whole, manifest: async () => bytes, layers: async () => [layer] };
    const name = `127.0.0.1:${(server.address() as AddressInfo).port}/slow:1`;
    const push = new Registry({ clock: testClock() }).write(name, whole);
    // Its bytes are not those of its digest.
    await assert.rejects(push, /has the digest/);
    assert.equal(taken, size);
    assert.ok(most < size / 2, `${most} bytes were held`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
