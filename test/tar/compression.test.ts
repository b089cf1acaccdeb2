import assert from 'node:assert/strict';
import test from 'node:test';
import { constants, gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { rechunk } from '../../src/tar/compression/rechunk.ts';
import { compress, compressions, decompress } from '../../src/tar/index.ts';
import { chunked, collect } from '../support/stream.ts';
import { run, without } from '../support/tool.ts';

/** Bytes that compress, longer than several of the compressors' chunks. */
const long = Buffer.from(Array.from({ length: 70_000 }, (_, i) => `${(i * 2_654_435_761) % 9973} `).join(''));

const lengths = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 });

test('chunks have one length, whatever the source had', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 4 }),
      async (bytes, length, sizes) => {
        const got: Buffer[] = [];
        for await (const chunk of rechunk(chunked(bytes, ...sizes), length)) got.push(chunk);
        assert.deepEqual(Buffer.concat(got), Buffer.from(bytes));
        assert.ok(got.every((chunk, i) => (i < got.length - 1 ? chunk.length === length : chunk.length > 0)));
      },
    ),
  );
});

for (const compression of compressions) {
  test(`${compression}: output does not depend on how the input arrives`, async () => {
    const whole = await collect(compress(chunked(long), compression));
    await fc.assert(
      fc.asyncProperty(lengths, async (sizes) => {
        assert.ok(whole.equals(await collect(compress(chunked(long, ...sizes), compression))));
      }),
      { numRuns: 8 },
    );
    assert.ok(long.equals(await collect(decompress(chunked(whole, 1000), compression))));
  });

  test(`${compression}: an empty input is a whole archive`, async () => {
    const bytes = await collect(compress(chunked(Buffer.alloc(0)), compression));
    assert.equal((await collect(decompress(chunked(bytes), compression))).length, 0);
  });

  test(`${compression}: an error of the source reaches the reader`, async () => {
    async function* failing() {
      yield long;
      throw new Error('the source broke');
    }
    await assert.rejects(collect(compress(failing(), compression)), /the source broke/);
    await assert.rejects(collect(decompress(failing(), compression)));
  });

  test(`${compression}: leaving early closes the source`, async () => {
    const closed = Promise.withResolvers<void>();
    async function* endless() {
      try {
        for (;;) yield long;
      } finally {
        closed.resolve();
      }
    }
    for await (const _ of compress(endless(), compression)) break;
    await closed.promise;
  });
}

test('damaged and cut streams are errors', async () => {
  for (const compression of ['gzip', 'zstd'] as const) {
    const bytes = await collect(compress(chunked(long), compression));
    await assert.rejects(collect(decompress(chunked(bytes.subarray(0, -9)), compression)));
    const damaged = Buffer.from(bytes);
    damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 0xff;
    await assert.rejects(collect(decompress(chunked(damaged), compression)));
  }
});

test('streams of several members and frames are read to their end', async () => {
  const parts = [
    long,
    Buffer.alloc(0),
    Buffer.alloc(300_000, 'run'),
    Buffer.alloc(200_000),
    Buffer.from('more'),
  ];
  const whole = Buffer.concat(parts);
  const skippable = Buffer.from('502a4d1805000000ffffffffff', 'hex');
  const frames = parts.map((part, i) =>
    zstdCompressSync(part, {
      params: { [constants.ZSTD_c_checksumFlag]: i % 2, [constants.ZSTD_c_contentSizeFlag]: i % 3 },
    }),
  );
  const members = Buffer.concat(parts.map((part) => gzipSync(part)));
  const framed = Buffer.concat([skippable, ...frames, skippable]);
  await fc.assert(
    fc.asyncProperty(lengths, async (sizes) => {
      assert.ok(whole.equals(await collect(decompress(chunked(members, ...sizes), 'gzip'))));
      assert.ok(whole.equals(await collect(decompress(chunked(framed, ...sizes), 'zstd'))));
    }),
    { numRuns: 20 },
  );
  for (const length of [13, framed.length])
    assert.ok(whole.equals(await collect(decompress(chunked(framed, length), 'zstd'))));
});

test('zstd and gzip: what is longer than a block is read by the usual tools, and is a whole number of blocks or not', {
  skip: without('zstd') || without('gzip'),
}, async () => {
  const blocks = Buffer.concat(
    Array.from({ length: 8 }, (_, i) => Buffer.alloc(512 * 1024, `${i} of many `)),
  );
  for (const bytes of [blocks, Buffer.concat([blocks, long])])
    for (const compression of ['gzip', 'zstd'] as const) {
      const packed = await collect(compress(chunked(bytes, 70_001), compression));
      assert.ok(bytes.equals(await run([compression, '-dc'], { input: packed })));
      assert.ok(bytes.equals(await collect(decompress(chunked(packed, 999), compression))));
      const other = collect(compress(chunked(blocks), compression));
      // Another stream at the same time changes when what is compressed, and nothing else.
      assert.ok(packed.equals(await collect(compress(chunked(bytes, 5_000_000), compression))));
      await other;
    }
});

test('a gzip header names neither a time nor a system', async () => {
  const bytes = await collect(compress(chunked(long), 'gzip'));
  assert.deepEqual([...bytes.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  assert.ok(long.equals(gunzipSync(bytes)));
});

test('the usual tools unpack it', { skip: without('zstd') || without('gzip') }, async () => {
  const packed = async (compression: 'gzip' | 'zstd') => collect(compress(chunked(long), compression));
  assert.ok(long.equals(await run(['gzip', '-dc'], { input: await packed('gzip') })));
  assert.ok(long.equals(await run(['zstd', '-dc'], { input: await packed('zstd') })));
  assert.ok(long.equals(zstdDecompressSync(await packed('zstd'))));
});
