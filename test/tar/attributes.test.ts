import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { attributeNames, getAttribute, setAttribute, toBytes } from '../../src/tar/index.ts';

const value = Buffer.from([0, 255, 1]);

test('attributes are set and read whatever bytes a path has', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-attributes-'));
  const scratch = join(folder, 'scratch');
  try {
    writeFileSync(join(folder, 'probe'), '');
    if (!setAttribute({ path: join(folder, 'probe'), isFolder: false }, 'user.a', value))
      return t.skip('this file system has no attributes for users');
    for (const name of ['plain', '\xc3\xa4', '\xff', '\xfe/\xc3\xa4', '\xfe/plain', '\xfe/\xff']) {
      for (const isFolder of [true, false]) {
        const path = `${folder}/${isFolder ? 'd' : 'f'}${name}`;
        mkdirSync(toBytes(isFolder ? path : path.slice(0, path.lastIndexOf('/'))), { recursive: true });
        if (!isFolder) writeFileSync(toBytes(path), '');
        const place = { path, isFolder, scratch };
        assert.ok(setAttribute(place, 'user.a', value));
        assert.deepEqual(getAttribute(place, 'user.a'), value);
        assert.equal(getAttribute(place, 'user.b'), undefined);
        assert.deepEqual(attributeNames(place), ['user.a']);
      }
    }
    assert.ok(!readdirSync(folder).includes('scratch'));
    // A link at the end is not followed.
    symlinkSync('probe', join(folder, 'link'));
    assert.equal(getAttribute({ path: join(folder, 'link'), isFolder: false }, 'user.a'), undefined);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
