import assert from 'node:assert/strict';
import test from 'node:test';
import { type CutSpec, keptBy } from '../../src/delta/index.ts';

const spec = (more: Partial<CutSpec> = {}): CutSpec => ({
  kind: 'delta',
  folder: '',
  includes: [],
  excludes: [],
  ...more,
});

test('what a package would hold of some paths is decided by its own filters and a subpackage’s', () => {
  const paths = ['etc/a', 'etc/b', 'usr/c'];
  for (const [of, kept] of [
    [spec(), paths],
    [spec({ includes: ['^/etc/'] }), ['etc/a', 'etc/b']],
    [spec({ includes: ['^/etc/'], excludes: ['b$'] }), ['etc/a']],
    [spec({ excludes: ['.*'] }), []],
    [spec({ within: { includes: ['^/usr'], excludes: [] } }), ['usr/c']],
    [spec({ includes: ['^/etc/'], within: { includes: ['^/usr'], excludes: [] } }), []],
    [spec({ kind: 'unpack' }), []],
    [spec({ kind: 'directory', folder: 'etc' }), []],
    [spec({ kind: 'empty' }), []],
  ] as const)
    assert.deepEqual(keptBy(of, paths), kept, JSON.stringify(of));
});

test('a path may be that of a folder', () => {
  assert.deepEqual(keptBy(spec({ includes: ['^/usr/share/doc/'] }), ['usr/share/doc', 'usr/share']), [
    'usr/share/doc',
  ]);
});
