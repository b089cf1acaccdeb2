import assert from 'node:assert/strict';
import test from 'node:test';
import { archiveName, compressionOf, compressions } from '../../src/artifact/index.ts';

test('a file name tells the compression', () => {
  for (const compression of compressions)
    assert.equal(compressionOf(archiveName('a-b-1', compression)), compression);
  assert.equal(compressionOf('a-b-1.metadata.yaml'), undefined);
  assert.equal(compressionOf('a.tar.gz'), undefined);
});
