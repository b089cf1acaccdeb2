import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import {
  assembleImage,
  digestOf,
  extractImage,
  type Image,
  ImageError,
  type Layer,
  layerMediaType,
  openPath,
  type PathLocation,
  packLayer,
  removeFolder,
  unpackLayer,
  writePath,
} from '../../../src/image/index.ts';
import type { Compression } from '../../../src/tar/index.ts';
import { rawTar } from '../../support/raw-tar.ts';
import { chunked, collect } from '../../support/stream.ts';

/** What writers that were not closed leave: archives without the empty blocks at their end, and one of no bytes. */
const whole = rawTar([{ name: 'a', flag: '0', content: 'one' }]);
const open = rawTar([{ name: 'b', flag: '0', content: 'two' }], false);
const oneBlock = Buffer.concat([
  rawTar([{ name: 'c', flag: '0', content: 'three' }], false),
  Buffer.alloc(512),
]);
const nothing = Buffer.alloc(0);

async function layerOf(tar: Buffer, compression: Compression): Promise<Layer> {
  const packed = compression === 'none' ? tar : await collect(packLayer(chunked(tar, 100), compression));
  return {
    descriptor: async () => ({
      mediaType: layerMediaType(compression),
      digest: digestOf(packed),
      size: packed.length,
    }),
    diffId: async () => digestOf(tar),
    compressed: () => chunked(packed, 100),
    uncompressed: () => unpackLayer(chunked(packed, 100)),
  };
}

async function imageOf(tars: readonly Buffer[], compression: Compression): Promise<Image> {
  const layers = await Promise.all(tars.map((tar) => layerOf(tar, compression)));
  const configuration = {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), layers);
}

async function scratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-open-'));
  try {
    await work(folder);
  } finally {
    removeFolder(folder);
  }
}

/** What the image at a place holds, as text. */
async function held(place: PathLocation, root: string): Promise<Record<string, string>> {
  mkdirSync(root);
  const { image, close } = await openPath(place);
  await extractImage(image, root, { owners: 'none' });
  await close();
  return Object.fromEntries(readdirSync(root).map((name) => [name, readFileSync(join(root, name), 'utf8')]));
}

for (const kind of ['oci', 'oci-archive', 'docker-archive'] as const)
  for (const compression of ['none', 'gzip', 'zstd'] as const)
    test(`layers that end open, or have no bytes: ${kind}, ${compression}`, () =>
      scratch(async (folder) => {
        const place: PathLocation = { kind, path: join(folder, 'image') };
        await writePath(place, await imageOf([whole, open, nothing, oneBlock], compression));
        assert.deepEqual(await held(place, join(folder, 'root')), { a: 'one', b: 'two', c: 'three' });
      }));

test('a root file system that ends open, and archives of images that do', () =>
  scratch(async (folder) => {
    for (const [name, bytes] of [
      ['plain', open],
      ['gzip', await collect(packLayer(chunked(open, 100), 'gzip'))],
      ['zstd', await collect(packLayer(chunked(open, 100), 'zstd'))],
    ] as const) {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      assert.deepEqual(await held({ kind: 'rootfs', path }, `${path}.root`), { b: 'two' });
    }
    for (const kind of ['oci-archive', 'docker-archive'] as const) {
      const path = join(folder, kind);
      await writePath({ kind, path }, await imageOf([whole], 'none'));
      const bytes = readFileSync(path);
      assert.deepEqual(bytes.subarray(-1024), Buffer.alloc(1024));
      writeFileSync(path, bytes.subarray(0, -1024));
      assert.deepEqual(await held({ kind, path }, `${path}.root`), { a: 'one' });
    }
  }));

test('what ends within an entry is refused', () =>
  scratch(async (folder) => {
    for (const [i, length] of [100, 515, 600].entries()) {
      const path = join(folder, `${i}`);
      writeFileSync(path, open.subarray(0, length));
      await assert.rejects(held({ kind: 'rootfs', path }, `${path}.root`), (error) => {
        assert.ok(error instanceof ImageError);
        assert.match(error.message, /unexpected end of the archive/);
        return true;
      });
    }
  }));
