import assert from 'node:assert/strict';
import test from 'node:test';
import { fingerprint, formatPackage, parsePackageArgument } from '../../src/spec/index.ts';

const candidates = (text: string) => {
  const parsed = parsePackageArgument(text);
  assert.ok(!('error' in parsed), JSON.stringify(parsed));
  return parsed.candidates;
};

test('a package is named in all of its spellings', () => {
  assert.deepEqual(candidates('foo'), [{ name: 'foo', selector: '' }]);
  assert.deepEqual(candidates('utils/foo'), [{ name: 'foo', category: 'utils', selector: '' }]);
  assert.deepEqual(candidates('utils/foo@1.1'), [{ name: 'foo', category: 'utils', selector: '1.1' }]);
  assert.deepEqual(candidates('utils/foo@>=1.1'), [{ name: 'foo', category: 'utils', selector: '>=1.1' }]);
  assert.deepEqual(candidates('foo@<2'), [{ name: 'foo', selector: '<2' }]);
  assert.deepEqual(candidates('=utils/foo-1.1'), [{ name: 'foo', category: 'utils', selector: '=1.1' }]);
  assert.deepEqual(candidates('utils/foo-bar+2.0'), [
    { name: 'foo-bar+2.0', category: 'utils', selector: '' },
  ]);
});

test('where the version of =category/name-version begins is left open', () => {
  assert.deepEqual(
    candidates('=dev/gtk-doc-1.2-r1').map(({ name, selector }) => `${name} ${selector}`),
    ['gtk-doc =1.2-r1', 'gtk =doc-1.2-r1', 'gtk-doc-1.2 =r1'],
  );
});

test('what is no package says what was expected', () => {
  for (const text of [
    '',
    '/',
    'a/',
    '/b',
    'a/b/c',
    'a b',
    '>=a/b',
    '=a/b',
    '=b',
    'a/b@',
    'a/b@>',
    'a/b@1 2',
  ]) {
    assert.ok('error' in parsePackageArgument(text), text);
  }
});

test('a package is written for people and for files', () => {
  const foo = { name: 'foo', category: 'utils', version: '1.0+2' };
  assert.equal(formatPackage(foo), 'utils/foo-1.0+2');
  assert.equal(fingerprint(foo), 'foo-utils-1.0+2');
  assert.equal(formatPackage({ ...foo, category: '' }), 'foo-1.0+2');
  assert.equal(fingerprint({ ...foo, category: '' }), 'foo--1.0+2');
  assert.equal(formatPackage({ ...foo, version: '' }), 'utils/foo');
});
