import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { makeSite, onBase, written } from '../support/site.ts';

test('a package does not replace the files of another in the destination', async (t) => {
  const site = makeSite(t, {
    a: { definition: { name: 'a', category: 'b-c' }, build: onBase('echo first >/f1') },
    b: { definition: { name: 'a-b', category: 'c' }, build: onBase('echo second >/f2') },
    c: {
      build: {
        ...onBase('echo third >/f3'),
        subpackages: [{ name: 'a-b', category: 'c', version: '1', includes: ['^/f3'] }],
      },
    },
  });
  assert.equal((await site.build(['b-c/a'])).code, 0);
  const before = written(site.out);
  for (const words of [['c/a-b'], ['c/a-b', '--rebuild'], ['t/c']]) {
    const { code, stderr } = await site.build(words);
    assert.equal(code, 1, words.join(' '));
    assert.match(
      stderr,
      /error\[same-file\]: .*a-b-c-1 is a file of b-c\/a-1, which this package would replace/,
    );
    assert.deepEqual(written(site.out), before);
  }
  // Another version of the same file, and another folder, are well.
  assert.equal((await site.build(['b-c/a', '--rebuild'])).code, 0);
  assert.equal((await site.build(['c/a-b', '--destination', join(site.folder, 'other')])).code, 0);
});
