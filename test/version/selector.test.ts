import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  admits,
  compareVersions,
  formatSelector,
  intersects,
  parseSelector,
  parseVersion,
  type Selector,
} from '../../src/version/index.ts';

function read(text: string): Selector {
  const parsed = parseSelector(text);
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed;
}

test('reads every form', () => {
  for (const [text, written] of [
    ['', ''],
    ['  ', ''],
    ['1.0', '=1.0'],
    ['=1.0', '=1.0'],
    ['==1.0', '=1.0'],
    ['!1.0', '!=1.0'],
    ['!=1.0', '!=1.0'],
    ['>1.0', '>1.0'],
    ['>= 1.0 ', '>=1.0'],
    ['<1.0~rc1', '<1.0~rc1'],
    ['<=1:1.0-1', '<=1:1.0-1'],
  ] as const) {
    assert.equal(formatSelector(read(text)), written);
    assert.equal(formatSelector(read(written)), written);
  }
});

test('says why a text is no selector', () => {
  for (const [text, why] of [
    ['>=', /expected a version after `>=`/],
    ['!', /expected a version/],
    ['>=1,<2', /several conditions/],
    ['>=1 <2', /several conditions/],
    ['>=1, <2', /several conditions/],
    ['1 || 2', /several conditions/],
    ['=>1', /expected `>=V`/],
    ['>=!1', /expected `>=V`/],
    ['>=1 2', /whitespace/],
    ['1/2', /`\/`/],
    ['\x1b', /control/],
  ] as const) {
    const parsed = parseSelector(text);
    assert.ok('error' in parsed, text);
    assert.match(parsed.error, why);
    assert.ok(parsed.error.includes(JSON.stringify(text)));
  }
});

test('admits what stands in its relation', () => {
  const relations: Record<string, (order: number) => boolean> = {
    '': (o) => o === 0,
    '=': (o) => o === 0,
    '==': (o) => o === 0,
    '!': (o) => o !== 0,
    '!=': (o) => o !== 0,
    '>': (o) => o > 0,
    '>=': (o) => o >= 0,
    '<': (o) => o < 0,
    '<=': (o) => o <= 0,
  };
  const versions = ['1~', '1', 'v1.0', '1+1', '1.0', '1.00', '2', '1:0', '2-r1'];
  for (const [operator, holds] of Object.entries(relations)) {
    for (const bound of versions) {
      for (const version of versions) {
        const parsed = parseVersion(version);
        const expected = holds(compareVersions(version, bound));
        assert.equal(admits(read(operator + bound), version), expected, `${operator}${bound} ${version}`);
        assert.ok(!('error' in parsed) && admits(read(operator + bound), parsed) === expected);
        assert.ok(admits(read(''), version));
      }
    }
  }
});

test('two selectors meet exactly where a version lies in both', () => {
  const version = fc.stringMatching(/^[0-9][0-9a.+~]{0,3}(-[0-9~a]{1,2})?$/);
  const selector = fc
    .tuple(fc.constantFrom('=', '!=', '>', '>=', '<', '<='), version)
    .map(([operator, v]) => ({ text: operator + v, v }));
  fc.assert(
    fc.property(selector, selector, (a, b) => {
      const [x, y] = [read(a.text), read(b.text)];
      // A version, one just below it and one just above it: if two selectors intersect, they do so at one of these.
      const witnesses = [a.v, b.v].flatMap((v) => [v, `${v}~`, `${v}A`, `${v}~~`, `${v}~A`]);
      const met = witnesses.some((v) => admits(x, v) && admits(y, v));
      assert.equal(intersects(x, y), met, `${a.text} and ${b.text}`);
      assert.equal(intersects(x, y), intersects(y, x));
      assert.ok(intersects(x, x) && intersects(x, read('')) && intersects(read(''), x));
    }),
    { numRuns: 5000 },
  );
});

test('between any two versions lies a third, and none is the first or the last', () => {
  const version = fc.stringMatching(/^[0-9a~.+][0-9a.+~]{0,4}(-[0-9~a]{1,2})?$/);
  fc.assert(
    fc.property(version, version, (a, b) => {
      assert.ok(compareVersions(`${a}~`, a) < 0 && compareVersions(a, `${a}A`) < 0);
      const order = compareVersions(a, b);
      if (order === 0) return;
      const [x, y] = order < 0 ? [a, b] : [b, a];
      const between = [`${y}~`, `${x}A`].filter(
        (v) => compareVersions(x, v) < 0 && compareVersions(v, y) < 0,
      );
      assert.ok(between.length > 0, `nothing between ${x} and ${y}`);
    }),
    { numRuns: 5000 },
  );
});
