import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { createFilter, select, topmost } from '../../src/delta/index.ts';

const part = fc.constantFrom('a', 'b', 'c.so', 'd.e', 'usr', 'lib');
const path = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const paths = fc.uniqueArray(path, { maxLength: 20 });
const expression = fc.constantFrom('^/usr', '\\.so$', 'a', '/lib/', '^/a$', 'nothing');
const expressions = fc.record({
  includes: fc.array(expression, { maxLength: 3 }),
  excludes: fc.array(expression, { maxLength: 3 }),
});

const foldersOf = (one: string): string[] =>
  one
    .split('/')
    .slice(0, -1)
    .map((_, i, all) => all.slice(0, i + 1).join('/'));

test('a package holds what its expressions keep, and the folders on the way there', () => {
  fc.assert(
    fc.property(paths, expressions, (candidates, given) => {
      const filter = createFilter(given);
      const kept = candidates.filter((one) => filter.keeps(one));
      const expected = [...new Set([...kept, ...kept.flatMap(foldersOf)])].sort();
      const selection = select(candidates, given);
      assert.deepEqual(selection.paths, expected);
      assert.deepEqual(
        [...selection.folders].sort(),
        expected.filter((one) => !kept.includes(one)),
      );
      assert.deepEqual(
        [...selection.verdicts].filter(([, verdict]) => verdict.keeps).map(([at]) => at),
        kept,
      );
      assert.equal(selection.verdicts.size, candidates.length);
      assert.deepEqual(selection.unmatched, filter.unmatched());
    }),
  );
});

test('the topmost paths say of each path whether it is at or below one', () => {
  fc.assert(
    fc.property(paths, (all) => {
      const tops = topmost(all);
      for (const one of tops) assert.ok(!foldersOf(one).some((folder) => all.includes(folder)));
      for (const one of all) assert.ok([one, ...foldersOf(one)].some((at) => tops.includes(at)));
    }),
  );
});
