import assert from 'node:assert/strict';
import test from 'node:test';
import type { Diagnostic } from '../../src/diagnostic/index.ts';
import { plainSource, readCollection, readDefinition, readFinalize } from '../../src/spec/index.ts';

const definition = (text: string) => readDefinition(plainSource('d.yaml', text));

/** Findings as `code line:column`. */
const brief = (problems: readonly Diagnostic[]): string[] =>
  problems.map(({ code, place }) => `${code} ${place?.line ?? '-'}:${place?.column ?? '-'}`);

test('a definition is read with the text of its version as written', async () => {
  for (const version of [
    '1.10',
    '5',
    '20210808',
    '"1.0"',
    '1.00',
    '0x10',
    '1e3',
    'rpi-6.6.y-1',
    '1:2.0~rc1+3',
  ]) {
    const { definitions, problems } = await definition(`name: a\nversion: ${version}\n`);
    assert.deepEqual(problems, []);
    assert.equal(definitions[0]?.version, version.replaceAll('"', ''));
    assert.equal(definitions[0]?.values.get('version'), version.replaceAll('"', ''));
  }
});

test('every known field has its type', async () => {
  const { definitions, problems } = await definition(`
name: "a"
category: c
version: "1.0"
description: |
  Two
  lines
license: MIT
uri: [https://a, https://b]
hidden: "true"
labels: {n: 5, t: true, s: x, z: }
annotations: {a: b}
use_flags: [x]
requires: [{name: r, category: c, version: 1.10}]
conflicts:
provides:
- {name: p}
`);
  assert.deepEqual(problems, []);
  const [a] = definitions;
  assert.ok(a !== undefined);
  assert.equal(a.description, 'Two\nlines\n');
  assert.deepEqual(a.uri, ['https://a', 'https://b']);
  assert.equal(a.hidden, true);
  assert.deepEqual(
    [...a.labels],
    [
      ['n', '5'],
      ['t', 'true'],
      ['s', 'x'],
      ['z', ''],
    ],
  );
  assert.deepEqual(a.useFlags, ['x']);
  assert.deepEqual(
    a.requires.map(({ name, category, selector, place }) => ({ name, category, selector, place })),
    [{ name: 'r', category: 'c', selector: '1.10', place: { file: 'd.yaml', line: 14, column: 12 } }],
  );
  assert.deepEqual(a.conflicts, []);
  assert.deepEqual(
    a.provides.map(({ name, category, selector }) => [name, category, selector]),
    [['p', '', '']],
  );
});

test('fields of its own are template values of their own kinds; text by meaning stays text', async () => {
  const { definitions } = await definition(`
name: a
version: 1.10
f: 1.10
g: 7.0
big: 9007199254740993
list: [1, "1", true, ~]
deep: {x: {y: 0777}}
labels: {n: 5}
requires: [{name: 7, version: 1.10}]
`);
  const values = definitions[0]?.values;
  assert.equal(values?.get('version'), '1.10');
  assert.equal(values?.get('f'), 1.1);
  assert.equal(values?.get('g'), 7);
  assert.equal(values?.get('big'), 9007199254740993n);
  assert.deepEqual(values?.get('list'), [1n, '1', true, null]);
  assert.deepEqual(values?.get('deep'), new Map([['x', new Map([['y', 511n]])]]));
  assert.deepEqual(values?.get('labels'), new Map([['n', 5n]]));
  assert.deepEqual(values?.get('requires'), [
    new Map([
      ['name', '7'],
      ['version', '1.10'],
    ]),
  ]);
  assert.equal(values?.has('category'), false);
});

test('everything that is wrong is found at once', async () => {
  const { definitions, problems } = await definition(`name: a/b
category: "x y"
version: ">=1"
uri: https://a
hidden: maybe
labels: [x]
requires:
- {name: r, version: ">>1"}
- {category: c}
- c/n@1
- {name: s, versoin: 1}
`);
  assert.deepEqual(brief(problems), [
    'invalid-version 3:10',
    'invalid-name 1:7',
    'invalid-name 2:11',
    'wrong-type 4:6',
    'wrong-type 5:9',
    'wrong-type 6:9',
    'invalid-selector 8:22',
    'missing-name 9:3',
    'wrong-type 10:3',
    'unknown-key 11:13',
  ]);
  assert.ok(problems.every((problem) => problem.package === 'x y/a/b->=1'));
  assert.equal(definitions[0]?.requires.length, 2);
  const hints = problems.map(({ hint }) => hint).filter((hint) => hint !== undefined);
  assert.deepEqual(hints, [
    "Write a list, with '- ' before each item",
    'Write it as {name: "n", category: "c", version: "1"}',
    'Did you mean "version"?',
  ]);
});

test('a form may speak of a name that no package can bear', async () => {
  const { definitions, problems } = await definition(
    'name: a\nprovides:\n- {name: x11-themes/nordic, category: old}\n',
  );
  assert.deepEqual(
    problems.map(({ code, severity }) => [code, severity]),
    [['invalid-name', 'warning']],
  );
  assert.equal(definitions[0]?.provides[0]?.name, 'x11-themes/nordic');
});

test('names that could lead out of a folder are refused', async () => {
  for (const name of ['..', '.x', 'a/b', 'a\\b', '"a\\0b"', '"a\\nb"', "' a'"]) {
    const { problems } = await definition(`name: ${name}\n`);
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['invalid-name'],
      name,
    );
  }
});

test('names and versions are what they look like: nothing in them turns text around or is not seen', async () => {
  // An override, an isolate, a mark, a space without width, a joiner, a soft hyphen, a tag, a filler and a selector of forms.
  for (const sign of '\u202e \u2066 \u200f \u061c \u200b \u200d \u00ad \u{e0041} \u3164 \ufe0f'.split(' ')) {
    const { problems } = await definition(
      `name: "a${sign}b"\ncategory: "c${sign}"\nversion: "1${sign}2"\nrequires:\n- {name: r, version: ">=1${sign}"}\n`,
    );
    assert.deepEqual(
      brief(problems).map((one) => one.replace(/ .*/, '')),
      ['invalid-version', 'invalid-name', 'invalid-name', 'invalid-selector'],
      JSON.stringify(sign),
    );
    assert.match(problems[1]?.message ?? '', /contains an invisible character \(U\+[0-9A-F]{4,5}\)/);
  }
  assert.deepEqual((await definition('name: "größe-日本"\nversion: "1.0-β2"\n')).problems, []);
});

test('a name is all that a definition needs', async () => {
  for (const text of ['name: a\n', 'name: a\nversion: ""\ncategory:\n', 'name: a\nversion: ~\n']) {
    const { definitions, problems } = await definition(text);
    assert.deepEqual(problems, []);
    assert.deepEqual([definitions[0]?.category, definitions[0]?.version], ['', '']);
  }
});

test('a definition that is none says so', async () => {
  assert.deepEqual(brief((await definition('')).problems), ['missing-name -:-']);
  assert.deepEqual(brief((await definition('category: c\n')).problems), ['missing-name 1:1']);
  assert.deepEqual(brief((await definition('- name: a\n')).problems), ['wrong-type 1:1']);
  assert.deepEqual(brief((await definition('name: [a]\n')).problems), ['wrong-type 1:7']);
});

test('a collection lists packages, and anchors reach from one to the next', async () => {
  const text = `packages:
- &default
  name: one
  version: 1.0
  extra: {a: 1}
- <<: *default
  name: two
- !!merge <<: *default
  name: three
  version: 3.0+2
`;
  const { definitions, problems } = await readCollection(plainSource('c.yaml', text));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    definitions.map(({ name, version, place, values }) => [name, version, place.line, values.get('extra')]),
    [
      ['one', '1.0', 3, new Map([['a', 1n]])],
      ['two', '1.0', 6, new Map([['a', 1n]])],
      ['three', '3.0+2', 8, new Map([['a', 1n]])],
    ],
  );
});

test('a broken package of a collection leaves the others', async () => {
  const { definitions, problems } = await readCollection(
    plainSource('c.yaml', 'packages:\n- name: a\n- 5\n- version: 1\n- name: b\n'),
  );
  assert.deepEqual(
    definitions.map(({ name }) => name),
    ['a', 'b'],
  );
  assert.deepEqual(brief(problems), ['wrong-type 3:3', 'missing-name 4:3']);
  assert.deepEqual(brief((await readCollection(plainSource('c.yaml', 'x: 1\n'))).problems), [
    'empty-collection 1:1',
  ]);
  for (const [text, severity] of [
    ['packages: []\n', 'warning'],
    ['packages:\n', 'error'],
    ['packages: ~\n', 'error'],
    ['package: []\n', 'error'],
    ['packages:\npackages:\n', 'error'],
  ] as const) {
    const found = (await readCollection(plainSource('c.yaml', text))).problems;
    assert.equal(found.find(({ code }) => code === 'empty-collection')?.severity, severity, text);
  }
});

test('a finalizer lists commands', async () => {
  const { finalizer, problems } = await readFinalize(
    plainSource('f.yaml', 'install:\n- echo a\nuninstall: []\nshell: [/bin/sh, -c]\ninstal: []\n'),
  );
  assert.deepEqual(
    finalizer?.install.map(({ value }) => value),
    ['echo a'],
  );
  assert.deepEqual(
    finalizer?.shell.map(({ value }) => value),
    ['/bin/sh', '-c'],
  );
  assert.deepEqual(brief(problems), ['unknown-key 5:1']);
  assert.equal(problems[0]?.severity, 'error');
  assert.deepEqual((await readFinalize(plainSource('f.yaml', ''))).problems, []);
});
