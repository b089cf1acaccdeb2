import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument, stringify } from 'yaml';
import { plainSource, readYaml, toValue, type YamlNode } from '../../src/spec/index.ts';

const read = async (text: string) => readYaml(plainSource('f.yaml', text));

async function value(text: string) {
  const { root, problems } = await read(text);
  assert.deepEqual(
    problems.filter(({ code }) => code !== 'yaml-tag'),
    [],
  );
  assert.ok(root !== undefined);
  return toValue(root);
}

async function codes(text: string): Promise<string[]> {
  const { problems } = await read(text);
  return problems.map(({ code, place }) => `${code} ${place?.line}:${place?.column}`);
}

test('plain scalars mean what Go reads into an interface', async () => {
  const cases: [string, unknown][] = [
    ['7', 7n],
    ['-3', -3n],
    ['+3', 3n],
    ['1_000', 1000n],
    ['.1_0', 0.1],
    ['2001-12-14', '2001-12-14'],
    ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'],
    ['12:30:45', '12:30:45'],
    ['0x1F', 31n],
    ['0o17', 15n],
    ['0777', 511n],
    ['0b101', 5n],
    ['-0x10', -16n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', 18446744073709552000],
    ['08', 8],
    ['1.10', 1.1],
    ['7.0', 7],
    ['1.', 1],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1e400', '1e400'],
    ['._5', '._5'],
    ['-1_0.5', -10.5],
    ['0o8', '0o8'],
    ['0x1p3', '0x1p3'],
    ['.inf', Number.POSITIVE_INFINITY],
    ['-.Inf', Number.NEGATIVE_INFINITY],
    ['.nan', Number.NaN],
    ['true', true],
    ['False', false],
    ['~', null],
    ['null', null],
    ['', null],
    ['yes', true],
    ['y', true],
    ['Off', false],
    ['"no"', 'no'],
    ['yEs', 'yEs'],
    ['0x', '0x'],
    ['1.2.3', '1.2.3'],
    ['1.0-r1', '1.0-r1'],
    ['2025-02-15', '2025-02-15'],
    ['"7"', '7'],
    ["'true'", 'true'],
    ['!!str 7', '7'],
    ['!!int "7"', 7n],
    ['!!float 7', 7],
    ['!!binary aGk=', 'hi'],
    ['!custom 7', '7'],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(await value(`a: ${text}\n`), new Map([['a', expected]]), text);
  }
});

test('merge keys bring what a map does not have, in either spelling', async () => {
  const base = 'd: &d {a: 1, b: {c: 2}}\ne: &e {a: 5, f: 6}\n';
  const merged = async (text: string) => ((await value(base + text)) as Map<string, unknown>).get('m');
  assert.deepEqual(
    await merged('m: {<<: *d, a: 3}'),
    new Map<string, unknown>([
      ['a', 3n],
      ['b', new Map([['c', 2n]])],
    ]),
  );
  assert.deepEqual(await merged('m:\n  !!merge <<: *d\n'), await merged('m:\n  <<: *d\n'));
  assert.deepEqual(
    await merged('m:\n  <<: [*d, *e]\n'),
    new Map<string, unknown>([
      ['a', 1n],
      ['b', new Map([['c', 2n]])],
      ['f', 6n],
    ]),
  );
  assert.deepEqual(await merged('m: {"<<": 1}'), new Map([['<<', 1n]]));
  assert.deepEqual(await codes('m:\n  <<: 5\n'), ['yaml-merge 2:3']);
});

/** The values are those that Luet 0.35 built with, as it read the same texts as definitions, build files and values. */
test('of several values for one key the last counts, as in Luet, with a warning at each', async () => {
  const luet: readonly [text: string, values: string, ...warnings: string[]][] = [
    ['a: 1\na: 2\n', '{"a":2}', '2:1'],
    ['a: 1\nb: 1\na: 2\na: 3\n', '{"a":3,"b":1}', '3:1', '4:1'],
    ['m: {p: 1}\nm: {q: 2}\n', '{"m":{"q":2}}', '2:1'],
    ['l: [1, 2]\nl: []\n', '{"l":[]}', '2:1'],
    ['a: 1\na:\n', '{"a":null}', '2:1'],
    ['m:\n  k: 1\n  k: 2\n', '{"m":{"k":2}}', '3:3'],
    ['l:\n- k: 1\n  k: 2\n', '{"l":[{"k":2}]}', '3:3'],
    ['1: a\n"1": b\n', '{"1":"b"}', '2:1'],
    ['d: &d {a: 1, b: 1}\nm:\n  a: own\n  <<: *d\n', '{"d":{"a":1,"b":1},"m":{"a":1,"b":1}}', '4:3'],
    ['d: &d {a: 1, b: 1}\nm:\n  <<: *d\n  a: own\n', '{"d":{"a":1,"b":1},"m":{"a":"own","b":1}}'],
    ['m:\n  <<: {a: 1, b: 1}\n  <<: {a: 2, c: 2}\n', '{"m":{"a":2,"b":1,"c":2}}', '3:3'],
    ['m:\n  <<: {a: 1}\n  a: 2\n  <<: {a: 3, b: 3}\n', '{"m":{"a":3,"b":3}}', '4:3', '4:3'],
    ['m:\n  a: own\n  <<: [{a: 1}, {a: 2, b: 2}]\n', '{"m":{"a":1,"b":2}}', '3:3'],
    ['m:\n  <<: {a: 1}\n  a: 2\n  a: 3\n', '{"m":{"a":3}}', '4:3'],
    ['m:\n  a: same\n  <<: {a: same}\n', '{"m":{"a":"same"}}'],
  ];
  const plain = (node: unknown): unknown =>
    node instanceof Map
      ? Object.fromEntries([...node].map(([key, one]) => [key, plain(one)]))
      : Array.isArray(node)
        ? node.map(plain)
        : typeof node === 'bigint'
          ? Number(node)
          : node;
  for (const [text, values, ...warnings] of luet) {
    const { root, problems } = await read(text);
    assert.ok(root !== undefined);
    assert.deepEqual(plain(toValue(root)), JSON.parse(values), text);
    assert.deepEqual(
      problems.map(({ code, severity, place }) => `${severity} ${code} ${place?.line}:${place?.column}`),
      warnings.map((place) => `warning yaml-duplicate-key ${place}`),
      text,
    );
    // Where it was given first.
    assert.ok(problems.every(({ notes }) => notes?.[0]?.place?.file === 'f.yaml'));
  }
});

test('every alias is a value of its own', async () => {
  const map = (await value('a: &a {x: 1}\nb: *a\n')) as Map<string, Map<string, unknown>>;
  map.get('b')?.set('x', 2n);
  assert.equal(map.get('a')?.get('x'), 1n);
});

test('all mistakes in the structure are found at once, each with its place', async () => {
  assert.deepEqual(await codes('a: 1\nb: *no\na: 2\nc: &c [*c]\n[x]: 1\n'), [
    'yaml-alias 2:4',
    'yaml-duplicate-key 3:1',
    'yaml-alias 4:8',
    'wrong-type 5:1',
  ]);
});

test('all syntax errors are found at once', async () => {
  const found = await codes('a: [1, 2\nb: "x\nc: @d\n');
  assert.ok(found.length >= 1);
  assert.ok(found.every((one) => one.startsWith('yaml-syntax ')));
  assert.deepEqual(await codes('a: @x\nb: `y\n'), ['yaml-syntax 1:4', 'yaml-syntax 2:4']);
  assert.deepEqual(await codes('a:\n\t- x\n'), ['yaml-syntax 2:1']);
  assert.deepEqual(await codes('a: "\0"\n'), ['yaml-syntax 1:5']);
});

test('common mistakes come with a hint', async () => {
  const hint = async (text: string) => (await read(text)).problems[0]?.hint;
  assert.match((await hint('a:\n\t- x\n')) ?? '', /spaces/);
  for (const value of ['@x', '*', '%x', '>=1.0', '>1.0', '|x'])
    assert.match((await hint(`a: ${value}\n`)) ?? '', /^Put a value that starts with this character/, value);
  assert.match((await hint('a: b: c\n')) ?? '', /quotes/);
});

test('only the first document counts', async () => {
  assert.deepEqual(await codes('a: 1\n---\nb: 2\n'), ['yaml-documents 3:1']);
  assert.deepEqual(await codes('---\na: 1\n---\n'), []);
  for (const empty of ['', '\n', '# nothing\n']) assert.deepEqual(await read(empty), { problems: [] });
});

test('a document that aliases blow up is refused', async () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 12; i++)
    lines.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  const { root, problems } = await read(lines.join('\n'));
  assert.equal(root, undefined);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['yaml-alias'],
  );
  const merges = ['m0: &m0 {x: 1}'];
  for (let i = 1; i < 100; i++) merges.push(`m${i}: &m${i} {<<: *m${i - 1}, k${i}: 1}`);
  assert.deepEqual((await read(merges.join('\n'))).problems, []);
});

test('nesting without end is refused', async () => {
  for (const depth of [200, 20_000, 1_000_000]) {
    const { problems } = await read('['.repeat(depth));
    assert.ok(problems.some(({ code }) => code === 'yaml-syntax'));
    assert.ok(problems.length <= 20);
  }
});

/** A document as the careful library reads it, in the shape of ours: text, whether plain, and tag. */
function shape(node: Node | null, resolve: (node: Node) => Node | undefined): unknown {
  const at = node !== null && isAlias(node) ? (resolve(node) ?? null) : node;
  if (isSeq(at)) return at.items.map((item) => shape(item as Node, resolve));
  if (isMap(at)) {
    return at.items.map(({ key, value: v }) => [
      shape(key as Node, resolve),
      shape(v as Node | null, resolve),
    ]);
  }
  if (!isScalar(at)) return ['', true];
  // `source` is the decoded text, except that it is kept from folding blank plain scalars.
  return [at.source ?? '', at.type === 'PLAIN'];
}

function ours(node: YamlNode): unknown {
  if (node.kind === 'sequence') return node.items.map(ours);
  if (node.kind === 'mapping')
    return [...node.pairs.values()].map(({ key, value: v }) => [ours(key), ours(v)]);
  return [node.text, node.plain];
}

const scalar = fc.oneof(
  fc.constantFrom(
    '1.10',
    '0777',
    'true',
    'null',
    '~',
    '1_000',
    'echo "x" > /a',
    "it's",
    'a: b',
    '# no',
    '- x',
    '',
  ),
  fc.constantFrom(
    'two\nlines\n',
    '  lead',
    'tail  ',
    'ünï☃',
    '\u{1f4e6} box',
    'tab\there',
    '{{ .Values.x }}',
  ),
  fc.string({ maxLength: 20 }),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((key) => key !== '<<'),
      tie('tree'),
      { maxKeys: 4 },
    ),
  ),
}));

test('the fast reader and the careful one read the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      tree,
      fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'),
      async (data, style) => {
        const text = stringify({ root: data }, { defaultStringType: style as 'PLAIN', lineWidth: 40 });
        const { root, problems } = await read(text);
        assert.deepEqual(problems, []);
        assert.ok(root !== undefined);
        const document = parseDocument(text, { uniqueKeys: false });
        assert.deepEqual(
          ours(root),
          shape(document.contents, (node) => (isAlias(node) ? node.resolve(document) : node)),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('places are those of the text', async () => {
  const text = 'a:\n  - x\n  - |\n    block\n  - "q"\nb: {c: d}\n';
  const { root } = await read(text);
  const source = plainSource('f.yaml', text);
  assert.ok(root?.kind === 'mapping');
  const list = root.pairs.get('a')?.value;
  assert.ok(list?.kind === 'sequence');
  const places = list.items.map((item) => {
    const { line, column, endColumn } = source.place(
      item.start,
      item.kind === 'scalar' ? item.end : undefined,
    );
    return [line, column, endColumn];
  });
  assert.deepEqual(places, [
    [2, 5, 6],
    [3, 5, undefined],
    [5, 5, 8],
  ]);
});

test('usual mistakes are shown where they were made, each once, with the right form', async () => {
  const cases: [string, ...[place: string, message: RegExp, hint: RegExp][]][] = [
    [
      'steps:\n- [ -e /a ] || true\n- b\n',
      ['2:3', /unexpected text after the list/, /: - "\[ -e \/a \] \|\| true"$/],
    ],
    ['steps:\n- { a; } 2>"x"\n', ['2:3', /unexpected text after the map/, /: - '\{ a; \} 2>"x"'$/]],
    ['a: [b] c\n', ['1:4', /unexpected text after the list/, /: a: "\[b\] c"$/]],
    [
      'steps:\n-echo c\n-echo d\n',
      ['2:1', /missing space after the dash/, /: - echo c$/],
      ['3:1', /missing space/, /: - echo d$/],
    ],
    ['steps:\n- a\n-b\n- c\n', ['3:1', /missing space after the dash/, /: - b$/]],
    ['a: [ b, c\nd:\n- e\n', ['1:4', /the list that starts here is not closed/, /'\]' at its end/]],
    ['a: [ b, c\n', ['1:4', /the list that starts here is not closed/, /'\]' at its end/]],
    ['a:\n  b: { c: d\ne: f\n', ['2:6', /the map that starts here is not closed/, /'\}' at its end/]],
    ['a:\n- "b\n- c\n', ['2:3', /the text in quotes that starts here is not closed/, /" at its end/]],
    [
      'a:\n- [ x ] y\n-z\nb: [c\nd: >=1\n',
      ['2:3', /unexpected text/, /quotes/],
      ['3:1', /missing space/, /- z/],
      ['4:4', /not closed/, /'\]'/],
      ['5:5', /block scalar header/, /in quotes/],
    ],
  ];
  for (const [text, ...expected] of cases) {
    const { problems } = await read(text);
    assert.deepEqual(
      problems.map(({ code, place }) => `${code} ${place?.line}:${place?.column}`),
      expected.map(([place]) => `yaml-syntax ${place}`),
      text,
    );
    for (const [i, [, message, hint]] of expected.entries()) {
      assert.match(problems[i]?.message ?? '', message);
      assert.match(problems[i]?.hint ?? '', hint);
    }
  }
});

test('a line that begins with a dash and is no item is a warning', async () => {
  const { problems } = await read('steps:\n- echo a\n    - echo b\n- echo c\n');
  assert.deepEqual(
    problems.map(({ code, severity, place, hint }) => [code, severity, place?.line, place?.column, hint]),
    [
      [
        'yaml-folded',
        'warning',
        3,
        5,
        'For an item of its own, write its dash below that of the item above, in column 1',
      ],
    ],
  );
  assert.deepEqual(await codes('a: text\n  - b\n'), ['yaml-folded 2:3']);
  assert.deepEqual(
    await codes('steps:\n- ./configure\n    --prefix=/usr\n    -DX=1\n- "a\n   - b"\n- |\n  - c\n'),
    [],
  );
});
