import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { decodeInputs, decodeRecord, encodeInputs, encodeRecord } from '../../src/cache/index.ts';
import type { KeyInputs } from '../../src/resolve/index.ts';

/** Paths of one byte a unit, as they come from file systems. */
const path = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  minLength: 1,
});

test('a record comes back from its label', () => {
  fc.assert(
    fc.property(fc.array(path), fc.oneof(fc.nat(), fc.array(path)), fc.nat(), (added, changed, removed) => {
      const label = encodeRecord({ added, changed, removed });
      assert.match(label, /^[A-Za-z0-9_-]+$/);
      assert.deepEqual(decodeRecord(label), { added, changed, removed });
    }),
  );
});

test('very many changed paths are only counted', () => {
  const changed = Array.from({ length: 20_000 }, (_, i) => `usr/${(i * 7919) ** 3}/${i}`);
  const record = decodeRecord(encodeRecord({ added: ['a'], changed, removed: 0 }));
  assert.deepEqual(record, { added: ['a'], changed: changed.length, removed: 0 });
});

test('a damaged label is no record', () => {
  const label = encodeRecord({ added: ['usr/bin/x', 'etc/y'], changed: 1, removed: 2 });
  for (const bad of [
    undefined,
    '',
    'x',
    label.slice(0, -4),
    `A${label}`,
    Buffer.from('[1,2,3]').toString('base64url'),
  ])
    assert.equal(decodeRecord(bad), undefined, bad);
});

const inputs: KeyInputs = {
  scheme: 2,
  name: 'a',
  category: 't',
  version: '1',
  platform: 'linux/amd64',
  parent: '0'.repeat(64),
  prelude: [],
  steps: ['make'],
  env: ['A=b'],
  context: [],
  copies: [],
  retrieved: [],
};

test('the inputs of a key come back from their label', () => {
  assert.deepEqual(decodeInputs(encodeInputs(inputs)), inputs);
});

test('a damaged label has no inputs', () => {
  const label = encodeInputs(inputs);
  for (const bad of [
    undefined,
    '',
    'x',
    label.slice(0, -4),
    `A${label}`,
    encodeRecord({ added: [], changed: 0, removed: 0 }),
  ])
    assert.equal(decodeInputs(bad), undefined, bad);
});
