import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { fromBytes, fromText, toBytes, toText } from '../../src/tar/index.ts';

test('bytes become a path and bytes again', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      assert.deepEqual(toBytes(fromBytes(bytes)), Buffer.from(bytes));
    }),
  );
});

test('text becomes a path and text again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.equal(toText(fromText(text)), text);
    }),
  );
});

test('paths are ordered as their bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      assert.equal(fromBytes(a) < fromBytes(b), Buffer.compare(a, b) < 0);
    }),
  );
});

test('every byte that is no part of UTF-8 reads as one U+FFFD', () => {
  const bad = '\ufffd';
  for (const [bytes, text] of [
    ['a\xff\xfeb', `a${bad}${bad}b`],
    ['\xe2\x82', bad + bad],
    ['\xe2\x82\xac\xe2\x82', `€${bad}${bad}`],
    ['\xf0\x9f\x98', bad.repeat(3)],
    ['\xf0\x9f\x98\x80', '😀'],
    ['\xc0\xaf', bad + bad],
    ['\xe0\x80\xaf', bad.repeat(3)],
    ['\xf0\x80\x80\xaf', bad.repeat(4)],
    ['\xed\xa0\x80', bad.repeat(3)],
    ['\xf4\x90\x80\x80', bad.repeat(4)],
    ['\xf5\x80', bad + bad],
    ['\x80', bad],
    ['\xef\xbf\xbd\xff', bad + bad],
    ['\xef\xbb\xbfx', '\ufeffx'],
  ] as const)
    assert.equal(toText(bytes), text, JSON.stringify(bytes));
});
