import assert from 'node:assert/strict';
import test from 'node:test';
import {
  type Candidate,
  createUniverse,
  type Request,
  type Requirement,
  type SolveResult,
  satisfiers,
  solve,
} from '../../src/solver/index.ts';

interface Parts {
  readonly requires?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly provides?: readonly string[];
}

const form = (text: string): Requirement => {
  const [name = '', selector = ''] = text.split(' ');
  return { name, selector };
};

/** `category/name-version`, with forms such as `libs/a >=1`. */
function pkg(id: string, { requires = [], conflicts = [], provides = [] }: Parts = {}): Candidate {
  const [, name = '', version = ''] = /^(.*?)-(\d.*)$/.exec(id) ?? [];
  return {
    id,
    name,
    version,
    requires: requires.map(form),
    conflicts: conflicts.map(form),
    provides: provides.map(form),
  };
}

const ask = (candidates: Candidate[], requires: string[], more: Partial<Request> = {}): SolveResult =>
  solve(createUniverse(candidates), { requires: requires.map(form), ...more });

function chosen(outcome: SolveResult): string[] {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.explanation.message);
  return outcome.packages.map((c) => c.id);
}

const LIB = ['1.0', '1.9', '1.10', '1.10+1', '2.0~rc1'].map((v) => pkg(`libs/lib-${v}`));

test('takes the newest version that a selector admits', () => {
  const newest: Record<string, string> = {
    '': '2.0~rc1',
    '>=0': '2.0~rc1',
    '1.9': '1.9',
    '<1.10': '1.9',
    '>1.10': '2.0~rc1',
    '<=1.10+1': '1.10+1',
    '!=2.0~rc1': '1.10+1',
    '!2.0~rc1': '1.10+1',
  };
  for (const [selector, version] of Object.entries(newest)) {
    assert.deepEqual(chosen(ask(LIB, [`libs/lib ${selector}`])), [`libs/lib-${version}`]);
  }
});

test('takes an older version where the newest does not fit what comes before it', () => {
  const world = [
    pkg('a/top-1', { requires: ['a/x', 'a/y'] }),
    pkg('a/x-1', { requires: ['a/z <2'] }),
    pkg('a/x-2', { requires: ['a/z >=2'] }),
    pkg('a/y-1'),
    pkg('a/y-2', { requires: ['a/z <2'] }),
    pkg('a/z-1'),
    pkg('a/z-2'),
  ];
  assert.deepEqual(chosen(ask(world, ['a/top'])), ['a/top-1', 'a/x-2', 'a/y-1', 'a/z-2']);
  assert.deepEqual(
    chosen(ask(world, ['a/y', 'a/x'])),
    ['a/x-1', 'a/y-2', 'a/z-1'],
    'the first request first',
  );
  assert.deepEqual(chosen(ask(world, ['a/z <2', 'a/top'])), ['a/top-1', 'a/x-1', 'a/y-2', 'a/z-1']);
});

test('nothing is in a solution without need', () => {
  const world = [pkg('a/a-1', { requires: ['a/b'] }), pkg('a/b-1'), pkg('a/c-1', { requires: ['a/a'] })];
  assert.deepEqual(chosen(ask(world, ['a/a'])), ['a/a-1', 'a/b-1']);
  assert.deepEqual(chosen(ask(world, [])), []);
});

test('a provider stands in wherever its name is required, even where that name exists', () => {
  const world = [
    pkg('utils/moved-1.0', { requires: ['libs/oldname >=0'] }),
    pkg('libs/oldname-9.0'),
    pkg('libs/newname-1.0', { provides: ['libs/oldname >=0'] }),
  ];
  const outcome = ask(world, ['utils/moved']);
  assert.deepEqual(chosen(outcome), ['libs/newname-1.0', 'utils/moved-1.0']);
  assert.ok(outcome.ok);
  const [, moved] = outcome.packages;
  const [requirement] = moved?.requires ?? [];
  assert.ok(requirement !== undefined);
  assert.deepEqual(
    satisfiers(outcome, moved, requirement).map((c) => c.id),
    ['libs/newname-1.0'],
  );
  assert.deepEqual(chosen(ask(world, ['libs/oldname'])), ['libs/newname-1.0']);
  assert.deepEqual(chosen(ask(world, [], { packages: ['libs/oldname-9.0'] })), ['libs/oldname-9.0']);
});

test('a real package serves where no provider can', () => {
  const world = [
    pkg('a/x-1', { requires: ['a/old >=2'], conflicts: ['a/new'] }),
    pkg('a/y-1', { requires: ['a/old >=2'] }),
    pkg('a/old-2'),
    pkg('a/new-1', { provides: ['a/old 2'] }),
    pkg('a/narrow-1', { provides: ['a/old 1'] }),
  ];
  assert.deepEqual(chosen(ask(world, ['a/y'])), ['a/new-1', 'a/y-1']);
  assert.deepEqual(chosen(ask(world, ['a/x'])), ['a/old-2', 'a/x-1']);
});

test('a provided version answers selectors', () => {
  const world = [
    pkg('java/jre-old-8.0', { provides: ['virtual/jre 8.0'] }),
    pkg('java/jre-new-21.0', { provides: ['virtual/jre 21.0'] }),
    pkg('java/jre-range-1.0', { provides: ['virtual/jre <5'] }),
    pkg('java/any-1.0', { provides: ['virtual/any'] }),
  ];
  assert.deepEqual(chosen(ask(world, ['virtual/jre >=17'])), ['java/jre-new-21.0']);
  assert.deepEqual(
    chosen(ask(world, ['virtual/jre <11'])),
    ['java/jre-old-8.0'],
    'an exact version before a range',
  );
  assert.deepEqual(chosen(ask(world, ['virtual/jre 4'])), ['java/jre-range-1.0']);
  assert.deepEqual(chosen(ask(world, ['virtual/jre'])), ['java/jre-new-21.0'], 'the newest that is provided');
  assert.deepEqual(chosen(ask(world, ['virtual/any 3.7'])), ['java/any-1.0']);
  assert.equal(ask(world, ['virtual/jre >21.0']).ok, false);
});

test('a provider that is needed anyway is not joined by another one', () => {
  const world = [
    pkg('mail/postfix-1', { provides: ['virtual/mta'] }),
    pkg('mail/exim-1', { provides: ['virtual/mta'] }),
    pkg('app/foo-1', { requires: ['virtual/mta'] }),
    pkg('app/bar-1', { requires: ['app/baz'] }),
    pkg('app/baz-1', { requires: ['mail/postfix'] }),
  ];
  assert.deepEqual(chosen(ask(world, ['app/foo'])), ['app/foo-1', 'mail/exim-1']);
  assert.deepEqual(chosen(ask(world, ['app/foo', 'mail/postfix'])), ['app/foo-1', 'mail/postfix-1']);
  assert.deepEqual(chosen(ask(world, ['virtual/mta', 'mail/postfix'])), ['mail/postfix-1']);
  assert.deepEqual(chosen(ask(world, ['app/foo', 'app/bar'])), [
    'app/bar-1',
    'app/baz-1',
    'app/foo-1',
    'mail/postfix-1',
  ]);
});

test('what a package provides satisfies its own requirement', () => {
  const world = [
    pkg('a/a-1', { requires: ['v/v', 'a/a >=1'], provides: ['v/v'] }),
    pkg('a/b-1', { provides: ['v/v'] }),
  ];
  const outcome = ask(world, ['a/a']);
  assert.deepEqual(chosen(outcome), ['a/a-1']);
  assert.ok(outcome.ok);
  for (const requirement of outcome.packages[0]?.requires ?? []) {
    assert.deepEqual(satisfiers(outcome, outcome.packages[0], requirement), outcome.packages);
  }
});

test('conflicts hold in both directions, over what is provided, and never against oneself', () => {
  const world = [
    pkg('mail/postfix-1', { provides: ['virtual/mta'], conflicts: ['virtual/mta'] }),
    pkg('mail/exim-1', { provides: ['virtual/mta'] }),
    pkg('app/old-1', { conflicts: ['mail/exim <2'] }),
  ];
  assert.deepEqual(chosen(ask(world, ['mail/postfix'])), ['mail/postfix-1']);
  assert.equal(ask(world, ['mail/postfix', 'mail/exim']).ok, false);
  assert.equal(ask(world, ['mail/exim', 'mail/postfix']).ok, false);
  assert.equal(ask(world, ['mail/exim', 'app/old']).ok, false);
  assert.deepEqual(chosen(ask(world, ['app/old', 'virtual/mta'])), ['app/old-1', 'mail/postfix-1']);
});

test('cycles are no obstacle', () => {
  const world = [
    pkg('a/a-1', { requires: ['a/b'] }),
    pkg('a/b-1', { requires: ['a/c'] }),
    pkg('a/c-1', { requires: ['a/a'] }),
  ];
  assert.deepEqual(chosen(ask(world, ['a/c'])), ['a/a-1', 'a/b-1', 'a/c-1']);
});

test('installed packages stay as they are unless the request says otherwise', () => {
  const world = [
    pkg('a/app-1', { requires: ['a/lib'] }),
    pkg('a/app-2', { requires: ['a/lib >=2'] }),
    pkg('a/lib-1'),
    pkg('a/lib-2'),
    pkg('a/lib-3'),
    pkg('a/other-1', { requires: ['a/lib'] }),
    pkg('a/enemy-1', { conflicts: ['a/other'] }),
  ];
  const installed = ['a/app-1', 'a/lib-1', 'a/other-1'];
  assert.deepEqual(chosen(ask(world, [], { installed })), installed);
  assert.deepEqual(chosen(ask(world, ['a/other'], { installed })), installed);
  assert.deepEqual(
    chosen(ask(world, ['a/app'], { installed })),
    ['a/app-2', 'a/lib-3', 'a/other-1'],
    'the request is for the newest, and takes the library along',
  );
  assert.deepEqual(chosen(ask(world, ['a/enemy'], { installed })), ['a/app-1', 'a/enemy-1', 'a/lib-1']);
  assert.deepEqual(chosen(ask(world, [], { installed, conflicts: [form('a/lib <2')] })), [
    'a/app-1',
    'a/lib-3',
    'a/other-1',
  ]);
});

test('what a request excludes is not chosen', () => {
  assert.deepEqual(chosen(ask(LIB, ['libs/lib'], { conflicts: [form('libs/lib >1.10')] })), [
    'libs/lib-1.10',
  ]);
  assert.equal(ask(LIB, ['libs/lib'], { conflicts: [form('libs/lib')] }).ok, false);
});

test('a selector that cannot be read admits nothing, and harms nothing else', () => {
  const world = [
    pkg('a/a-1', { requires: ['a/b >=1,<2'] }),
    pkg('a/b-1', { conflicts: ['a/c >=1,<2'] }),
    pkg('a/c-1', { provides: ['a/d >=1,<2'] }),
  ];
  assert.deepEqual(chosen(ask(world, ['a/b', 'a/c'])), ['a/b-1', 'a/c-1']);
  assert.equal(ask(world, ['a/d']).ok, false);
  const outcome = ask(world, ['a/a']);
  assert.ok(!outcome.ok && outcome.explanation.problems[0]?.kind === 'invalid-selector');
});

test('unknown and repeated ids are mistakes of the caller', () => {
  assert.throws(() => createUniverse([pkg('a/a-1'), pkg('a/a-1')]), RangeError);
  assert.throws(() => ask([pkg('a/a-1')], [], { packages: ['a/b-1'] }), RangeError);
  assert.throws(() => ask([pkg('a/a-1')], [], { installed: ['a/b-1'] }), RangeError);
});
