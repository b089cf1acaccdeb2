import assert from 'node:assert/strict';
import test from 'node:test';
import type { Diagnostic } from '../../src/diagnostic/index.ts';
import { type BuildSpec, plainSource, readBuild, renderedSource } from '../../src/spec/index.ts';

const read = (text: string) => readBuild(plainSource('b.yaml', text));

async function spec(text: string): Promise<BuildSpec> {
  const { spec: found, problems } = await read(text);
  assert.deepEqual(problems, []);
  assert.ok(found !== undefined);
  return found;
}

const brief = (problems: readonly Diagnostic[]): string[] =>
  problems.map(({ code, severity, place }) => `${severity} ${code} ${place?.line}:${place?.column}`);

const values = (items: readonly { value: string }[]): string[] => items.map(({ value }) => value);

test('every key of a build spec is read', async () => {
  const found = await spec(`
requires:
- {name: base, category: seed, version: ">=0"}
requires_final_images: true
conflicts: [{name: c}]
provides: [{name: p, version: 1.0}]
prelude: [apk add x]
steps:
- echo 1
- 5
- |
  two
  lines
env: [A=b, "P=$P:/x"]
copy:
- package: {name: tool, category: utils, version: ">=0"}
  source: /a
  destination: /b
- {image: "x:1", source: /c, destination: /d}
unpack: "true"
package_dir: /out
includes: [^/usr]
excludes: [\\.la$]
subpackages:
- {name: s, category: c, version: 1.10, includes: [^/x], description: text}
retrieve: ["a-*.tar"]
`);
  assert.equal(found.image, undefined);
  assert.equal(found.requiresFinalImages, true);
  assert.equal(found.unpack, true);
  assert.equal(found.packageDir?.value, '/out');
  assert.deepEqual(values(found.steps), ['echo 1', '5', 'two\nlines\n']);
  assert.deepEqual(
    found.steps.map(({ place }) => place.line),
    [9, 10, 11],
  );
  assert.deepEqual(values(found.env), ['A=b', 'P=$P:/x']);
  assert.deepEqual(
    found.copy.map((copy) => [copy.package?.name ?? copy.image, copy.source, copy.destination]),
    [
      ['tool', '/a', '/b'],
      ['x:1', '/c', '/d'],
    ],
  );
  assert.deepEqual(
    found.provides?.map(({ selector }) => selector),
    ['1.0'],
  );
  assert.deepEqual(
    found.subpackages.map(({ name, version, description }) => [name, version, description]),
    [['s', '1.10', 'text']],
  );
  assert.deepEqual(values(found.subpackages[0]?.includes ?? []), ['^/x']);
  assert.deepEqual(values(found.retrieve), ['a-*.tar']);
});

test('an empty build spec is that of a virtual package', async () => {
  for (const text of ['', '# nothing\n', '---\n', '{}', 'requires:\nsteps: []\n']) {
    const found = await spec(text);
    assert.deepEqual([found.steps, found.requires, found.provides], [[], [], undefined]);
  }
  assert.deepEqual((await spec('provides: []')).provides, []);
});

test('unknown keys are warned of, and are errors where one is close that was meant', async () => {
  const { problems } = await read(
    'image: a\nstep: []\nfoo: 1\ncopy:\n- {image: a, source: b, destination: c, dest: d}\n',
  );
  assert.deepEqual(brief(problems), [
    'error unknown-key 2:1',
    'warning unknown-key 3:1',
    'warning unknown-key 5:41',
  ]);
  assert.equal(problems[0]?.hint, 'Did you mean "steps"?');
  for (const [text, meant] of [
    ['requirs: []', 'requires'],
    ['Steps: [x]', 'steps'],
    ['image: a\nexclude: [x]', 'excludes'],
    ['image: a\npackagedir: /x', 'package_dir'],
    ['image: a\nsubpackage: []', 'subpackages'],
    ['requires: [{name: a, vesion: 1}]', 'version'],
    ['image: a\ncopy: [{image: a, sorce: b, source: b, destination: c}]', 'source'],
    ['image: a\nsubpackages: [{name: a, include: [x]}]', 'includes'],
    ['image: a\nsubpackages: [{name: a, requires: [{name: b, catgory: c}]}]', 'category'],
  ] as const) {
    const found = (await read(text)).problems.find(({ code }) => code === 'unknown-key');
    const hint = meant === undefined ? found?.hint : `Did you mean ${JSON.stringify(meant)}?`;
    assert.deepEqual([found?.severity, found?.hint], ['error', hint], text);
  }
});

test('commands that YAML reads as something else are explained', async () => {
  const { problems } = await read('image: a\nsteps:\n- echo a: b\n- [ -f x ]\n');
  assert.deepEqual(brief(problems), ['error wrong-type 3:3', 'error wrong-type 4:3']);
  assert.match(problems[0]?.hint ?? '', /in quotes: "echo a: b"/);
  assert.match(problems[1]?.hint ?? '', /in quotes: "\[ -f x \]"/);
});

test('what needs an image says so where it has none', async () => {
  const codes = async (text: string) => brief((await read(text)).problems);
  assert.deepEqual(await codes('steps: [a]'), ['error no-image 1:1']);
  assert.deepEqual(await codes('unpack: true'), ['error no-image 1:1']);
  assert.deepEqual(await codes('package_dir: /x'), ['error no-image 1:1']);
  assert.deepEqual(await codes('prelude: [a]'), ['warning no-image 1:1']);
  assert.deepEqual(await codes('unpack: false\nsteps: []'), []);
  assert.deepEqual(await codes('image: a\nrequires: [{name: b}]'), ['warning image-with-requires 2:1']);
});

test('entries that cannot work are errors', async () => {
  const { problems } = await read(`image: "a b"
env: [A, "=x", {B: c}, "C=d", 5]
includes: ["*.so", "^/(?=x)", "/etc/.*"]
copy:
- {source: a}
- {package: {name: x}, image: y, source: a, destination: b}
- x
requires: {name: x}
subpackages: [x]
`);
  assert.deepEqual(
    brief(problems).sort(),
    [
      'error invalid-copy 5:3',
      'error invalid-copy 6:3',
      'error invalid-env 2:16',
      'error invalid-env 2:31',
      'error invalid-env 2:7',
      'error invalid-env 2:10',
      'error invalid-expression 3:12',
      'error invalid-expression 3:20',
      'error invalid-image 1:8',
      'error wrong-type 7:3',
      'error wrong-type 8:11',
      'error wrong-type 9:15',
    ].sort(),
  );
  const hints = problems.flatMap(({ hint }) => hint ?? []);
  assert.ok(hints.includes('Write "B=c"'));
  assert.ok(hints.some((hint) => hint.includes('not a glob')));
});

test('what env cannot mean in any environment is found without one', async () => {
  const { problems } = await read(`image: i
env:
- O=it's
- X=\${HOME
- A=b c
- B="open
- C=\${A#x}
- D=\${A%x}
- E=\${A/x/y}
- F=\${A:?x}
- G=\${}
- H=a=b 'c
- I=it's "too"
`);
  assert.deepEqual(
    problems.map(({ code, severity, place, hint }) => [code, severity, place?.line, place?.column, hint]),
    [
      ['invalid-env', 'error', 3, 3, 'Write O="it\'s"'],
      ['invalid-env', 'error', 4, 3, undefined],
      ['invalid-env', 'error', 5, 3, 'Write A="b c"'],
      ...[6, 7, 8, 9, 10, 11].map((line) => ['invalid-env', 'error', line, 3, undefined]),
      ['invalid-env', 'error', 12, 3, 'Write H="a=b \'c"'],
      ['invalid-env', 'error', 13, 3, undefined],
    ],
  );
  const fine = [
    'A=$B',
    `A=\${B:-c d}`,
    `A=\${B+c}`,
    'A="b c"',
    "A='$'",
    'A=b B=c',
    'A=',
    'A=$',
    'A=\\ b',
    `A=\${B:-\${C}}`,
  ];
  assert.deepEqual(
    (await read(`image: i\nenv:\n${fine.map((item) => `- ${JSON.stringify(item)}\n`).join('')}`)).problems,
    [],
  );
});

test('a value that a template lacks is warned of where it makes no sense, for --values may give it', async () => {
  const { spec, problems } = await read(
    'image: "golang:<no value>"\nenv: ["A=<no value>", "B=x<no value>"]\n',
  );
  assert.deepEqual(brief(problems), [
    'warning invalid-image 1:8',
    'warning invalid-env 2:7',
    'warning invalid-env 2:23',
  ]);
  assert.ok(problems.every(({ advice }) => advice === 'more-values'));
  assert.equal(spec?.env.length, 2);
});

test('a spec that is no map is one error', async () => {
  assert.deepEqual(brief((await read('- a\n')).problems), ['error wrong-type 1:1']);
  assert.deepEqual(brief((await read('text\n')).problems), ['error wrong-type 1:1']);
});

test('places of a rendered spec are those of its templates', async () => {
  const text = 'image: a\nsteps:\n- one\n- two\nstep: x\n';
  const origin = (offset: number) => {
    const line = text.slice(0, offset).split('\n').length;
    const via = line === 4 ? [{ template: 'main', line: 9, column: 2, name: 't' }] : [];
    return { template: line === 4 ? 'shared' : 'main', line: line * 10, column: 1, via };
  };
  const { spec: found, problems } = await readBuild(renderedSource('b.yaml', text, origin));
  const steps = (spec: typeof found) =>
    spec?.steps.map(({ value, place, notes }) => ({ value, place, notes }));
  const expected = [
    { value: 'one', place: { file: 'main', line: 30, column: 1 }, notes: undefined },
    {
      value: 'two',
      place: { file: 'shared', line: 40, column: 1 },
      notes: [{ message: 'template "t" is called here', place: { file: 'main', line: 9, column: 2 } }],
    },
  ];
  assert.deepEqual(steps(found), expected);
  assert.deepEqual(
    problems.map(({ place }) => place),
    [{ file: 'main', line: 50, column: 1 }],
  );

  // Once another file was asked for places, the rendering is done again for this one.
  let renderings = 0;
  const again = () => {
    renderings++;
    return origin;
  };
  const other = renderedSource('c.yaml', text, () => undefined);
  const late = await readBuild(renderedSource('b.yaml', text, origin, again));
  const lost = await readBuild(other);
  assert.deepEqual(lost.spec?.place, { file: 'c.yaml' });
  assert.deepEqual(steps(late.spec), expected);
  assert.equal(renderings, 1);
});
