import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Engine, EngineError } from '../../../src/engine/index.ts';
import {
  assembleImage,
  type Digest,
  digestOf,
  type Image,
  ImageError,
  type Layer,
  layerMediaType,
  packLayer,
  verified,
} from '../../../src/image/index.ts';
import { type Compression, readTar, writeTar } from '../../../src/tar/index.ts';
import { chunked, collect, file, sourceOf } from '../../support/stream.ts';
import { openOn, type Subject } from './subject.ts';

const repository = `luet-ts-test/exchanged-${process.pid}`;
const labels = { 'luet-ts.record': 'a"b\\c d=e', 'luet-ts.run': '' };

/** A layer in memory. Where `lie` is given, its bytes are not what its digest says. */
async function layer(path: string, text: string, compression: Compression, lie = false): Promise<Layer> {
  const tar = await collect(writeTar(sourceOf([file(path, text)])));
  const packed = await collect(packLayer(chunked(tar, 1000), compression));
  const diffId = lie ? digestOf(Buffer.from('something else')) : digestOf(tar);
  return {
    descriptor: async () => ({
      mediaType: layerMediaType(compression),
      digest: digestOf(packed),
      size: packed.length,
    }),
    diffId: async () => diffId,
    compressed: () => chunked(packed, 100),
    uncompressed: () => verified(chunked(tar, 100), { digest: diffId }),
  };
}

async function imageOf(layers: readonly Layer[]): Promise<Image> {
  const ids: Digest[] = [];
  for (const one of layers) ids.push(await one.diffId());
  const configuration = {
    created: '2020-01-02T03:04:05Z',
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['A=b=c', 'PATH=/bin'], Labels: labels, Cmd: ['/x'], WorkingDir: '/w' },
    rootfs: { type: 'layers', diff_ids: ids },
    history: layers.map(() => ({ created: '2020-01-02T03:04:05Z', created_by: 'test' })),
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), layers);
}

/** Images as data: `read` and `write`. */
export function exchangeContract({ engine: make, base, readsAhead }: Subject): void {
  let engine: Engine;
  const temporary = mkdtempSync(join(tmpdir(), 'luet-ts-exchange-'));
  before(async () => {
    engine = await make(undefined, temporary);
  });
  after(async () => {
    for (const tag of (await engine.list(repository)).keys()) await engine.remove(`${repository}:${tag}`);
    await engine.close();
  });
  const nothingLeft = (): void => assert.deepEqual(readdirSync(temporary), []);

  test('what was committed can be read, several images at once, and written again under other names', async () => {
    const workspace = await openOn(engine, base);
    try {
      assert.equal(await workspace.run('echo one >/one; rm -rf /etc/motd', () => {}), 0);
      await workspace.commit(`${repository}:one`, { 'luet-ts.record': 'zM-_' });
    } finally {
      await workspace.close();
    }
    const names = [base, `${repository}:one`];
    const counts: number[] = [];
    const opened = await engine.read([...names, `${repository}:none`], { onBytes: (n) => counts.push(n) });
    const told = await Promise.all(names.map((name) => engine.resolve(name, { pull: false })));
    assert.equal(await opened.image(`${repository}:none`), undefined);
    const images: Image[] = [];
    for (const [at, name] of names.entries()) {
      const image = await opened.image(name);
      assert.ok(image !== undefined);
      const { rootfs, config } = await image.configuration();
      assert.deepEqual(rootfs.diff_ids, told[at]?.layers);
      assert.deepEqual(config?.Labels ?? {}, told[at]?.labels);
      assert.deepEqual(config?.Env ?? [], told[at]?.config.env);
      for (const one of await image.layers()) await collect(one.uncompressed());
      images.push(image);
    }
    assert.ok(counts.length > 0);
    await engine.remove(`${repository}:one`);
    await engine.write(
      images.map((image, at) => ({ name: `${repository}:again${at}`, image })),
      { onBytes: (n) => counts.push(n) },
    );
    await opened.close();
    await opened.close();
    nothingLeft();
    for (const at of names.keys()) {
      const again = await engine.resolve(`${repository}:again${at}`, { pull: false });
      assert.deepEqual({ ...again, reference: '' }, { ...told[at], reference: '' });
    }
    assert.equal((await engine.list(repository)).get('again1')?.labels['luet-ts.record'], 'zM-_');
  });

  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    test(`an image from elsewhere comes in and out as it is: ${compression}`, async () => {
      const image = await imageOf([
        await layer('a', `a ${compression}`, compression),
        await layer('b', `b ${compression}`, compression),
      ]);
      const name = `${repository}:${compression}`;
      await engine.write([{ name, image }]);
      nothingLeft();
      const meant = await image.configuration();
      const told = await engine.resolve(name, { pull: false });
      assert.deepEqual(told, {
        reference: name,
        layers: meant.rootfs.diff_ids,
        config: { env: meant.config?.Env, os: 'linux', architecture: meant.architecture, variant: '' },
        created: 1577934245,
        labels,
      });
      const opened = await engine.read([name]);
      const back = await opened.image(name);
      const found: string[] = [];
      for (const one of (await back?.layers()) ?? [])
        for await (const { entry, content } of readTar(one.uncompressed()))
          found.push(`${entry.path}: ${(await collect(content)).toString()}`);
      assert.deepEqual(found, [`a: a ${compression}`, `b: b ${compression}`]);
      const now = await back?.configuration();
      assert.deepEqual(
        [now?.rootfs, now?.config?.Env, now?.config?.Labels, now?.created],
        [meant.rootfs, meant.config?.Env, labels, meant.created],
      );
      await opened.close();
    });
  }

  test('an image whose layer lies is refused, and nothing of it is there', async () => {
    const name = `${repository}:lie`;
    for (const compression of ['gzip', 'zstd'] as const) {
      const image = await imageOf([await layer('a', 'x', compression, true)]);
      await assert.rejects(engine.write([{ name, image }]), (error: Error) => {
        assert.ok(error instanceof EngineError || error instanceof ImageError, String(error));
        return true;
      });
      assert.equal(await engine.resolve(name, { pull: false }), undefined);
      nothingLeft();
    }
  });

  test('a layer that cannot be read ends the writing with its own error', async () => {
    const good = await layer('a', 'x'.repeat(100_000), 'none');
    const broken = new Error('the disk is on fire');
    const image = await imageOf([
      {
        ...good,
        async *compressed() {
          yield Buffer.alloc(1000);
          throw broken;
        },
        async *uncompressed() {
          yield Buffer.alloc(1000);
          throw broken;
        },
      },
    ]);
    const name = `${repository}:broken`;
    await assert.rejects(engine.write([{ name, image }]), /the disk is on fire/);
    assert.equal(await engine.resolve(name, { pull: false }), undefined);
    nothingLeft();
  });

  test('an interruption ends reading and writing, and leaves nothing behind', async () => {
    const stop = new AbortController();
    if (!readsAhead) stop.abort();
    const reading = (async () => engine.read([base], { signal: stop.signal, onBytes: () => stop.abort() }))();
    await assert.rejects(reading, { name: 'AbortError' });
    nothingLeft();
    const again = new AbortController();
    const image = await imageOf([await layer('a', 'x'.repeat(5_000_000), 'none')]);
    const name = `${repository}:stopped`;
    const writing = engine.write([{ name, image }], { signal: again.signal, onBytes: () => again.abort() });
    await assert.rejects(writing, { name: 'AbortError' });
    assert.equal(await engine.resolve(name, { pull: false }), undefined);
    nothingLeft();
  });

  test('all images are listed with their names', async () => {
    const found = await engine.listAll();
    const plain = found.flatMap(({ names }) =>
      names.map((one) => one.replace(/^(localhost|docker\.io)\//, '')),
    );
    assert.ok(plain.includes(base), plain.join());
    assert.ok(plain.includes(`${repository}:gzip`));
  });

  test('a temporary image goes with the engine', async () => {
    const name = `${repository}:tmp-x-0123`;
    const other = await make(undefined, temporary);
    await other.write([{ name, image: await imageOf([await layer('a', 't', 'none')]) }], { temporary: true });
    assert.ok((await engine.resolve(name, { pull: false })) !== undefined);
    await other.close();
    assert.equal(await engine.resolve(name, { pull: false }), undefined);
  });
}
