import assert from 'node:assert/strict';
import { test } from 'node:test';
import { finalTag, tagProblems } from '../../src/repository/index.ts';

const pack = (fingerprint: string) => ({ package: `p/${fingerprint}`, fingerprint });
const problemsOf = (...fingerprints: readonly string[]): string[] =>
  tagProblems(fingerprints.map(pack)).map(({ message }) => message);

test('a + is written as -', () => {
  assert.equal(finalTag('core-app-1.0+1+2'), 'core-app-1.0-1-2');
  assert.deepEqual(problemsOf('core-app-1.0+1', 'core-app-1.0', '0ad-nocat--0.1', '_x-c-1'), []);
});

test('packages that share a tag are named', () => {
  assert.deepEqual(problemsOf('a-c-1+1', 'b-c-1', 'a-c-1-1'), [
    'p/a-c-1-1 and p/a-c-1+1 would have the same tag a-c-1-1, in which + is written as -',
  ]);
  assert.deepEqual(problemsOf('a-c-1', 'a-c-1'), []);
});

test('tags that cannot exist are named with the sign that is wrong', () => {
  assert.deepEqual(problemsOf('a-c-2.0~rc1', 'a-c-1:2', '.a-c-1', 'ä-c-1'), [
    'p/a-c-2.0~rc1 cannot have an image of its content: its tag a-c-2.0~rc1 has the sign "~", which a tag cannot have',
    'p/a-c-1:2 cannot have an image of its content: its tag a-c-1:2 has the sign ":", which a tag cannot have',
    'p/.a-c-1 cannot have an image of its content: its tag .a-c-1 has the sign ".", which a tag cannot have there',
    'p/ä-c-1 cannot have an image of its content: its tag ä-c-1 has the sign "ä", which a tag cannot have there',
  ]);
  const long = `${'x'.repeat(113)}-c`;
  assert.deepEqual(problemsOf(long.slice(1)), []);
  assert.equal(problemsOf(`${long}`).length, 1);
});
