import assert from 'node:assert/strict';
import test from 'node:test';
import * as fc from 'fast-check';
import { plainSource, readYaml, toValue } from '../../src/spec/index.ts';
import { definition, forms, treeOf } from '../tree/support.ts';

const read = (text: string) => readYaml(plainSource('f.yaml', text));

test('a tag that is not of YAML itself is warned of, with the text in quotes', async () => {
  for (const [value, hint] of [
    ['!1.0', '"!1.0"'],
    ['!=1.0', '"!=1.0"'],
    ['! test -e /nowhere', '"! test -e /nowhere"'],
    ['!/usr/doc', '"!/usr/doc"'],
    ['!grep x y # comment', '"!grep x y"'],
    ['! grep "a b" c', `'! grep "a b" c'`],
    ["! it's \\x", "'! it''s \\x'"],
    ['!!1.0', '"!!1.0"'],
    ['!', '"!"'],
    ['! "x"', undefined],
    ['! |\n  x\n', undefined],
    ['! [ -f x ]', undefined],
    ['!x {a: b}', undefined],
  ] as const) {
    const { problems } = await read(`- ${value}\n`);
    assert.equal(problems.length, 1, value);
    const [{ code, severity, place, hint: said } = assert.fail(value)] = problems;
    assert.deepEqual([code, severity, place?.line, place?.column], ['yaml-tag', 'warning', 1, 3], value);
    assert.equal(said, `Put the text in quotes${hint === undefined ? '' : `: ${hint}`}`);
  }
  assert.equal((await read('!key a: !value b\n')).problems.length, 2);
});

test("YAML's own tags, and what is in quotes, are no reason to warn", async () => {
  for (const value of [
    '!!str 1',
    '!!int 1',
    '!!binary aGk=',
    '!<tag:yaml.org,2002:str> x',
    '"!x"',
    "'! x'",
    'a!b',
    '|\n  ! x\n',
  ])
    assert.deepEqual((await read(`- ${value}\n`)).problems, [], value);
  assert.deepEqual((await read('a: &a {b: 1}\nc:\n  !!merge <<: *a\n')).problems, []);
});

test('what the hint says is the text that was meant', async () => {
  const word = fc.stringMatching(/^[ -"$-9;-~é]{0,12}$/);
  let tried = 0;
  await fc.assert(
    fc.asyncProperty(word, async (more) => {
      const meant = `!${more}`.trim();
      const { root, problems } = await read(`- ${meant}\n`);
      const hint = /^Put the text in quotes: (.*)$/.exec(problems[0]?.hint ?? '')?.[1];
      if (root === undefined || problems.length !== 1 || hint === undefined) return;
      const quoted = (await read(`- ${hint}\n`)).root ?? assert.fail(hint);
      assert.deepEqual(toValue(quoted), [meant]);
      tried++;
    }),
    { numRuns: 1000 },
  );
  assert.ok(tried > 20);
});

test('a lost `!` is found wherever it stands', async (t) => {
  const form = (key: string): string => `${key}:\n- {name: b, category: c, version: !1.0}\n`;
  const build = [
    'image: !base',
    'package_dir: !/out',
    ...['prelude', 'steps', 'env', 'includes', 'excludes', 'retrieve'].map((key) => `${key}:\n- ! x`),
    ...['requires', 'conflicts', 'provides'].map(form),
    `subpackages:\n- name: s\n  category: c\n  version: !1\n  includes: [! x]\n`,
    'copy:\n- {image: !i, source: !s, destination: !d}',
  ].join('\n');
  const tree = await treeOf(
    t,
    {
      'a/definition.yaml': definition('c/a-1', `own: !x\n${form('requires')}`),
      'a/build.yaml': build,
      'b/collection.yaml': `packages:\n- {name: b, category: c, version: "1", license: !MIT}\n${form('other')}`,
      'r/definition.yaml': definition('c/r-1'),
      'r/build.yaml': `{{/* rendered */}}image: i\nsteps:\n- ! test {{ .Values.name }}\n${forms('conflicts', 'c/x')}`,
      'v.yaml': 'mine: !yours\n',
    },
    { values: ['v.yaml'] },
  );
  const found = tree.diagnostics.filter(({ code }) => code === 'yaml-tag');
  const count = (file: string): number => found.filter(({ place }) => place?.file === file).length;
  assert.deepEqual(
    ['a/definition.yaml', 'a/build.yaml', 'b/collection.yaml', 'r/build.yaml', 'v.yaml'].map(count),
    [2, 16, 2, 1, 1],
  );
  assert.equal(found.find(({ place }) => place?.file === 'r/build.yaml')?.place?.line, 3);
});
