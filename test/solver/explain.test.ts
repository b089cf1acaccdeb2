import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Candidate,
  createUniverse,
  type Explanation,
  type Requirement,
  solve,
} from '../../src/solver/index.ts';

const at = (text: string, origin: string): Requirement => {
  const [name = '', selector = ''] = text.split(' ');
  return { name, selector, origin };
};

function pkg(
  id: string,
  requires: string[] = [],
  conflicts: string[] = [],
  provides: string[] = [],
): Candidate {
  const [, name = '', version = ''] = /^(.*?)-(\d.*)$/.exec(id) ?? [];
  const file = `${name.split('/')[1]}/build.yaml`;
  return {
    id,
    name,
    version,
    requires: requires.map((text, i) => at(text, `${file}:${i + 2}`)),
    conflicts: conflicts.map((text, i) => at(text, `${file}:${i + 20}`)),
    provides: provides.map((text) => at(text, file)),
  };
}

function why(candidates: Candidate[], requires: string[], packages: string[] = []): Explanation {
  const outcome = solve(createUniverse(candidates), {
    requires: requires.map((text) => {
      const [name = '', selector = ''] = text.split(' ');
      return { name, selector };
    }),
    packages,
  });
  assert.ok(!outcome.ok);
  return outcome.explanation;
}

test('two requirements that conflict', () => {
  const { message, problems, core } = why(
    [
      pkg('utils/top-1.0', ['libs/a >=0', 'libs/b >=0']),
      pkg('libs/a-1.0', [], ['libs/b >=0']),
      pkg('libs/b-1.0'),
    ],
    [],
    ['utils/top-1.0'],
  );
  assert.deepEqual(message.split('\n'), [
    'utils/top-1.0 is requested',
    'utils/top-1.0 requires libs/a >=0 (top/build.yaml:2), which only libs/a-1.0 satisfies',
    'utils/top-1.0 requires libs/b >=0 (top/build.yaml:3), which only libs/b-1.0 satisfies',
    'libs/a-1.0 conflicts with libs/b >=0 (a/build.yaml:20), which excludes libs/b-1.0',
    'so libs/a-1.0 and libs/b-1.0 would have to be selected together, but they conflict',
  ]);
  assert.equal(core.length, 4);
  const [problem] = problems;
  assert.ok(problem?.kind === 'conflict');
  assert.equal(problem.from?.id, 'libs/a-1.0');
  assert.deepEqual(
    problem.with.map((c) => c.id),
    ['libs/b-1.0'],
  );
  assert.deepEqual(
    problem.because.map((claim) => claim.requirement.origin),
    ['top/build.yaml:3'],
  );
});

test('a name that does not exist', () => {
  const { message, problems } = why(
    [pkg('utils/foo-1.0', ['libs/zlbi >=2.0']), pkg('libs/zlib-1')],
    ['utils/foo'],
  );
  assert.match(
    message,
    /utils\/foo-1\.0 requires libs\/zlbi >=2\.0 \(foo\/build\.yaml:2\), but no package has or provides this name/,
  );
  assert.match(message, /did you mean libs\/zlib\?$/);
  assert.deepEqual(
    problems.map((p) => [p.kind, p.kind === 'unknown-name' && p.nearest]),
    [['unknown-name', 'libs/zlib']],
  );
});

test('a selector that no version satisfies', () => {
  const { message, problems } = why(
    [
      pkg('utils/foo-1.0', ['libs/x >=2.0']),
      pkg('libs/x-1'),
      pkg('libs/x-1.1'),
      pkg('libs/y-1', [], [], ['libs/x 1.5']),
    ],
    ['utils/foo'],
  );
  assert.match(
    message,
    /but only libs\/x 1 and 1\.1 exist; libs\/y-1 provides it, but in no matching version/,
  );
  const [problem] = problems;
  assert.ok(problem?.kind === 'no-version');
  assert.deepEqual(problem.versions, ['1', '1.1']);
  assert.deepEqual(
    problem.providers.map((c) => c.id),
    ['libs/y-1'],
  );
});

test('two versions of one package', () => {
  const { message, problems } = why(
    [
      pkg('app/x-1.0', ['libs/y >=2']),
      pkg('app/x-2.0', ['libs/y >=2']),
      ...['1.0', '2.0', '3.0'].map((v) => pkg(`libs/y-${v}`)),
    ],
    ['app/x', 'libs/y <2'],
  );
  assert.deepEqual(message.split('\n'), [
    'the request requires app/x, which every version of app/x (1.0 and 2.0) satisfies',
    'the request requires libs/y <2, which only libs/y-1.0 satisfies; other versions of libs/y: 2.0 and 3.0',
    'every version of app/x requires libs/y >=2 (x/build.yaml:2), which libs/y 2.0 and 3.0 satisfy; other versions of libs/y: 1.0',
    'so several versions of libs/y would be needed at the same time: <2 for the request and >=2 for every version of app/x',
  ]);
  assert.deepEqual(
    problems.map((p) => p.kind),
    ['two-versions'],
  );
});

test('two versions requested by id', () => {
  const { problems } = why([pkg('a/a-1'), pkg('a/a-2')], [], ['a/a-1', 'a/a-2']);
  const [problem] = problems;
  assert.ok(problem?.kind === 'two-versions' && problems.length === 1);
  assert.deepEqual(
    problem.requested.map((c) => c.id),
    ['a/a-1', 'a/a-2'],
  );
});

test('several ways, each closed for its own reason', () => {
  const { message, problems } = why(
    [
      pkg('app/x-1', ['libs/gone']),
      pkg('app/x-2', ['libs/y >=2']),
      pkg('app/x-3', [], ['libs/y']),
      pkg('libs/y-1'),
    ],
    ['app/x', 'libs/y'],
  );
  assert.deepEqual(problems.map((p) => p.kind).sort(), ['conflict', 'no-version', 'unknown-name']);
  assert.match(message, /so app\/x and libs\/y cannot be selected together: /);
});

test('what is ruled out on the way is said where it follows', () => {
  const { message } = why(
    [
      pkg('app/x-1', ['libs/y']),
      pkg('app/x-2', ['libs/w']),
      pkg('libs/y-1', ['libs/z <2', 'libs/z >2']),
      pkg('libs/y-2', ['libs/z 1', 'libs/z 2']),
      pkg('libs/w-1', ['libs/z 1', 'libs/z 3']),
      ...['1', '2', '3'].map((v) => pkg(`libs/z-${v}`)),
    ],
    ['app/x'],
  );
  assert.deepEqual(message.split('\n'), [
    'the request requires app/x, which every version of app/x (1 and 2) satisfies',
    'libs/w-1 requires libs/z 1 (w/build.yaml:2), which only libs/z-1 satisfies; other versions of libs/z: 2 and 3',
    'libs/w-1 requires libs/z 3 (w/build.yaml:3), which only libs/z-3 satisfies; other versions of libs/z: 1 and 2',
    'so libs/w-1 cannot be selected',
    'libs/y-2 requires libs/z 1 (y/build.yaml:2), which only libs/z-1 satisfies; other versions of libs/z: 2 and 3',
    'libs/y-2 requires libs/z 2 (y/build.yaml:3), which only libs/z-2 satisfies; other versions of libs/z: 1 and 3',
    'so libs/y-2 cannot be selected',
    'app/x-1 requires libs/y (x/build.yaml:2), which every version of libs/y (1 and 2) satisfies',
    'app/x-2 requires libs/w (x/build.yaml:2), which only libs/w-1 satisfies',
    'libs/y-1 requires libs/z <2 (y/build.yaml:2), which only libs/z-1 satisfies; other versions of libs/z: 2 and 3',
    'libs/y-1 requires libs/z >2 (y/build.yaml:3), which only libs/z-3 satisfies; other versions of libs/z: 1 and 2',
    'so no option is left, and app/x cannot be selected',
  ]);
});

test('a story of any length is told, with its middle left out of the message alone', () => {
  const world = Array.from({ length: 500 }, (_, i) =>
    [1, 2].map((v) => pkg(`a/x${i}-${v}`, [`a/x${i + 1}`])),
  );
  const { message, steps, core, problems } = why(world.flat(), ['a/x0']);
  assert.equal(core.length, 1001);
  assert.equal(steps.length, 502);
  assert.ok(message.split('\n').length < 50 && message.includes('more steps'));
  assert.deepEqual(
    problems.map((p) => p.kind),
    ['unknown-name', 'unknown-name'],
  );
});
