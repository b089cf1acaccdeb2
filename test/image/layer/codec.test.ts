import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import {
  ImageError,
  isLayerMediaType,
  layerMediaType,
  packLayer,
  unpackLayer,
} from '../../../src/image/index.ts';
import { compressions } from '../../../src/tar/index.ts';
import { chunked, collect } from '../../support/stream.ts';

test('what is packed is unpacked, however it arrives and whatever the media type claims', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 2000 }),
      fc.constantFrom(...compressions),
      fc.constantFrom(...compressions),
      fc.integer({ min: 1, max: 50 }),
      async (bytes, compression, claimed, length) => {
        // A plain archive that begins like a compressed one is not an archive.
        const archive = Buffer.concat([Buffer.from('entry'), bytes]);
        const packed = await collect(packLayer(chunked(archive, length), compression));
        const unpacked = unpackLayer(chunked(packed, length), { mediaType: layerMediaType(claimed) });
        assert.ok(archive.equals(await collect(unpacked)));
      },
    ),
  );
});

test('all members and frames are unpacked', async () => {
  const parts = ['one', 'two', '', 'three'].map((text) => Buffer.from(text));
  const skippable = Buffer.from('5e2a4d1803000000ffffff', 'hex');
  for (const packed of [
    Buffer.concat(parts.map((part) => gzipSync(part))),
    Buffer.concat([skippable, ...parts.map((part) => zstdCompressSync(part)), skippable]),
  ])
    for (const length of [1, 7, packed.length])
      assert.equal((await collect(unpackLayer(chunked(packed, length)))).toString(), 'onetwothree');
});

test('an archive that blows up stops at the limit, and one that is only well compressed does not', async () => {
  const zeros = Buffer.alloc(16 * 1024 * 1024);
  for (const [bomb, times] of [
    [gzipSync(zeros), 250],
    [zstdCompressSync(zeros), 250],
  ] as const) {
    let got = 0;
    await assert.rejects(
      async () => {
        const limit = { always: 1024 * 1024, times };
        for await (const chunk of unpackLayer(chunked(bomb, 1024), { limit })) got += chunk.length;
      },
      (error) =>
        error instanceof ImageError && /\d+ compressed bytes gave more than \d+ bytes,/.test(error.message),
    );
    assert.ok(got <= zeros.length / 2, `${got}`);
    // Within what is always allowed it is no matter.
    const limit = { always: zeros.length, times };
    assert.equal((await collect(unpackLayer(chunked(bomb, 1024), { limit }))).length, zeros.length);
  }
  const text = gzipSync(Buffer.from(Array.from({ length: 1e5 }, (_, i) => `line ${i}\n`).join('')));
  await collect(unpackLayer(chunked(text, 1024), { limit: { always: 0, times: 250 } }));
});

test('damage, other compressions and other media types are errors, and the source is closed', async () => {
  let closed = 0;
  async function* source(bytes: Uint8Array) {
    try {
      yield* chunked(bytes, 2);
    } finally {
      closed++;
    }
  }
  const good = gzipSync('x'.repeat(1000));
  const bad = [
    good.subarray(0, -4),
    Buffer.concat([good.subarray(0, 12), Buffer.from('no'), good.subarray(14)]),
    zstdCompressSync('x'.repeat(1000)).subarray(0, -2),
    Buffer.from('fd377a585a00000000', 'hex'),
    Buffer.from('BZh91AY'),
  ];
  for (const bytes of bad) await assert.rejects(collect(unpackLayer(source(bytes))), ImageError);
  assert.equal(closed, bad.length);
  await assert.rejects(collect(unpackLayer(chunked(good), { mediaType: 'application/json' })), ImageError);
  assert.ok(isLayerMediaType('application/vnd.docker.image.rootfs.diff.tar.gzip'));
  assert.ok(!isLayerMediaType('application/vnd.oci.image.layer.v1.tar+gzip+encrypted'));
});

test('an error of the source reaches the reader as it is', async () => {
  const mine = new Error('the source broke');
  for (const start of [gzipSync('abc'), Buffer.from('entry'), Buffer.alloc(0)])
    await assert.rejects(
      collect(
        unpackLayer(
          (async function* () {
            yield start;
            throw mine;
          })(),
        ),
      ),
      (error) => error === mine,
    );
});
