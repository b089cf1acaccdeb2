import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import fc from 'fast-check';
import {
  compareVersions,
  isVersion,
  parseVersion,
  versionKey,
  versionProblem,
} from '../../src/version/index.ts';

/** As they occur in real trees, and a few that are odd on purpose. */
const REAL = [
  ...['1.19.4+k3s1', '20210808+3', '26.07+2', '0.5.3-r4+84', '2025-02-15+2', '02.20.2b-r1', '1.18b7-5'],
  ...[
    'rpi-6.6.y-1',
    '4.0_rc1',
    '9999',
    '0',
    '1',
    '1.0',
    '1.00',
    'v1.0',
    'version',
    '1:0.1',
    '0:7',
    '1.2.3~rc1',
  ],
  ...[
    '1.10',
    '1.10+1',
    '1.10+2',
    '1.9',
    '2.0',
    '2.0~rc1',
    '2.0~',
    '2.0~~',
    '1-1',
    '1-1+1',
    '1+1-1',
    '1.0a',
    '1.',
  ],
  ...[
    '1:1:1',
    'a:1',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '00001',
    '18446744073709551616',
    '1.2~3-4~5',
    'z',
    'Z',
  ],
];

/** The documented algorithm of Debian, run by run over both texts, as an oracle for the keys. */
function debian(a: string, b: string): number {
  const rank = (c: string | undefined): number => {
    if (c === undefined || /\d/.test(c)) return 0;
    if (c === '~') return -1;
    return /[A-Za-z]/.test(c) ? c.charCodeAt(0) : c.charCodeAt(0) + 256;
  };
  const part = (x: string, y: string): number => {
    let [i, j] = [0, 0];
    while (i < x.length || j < y.length) {
      while ((i < x.length && !/\d/.test(x[i] ?? '')) || (j < y.length && !/\d/.test(y[j] ?? ''))) {
        const order = rank(x[i]) - rank(y[j]);
        if (order !== 0) return order;
        i++;
        j++;
      }
      const [m] = /^\d*/.exec(x.slice(i)) ?? [''];
      const [n] = /^\d*/.exec(y.slice(j)) ?? [''];
      const order = BigInt(m || 0) - BigInt(n || 0);
      if (order !== 0n) return Number(order > 0n) - Number(order < 0n);
      i += m.length;
      j += n.length;
    }
    return 0;
  };
  const split = (text: string): [bigint, string, string] => {
    const plain = text.replace(/^v(?=\d)/, '').replace(/_/g, '-');
    const [, epoch, rest = ''] = /^(?:(\d+):)?(.*)$/s.exec(plain) ?? [];
    const [, upstream = rest, revision = ''] = /^(.*)-(.*)$/s.exec(rest) ?? [];
    return [BigInt(epoch ?? 0), upstream, revision];
  };
  const [e, u, r] = split(a);
  const [f, v, s] = split(b);
  return Number(e > f) - Number(e < f) || Math.sign(part(u, v)) || Math.sign(part(r, s));
}

const debianVersion = fc
  .tuple(
    fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined, freq: 3 }),
    fc.stringMatching(/^[0-9][0-9a-bA-B.+~]{0,6}$/),
    fc.option(fc.stringMatching(/^[0-9a-b+.~]{1,4}$/), { nil: undefined }),
  )
  .map(
    ([epoch, upstream, revision]) =>
      `${epoch === undefined ? '' : `${epoch}:`}${upstream}${revision === undefined ? '' : `-${revision}`}`,
  );
const anyVersion = fc.oneof(
  debianVersion,
  fc.constantFrom(...REAL),
  fc.stringMatching(/^[0-9ab.+~_:v-]{1,8}$/),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 }).map((s) => s.trim()),
);

test('orders as documented', () => {
  const ascending = [
    '1~~',
    '1~rc1',
    '1',
    '1a',
    '1+1',
    '1+2',
    '1.0',
    '1.9',
    '1.10',
    '1.10+1',
    '2.0~rc1',
    '2.0',
    '1:0',
  ];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} and ${b}`);
    }
  }
});

test('spellings of one version are equal', () => {
  for (const [a, b] of [
    ['1.0', 'v1.0'],
    ['1.0', '1.00'],
    ['4.0_rc1', '4.0-rc1'],
    ['1', '1-0'],
    ['0:1', '1'],
    ['1.', '1.0'],
    ['7', '0007'],
  ] as const) {
    assert.equal(compareVersions(a, b), 0, `${a} and ${b}`);
    assert.equal(versionKey(a), versionKey(b));
  }
  assert.notEqual(compareVersions('version', 'ersion'), 0);
});

test('is the order of Debian, over all that occurs and is generated', () => {
  for (const a of REAL) {
    for (const b of REAL) assert.equal(compareVersions(a, b), debian(a, b), `${a} and ${b}`);
  }
  fc.assert(
    fc.property(anyVersion, anyVersion, (a, b) => {
      assert.equal(compareVersions(a, b), debian(a, b));
    }),
    { numRuns: 3000 },
  );
});

test('is total, antisymmetric and transitive over any texts', () => {
  const text = fc.oneof(anyVersion, fc.string({ unit: 'binary', maxLength: 8 }));
  fc.assert(
    fc.property(text, text, text, (a, b, c) => {
      assert.equal(compareVersions(a, b), 0 - compareVersions(b, a));
      assert.equal(compareVersions(a, a), 0);
      if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0) assert.ok(compareVersions(a, c) <= 0);
    }),
    { numRuns: 3000 },
  );
});

test('ends on numbers of any length', () => {
  const long = '9'.repeat(70_000);
  assert.equal(compareVersions(long, `1${long}`), -1);
  assert.equal(compareVersions(long, `${long.slice(1)}8`), 1);
  assert.equal(compareVersions(`${long}.1`, `0${long}.1`), 0);
});

const dpkg = spawnSync('dpkg', ['--version']).status === 0;

test('agrees with dpkg', { skip: dpkg ? false : 'there is no dpkg here' }, () => {
  const plain = REAL.map((v) => v.replace(/^v(?=\d)/, '').replaceAll('_', '-')).filter((v) =>
    /^\d+[^:]*$/.test(v),
  );
  const generated = fc.sample(debianVersion, { numRuns: 400, seed: 7 });
  const pairs = [
    ...plain.flatMap((a, i) => [1, 5, 11].map((step) => [a, plain[(i + step) % plain.length] ?? a] as const)),
    ...generated.map((a, i) => [a, generated[(i * 7 + 1) % generated.length] ?? a] as const),
  ];
  const script =
    'while read -r a b; do if dpkg --compare-versions "$a" lt "$b"; then echo -1; elif dpkg --compare-versions "$a" gt "$b"; then echo 1; else echo 0; fi; done';
  const { stdout, stderr } = spawnSync('sh', ['-c', script], {
    input: pairs.map(([a, b]) => `${a} ${b}\n`).join(''),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  const expected = pairs.map(([a, b], i) => `${a} ${b} ${stdout.split('\n')[i]}`);
  assert.deepEqual(
    pairs.map(([a, b]) => `${a} ${b} ${compareVersions(a, b)}`),
    expected,
  );
});

test('says what is no version', () => {
  for (const good of REAL) assert.equal(versionProblem(good), undefined, good);
  assert.deepEqual(parseVersion(' 1.0 '), { text: '1.0', key: versionKey('1.0') });
  for (const [bad, why] of [
    ['', /empty/],
    ['  ', /empty/],
    ['1 0', /whitespace/],
    ['1\u00a00', /whitespace/],
    ['1\n0', /control/],
    ['1\x1b[0m', /control/],
    ['1/2', /`\/`/],
    ['>=1', /selector/],
    ['!1', /selector/],
    ['1,2', /combined/],
    ['1\ud800', /surrogate/],
    ['9'.repeat(201), /200 bytes/],
  ] as const) {
    assert.match(versionProblem(bad) ?? '', why);
    assert.equal(isVersion(bad), false);
    const parsed = parseVersion(bad);
    assert.ok('error' in parsed && why.test(parsed.error));
  }
});
