import assert from 'node:assert/strict';
import test from 'node:test';
import { DiagnosticError } from '../../src/diagnostic/index.ts';
import { planBuild, validateRelations } from '../../src/plan/index.ts';
import { loadTrees } from '../../src/tree/index.ts';
import { cli } from '../support/cli.ts';
import { brief, folder } from '../tree/support.ts';

type Id = readonly [name: string, category: string, version: string];

const form = ([name, category, version]: Id): string =>
  `{name: "${name}", category: "${category}", version: "${version}"}`;

/** Files of a package, whose build spec names subpackages on line 4 and the following. */
function files(at: string, id: Id, ...subpackages: readonly Id[]): Record<string, string> {
  const subs = subpackages.map((sub) => `- ${form(sub)}\n`);
  return {
    [`${at}/definition.yaml`]: form(id),
    [`${at}/build.yaml`]: `image: nowhere/none:1\nsteps: ["true"]\nsubpackages:\n${subs.join('')}`,
  };
}

/** Packages of one file name: their files, where the second stands, and the packages that cannot be written together. */
const cases: Readonly<Record<string, readonly [Record<string, string>, string, readonly string[]]>> = {
  'a dash between name and category': [
    { ...files('x/a', ['a', 'b-c', '1']), ...files('x/b', ['a-b', 'c', '1']) },
    'x/b/definition.yaml:1:1',
    ['b-c/a-1', 'c/a-b-1'],
  ],
  'a dash between category and version': [
    { ...files('x/a', ['a', 'c', '1-2']), ...files('x/b', ['a', 'c-1', '2']) },
    'x/b/definition.yaml:1:1',
    ['c/a-1-2', 'c-1/a-2'],
  ],
  'no category': [
    { ...files('x/a', ['a-', '1', '2']), ...files('x/b', ['a', '', '1-2']) },
    'x/a/definition.yaml:1:1',
    ['1/a--2', 'a-1-2'],
  ],
  'a subpackage and a package': [
    { ...files('x/a', ['a', 'b-c', '1']), ...files('x/b', ['b', 'c', '1'], ['a-b', 'c', '1']) },
    'x/b/build.yaml:4:3',
    ['b-c/a-1', 'c/b-1'],
  ],
  'subpackages of one name': [
    {
      ...files('x/a', ['a', 'c', '1'], ['dev', 'c', '1']),
      ...files('x/b', ['b', 'c', '1'], ['dev', 'c', '1']),
    },
    'x/b/build.yaml:4:3',
    ['c/a-1', 'c/b-1'],
  ],
  'a subpackage with the name of a package that is built itself': [
    { ...files('x/a', ['a', 'c', '1'], ['b', 'c', '1']), ...files('x/b', ['b', 'c', '1']) },
    'x/b/definition.yaml:1:1',
    ['c/a-1', 'c/b-1'],
  ],
  'packages of two trees': [
    { ...files('x/a', ['a', 'b-c', '1']), ...files('y/b', ['a-b', 'c', '1']) },
    'y/b/definition.yaml:1:1',
    ['b-c/a-1', 'c/a-b-1'],
  ],
};

for (const [what, [written, at, both]] of Object.entries(cases))
  test(`two packages that would write one file are an error: ${what}`, async (t) => {
    const trees = written['y/b/definition.yaml'] === undefined ? ['x'] : ['x', 'y'];
    const tree = await loadTrees(trees, { cwd: folder(t, written) });
    assert.deepEqual(tree.diagnostics, []);
    const problems = validateRelations(tree);
    assert.deepEqual(brief(problems), [`same-file ${at}`]);
    assert.equal(problems[0]?.notes?.length, 1);
    const packages = both.map((key) => tree.byKey(key) ?? assert.fail(key));
    for (const order of [packages, packages.toReversed()])
      assert.throws(
        () => planBuild(tree, order),
        (error) => error instanceof DiagnosticError && error.diagnostics[0]?.code === 'same-file',
      );
    // Either alone can be built, and the others of a build that goes on.
    for (const one of packages) assert.equal(planBuild(tree, [one]).artifacts.length, 1);
    const told: string[] = [];
    const plan = planBuild(tree, packages, {
      onProblem: ({ diagnostics }) => told.push(...diagnostics.map(({ code }) => code)),
    });
    assert.deepEqual(told, ['same-file']);
    assert.deepEqual(
      plan.artifacts.map(({ wanted }) => wanted),
      [false, false],
    );
    const selected = (key: string): boolean => key === both[1];
    assert.equal(validateRelations(tree, { selects: selected }).length, 1);
    assert.deepEqual(validateRelations(tree, { selects: (key) => !both.includes(key) }), []);
    assert.deepEqual(validateRelations(tree, { views: ['runtime'] }), []);
  });

test('a definition that describes a subpackage is no second package', async (t) => {
  const tree = await loadTrees(['.'], {
    cwd: folder(t, {
      ...files('a', ['a', 'c', '1'], ['dev', 'c', '1']),
      'dev/definition.yaml': form(['dev', 'c', '1']),
    }),
  });
  assert.deepEqual(validateRelations(tree), []);
  planBuild(tree, [tree.byKey('c/a-1') ?? assert.fail()]);
});

test('a build that would write one file twice says so before anything runs, also of what is only needed', async (t) => {
  const cwd = folder(t, {
    ...files('t/a', ['a', 'b-c', '1']),
    ...files('t/b', ['a-b', 'c', '1']),
    ...files('t/ok', ['ok', 'c', '1']),
    't/top/definition.yaml': form(['top', 'c', '1']),
    't/top/build.yaml': `requires:\n- ${form(['a', 'b-c', '>=0'])}\n- ${form(['a-b', 'c', '>=0'])}\n`,
  });
  for (const words of [['--all'], ['b-c/a', 'c/a-b'], ['c/top'], ['--all', '--pretend']]) {
    const { code, stdout, stderr } = await cli(['build', '-t', 't', ...words], { cwd });
    assert.deepEqual([code, stdout], [1, ''], words.join(' '));
    assert.match(
      stderr,
      /^t\/b\/definition\.yaml:1:1: error\[same-file\]: c\/a-b-1: b-c\/a-1 and c\/a-b-1 would/m,
    );
    assert.doesNotMatch(stderr, /no-engine/);
  }
  const going = await cli(['build', '-t', 't', '--all', '--pretend', '--keep-going'], { cwd });
  assert.deepEqual([going.code, going.stdout], [1, 'c/ok-1\nc/top-1\n']);
  for (const one of ['b-c/a', 'c/a-b'])
    assert.equal((await cli(['build', '-t', 't', one, '--pretend'], { cwd })).code, 0);
});
