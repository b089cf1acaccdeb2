import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { RE2JS } from 're2js';
import { createFilter } from '../../src/delta/filter.ts';
import { toText } from '../../src/tar/index.ts';

const paths = [
  'usr',
  'usr/bin',
  'usr/bin/x',
  'usr/bin/x.so.1',
  'etc/x.conf',
  'a\nb',
  'caf\xe9',
  'caf\xc3\xa9',
  'A/b',
];
const kept = (includes: string[], excludes: string[]): string[] => {
  const filter = createFilter({ includes, excludes });
  return paths.filter((path) => filter.keeps(path));
};

test('without expressions every path is kept', () => {
  assert.deepEqual(kept([], []), paths);
});

test('an expression is searched for in the absolute path', () => {
  assert.deepEqual(kept(['bin'], []), ['usr/bin', 'usr/bin/x', 'usr/bin/x.so.1']);
  assert.deepEqual(kept(['^/usr/bin$', '^/etc/'], []), ['usr/bin', 'etc/x.conf']);
  assert.deepEqual(kept(['^usr'], []), []);
  assert.deepEqual(kept(['^/usr/bin/'], ['\\.so(\\.|$)']), ['usr/bin/x']);
  assert.deepEqual(
    kept([], ['x']),
    paths.filter((path) => !path.includes('x')),
  );
  assert.deepEqual(kept(['x'], ['']), []);
});

test('flags of one expression do not reach the next', () => {
  assert.deepEqual(kept(['(?i)^/A/', '^/USR'], []), ['A/b']);
});

test('names are searched as UTF-8, and a bad byte reads as U+FFFD', () => {
  assert.deepEqual(kept(['é$'], []), ['caf\xc3\xa9']);
  assert.deepEqual(kept(['caf.$'], []), ['caf\xe9', 'caf\xc3\xa9']);
  assert.deepEqual(kept(['\\x{FFFD}'], []), ['caf\xe9']);
  assert.deepEqual(kept(['a.b'], []), []);
  assert.deepEqual(kept(['(?s)a.b'], []), ['a\nb']);
});

test('expressions that matched nothing so far are told, each once', () => {
  const filter = createFilter({ includes: ['bin', 'nothing', 'etc'], excludes: ['nothing', 'x$'] });
  assert.deepEqual(filter.unmatched(), ['bin', 'nothing', 'etc', 'x$']);
  filter.keeps('usr/bin');
  assert.deepEqual(filter.unmatched(), ['nothing', 'etc', 'x$']);
  filter.keeps('etc/x');
  assert.deepEqual(filter.unmatched(), ['nothing']);
});

test('an expression that does not compile is refused', () => {
  assert.throws(() => createFilter({ includes: ['ok', '(unclosed'], excludes: [] }), /\(unclosed/);
});

test('expressions too large for one automaton still work', () => {
  // Each compiles to 90 000 instructions, so that sixteen are beyond the automaton's limit.
  const large = Array.from({ length: 100 }, (_, i) => `${String.fromCharCode(97 + (i % 26))}{900}`).join('');
  const many = Array.from({ length: 16 }, (_, i) => `^/${i}(${large})?$`);
  const filter = createFilter({ includes: many, excludes: ['15$'] });
  assert.deepEqual(
    ['3', '15', '16'].map((path) => filter.keeps(path)),
    [true, false, false],
  );
  assert.equal(filter.unmatched().length, 14);
});

test('a filter does what one search after the other does', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '^/',
      '$',
      '.*',
      'usr',
      'bin',
      '[a-c]+',
      '\\.',
      '(?i)A',
      '\\b',
      '^',
      '/',
      'x|y',
      '(a|b)?',
      '[^/]',
      '\\d',
      '\\pL',
      '(?-s:.)',
      'a{2,3}',
      '\\Q.\\E',
    ),
  );
  const expression = fc.array(piece, { minLength: 1, maxLength: 4 }).map((pieces) => pieces.join(''));
  const path = fc.oneof(
    fc.string({
      unit: fc.constantFrom('a', 'b', 'x', '/', '.', '1', '\xc3', '\xa9', '\xff', '\n'),
      minLength: 1,
      maxLength: 12,
    }),
    fc.constantFrom(...paths),
  );
  const compiles = (text: string): boolean => {
    try {
      return RE2JS.compile(text) !== undefined;
    } catch {
      return false;
    }
  };
  const expressions = fc.array(expression.filter(compiles), { maxLength: 5 });
  fc.assert(
    fc.property(
      expressions,
      expressions,
      fc.array(path, { minLength: 1, maxLength: 8 }),
      (includes, excludes, asked) => {
        const filter = createFilter({ includes, excludes });
        const finds = (one: string, p: string): boolean =>
          RE2JS.compile(one)
            .matcher(`/${toText(p)}`)
            .find();
        for (const p of asked) {
          const isKept =
            (includes.length === 0 || includes.some((one) => finds(one, p))) &&
            !excludes.some((one) => finds(one, p));
          assert.equal(filter.keeps(p), isKept, JSON.stringify({ includes, excludes, p }));
        }
        const idle = [...includes, ...excludes].filter((one) => !asked.some((p) => finds(one, p)));
        assert.deepEqual(filter.unmatched(), [...new Set(idle)]);
      },
    ),
    { numRuns: Number(process.env.LUET_TS_TEST_RUNS ?? 200) },
  );
});
