import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Digest,
  digestOf,
  ImageError,
  isDigest,
  measure,
  parseDigest,
  verified,
} from '../../../src/image/index.ts';
import { chunked, collect } from '../../support/stream.ts';

const bytes = Buffer.from('some bytes of a blob');
const declared = { digest: digestOf(bytes), size: bytes.length };
const zeros = `sha256:${'0'.repeat(64)}` as Digest;

test('bytes that are what was declared pass, however they arrive', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 80 }),
      async (blob, length) => {
        const what = { digest: digestOf(blob), size: blob.length };
        assert.deepEqual(await collect(verified(chunked(blob, length), what)), Buffer.from(blob));
        assert.deepEqual(await measure(chunked(blob, length)), what);
      },
    ),
  );
  await collect(verified(chunked(bytes), { digest: declared.digest }));
});

test('other bytes, fewer and more fail', async () => {
  const read = (blob: Uint8Array, what = declared) => collect(verified(chunked(blob, 3), what));
  await assert.rejects(read(bytes, { ...declared, digest: zeros }), ImageError);
  await assert.rejects(read(bytes.subarray(1)), /ended after 19 of 20 bytes/);
  await assert.rejects(read(Buffer.concat([bytes, bytes])), /larger than the declared 20 bytes/);
});

test('a stream without end is left as soon as it gives more than was declared', async () => {
  let given = 0;
  let closed = false;
  async function* endless() {
    try {
      for (;;) {
        given += bytes.length;
        yield bytes;
      }
    } finally {
      closed = true;
    }
  }
  let got = 0;
  await assert.rejects(async () => {
    for await (const chunk of verified(endless(), { digest: zeros, size: 50 })) got += chunk.length;
  }, ImageError);
  assert.deepEqual([given, got, closed], [60, 40, true]);
});

test('a digest is SHA-256 in lower case', () => {
  assert.ok(isDigest(zeros));
  for (const text of [
    '',
    'sha256:',
    `sha512:${'0'.repeat(128)}`,
    zeros.toUpperCase(),
    `${zeros}\n`,
    `${zeros}/..`,
    5,
  ])
    assert.throws(() => parseDigest(text, 'a layer'), ImageError);
});
