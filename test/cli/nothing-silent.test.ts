import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { cli } from '../support/cli.ts';
import { definition, folder, forms } from '../tree/support.ts';

/** A tree in which everything is well. `libs/two` has an older version. */
const files = {
  't/base/definition.yaml': definition('seed/base-1.0'),
  't/base/build.yaml': 'image: nowhere/none:1\n',
  't/old/definition.yaml': definition('libs/two-1.0'),
  't/old/build.yaml': `${forms('requires', 'seed/base')}steps: [make]\n`,
  't/two/definition.yaml': definition('libs/two-2.0', forms('requires', 'seed/base')),
  't/two/build.yaml': `${forms('requires', 'seed/base')}steps: [make]\n`,
  't/app/definition.yaml': definition('apps/app-1'),
  't/app/build.yaml': `${forms('requires', 'seed/base')}steps: [make]\n`,
  't/user/definition.yaml': definition('apps/user-1', forms('requires', 'libs/two')),
  't/user/build.yaml': `${forms('requires', 'libs/two')}steps: [make]\n`,
  'outside/file.yaml': `${definition('libs/two-2.0')}steps: [make]\n`,
};

const nested = (deep: number): string =>
  `a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n${Array.from({ length: deep }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]\n`).join('')}`;

interface Damage {
  /** The file that a finding names. */
  readonly place: string;
  readonly code: string;
  readonly make: (cwd: string) => void;
}

/** Ways in which the file at a place cannot be read, for a package that is one by its other files. */
function unreadable(place: string): readonly Damage[] {
  const replaced = (make: (path: string) => void) => (cwd: string) => {
    rmSync(join(cwd, place));
    make(join(cwd, place));
  };
  const text = (content: string | Uint8Array) => replaced((path) => writeFileSync(path, content));
  return [
    { place, code: 'not-a-file', make: replaced((path) => execFileSync('mkfifo', [path])) },
    { place, code: 'not-a-file', make: replaced((path) => mkdirSync(path)) },
    { place, code: 'outside-tree', make: replaced((path) => symlinkSync('../../outside/file.yaml', path)) },
    { place, code: 'unreadable', make: replaced((path) => symlinkSync('nowhere', path)) },
    { place, code: 'yaml-alias', make: text(`${nested(6)}name: two\n`) },
    { place, code: 'not-utf8', make: text(Buffer.from('name: tw\xe9\n', 'latin1')) },
    { place, code: 'file-too-large', make: text(`#${'x'.repeat(5 << 20)}`) },
    { place, code: 'yaml-syntax', make: text('name: [two\n') },
    { place, code: 'wrong-type', make: text('just text\n') },
  ];
}

const write = (path: string, content: string) => (cwd: string) => {
  mkdirSync(join(cwd, path, '..'), { recursive: true });
  writeFileSync(join(cwd, path), content);
};

/** Damages after which the tree does not say which package it lacks. */
const nameless: readonly Damage[] = [
  ...unreadable('t/two/definition.yaml'),
  ...['', 'category: libs\nversion: 2.0\n', 'name:\n'].map((content) => ({
    place: 't/two/definition.yaml',
    code: 'missing-name',
    make: write('t/two/definition.yaml', content),
  })),
  {
    place: 't/two/defintion.yaml',
    code: 'misnamed-file',
    make: (cwd) => renameSync(join(cwd, 't/two/definition.yaml'), join(cwd, 't/two/defintion.yaml')),
  },
  {
    place: 't/tw\ufffd',
    code: 'not-utf8',
    make: (cwd) =>
      renameSync(join(cwd, 't/two'), Buffer.concat([Buffer.from(`${cwd}/t/tw`), Buffer.from([0xe9])])),
  },
  {
    place: 't/more/collection.yaml',
    code: 'missing-name',
    make: write(
      't/more/collection.yaml',
      'packages:\n- {name: other, category: c, version: 1}\n- {category: c}\n',
    ),
  },
  {
    place: 't/more/collection.yaml',
    code: 'empty-collection',
    make: write('t/more/collection.yaml', 'package:\n- {name: other, category: c, version: 1}\n'),
  },
  {
    place: 't/templates/shared.yaml',
    code: 'template-syntax',
    make: write('t/templates/shared.yaml', '{{ define "x" }}\n'),
  },
];

/** Damages to a package whose name is known. */
const named: readonly Damage[] = [
  ...unreadable('t/two/build.yaml'),
  {
    place: 't/two/definition.yaml',
    code: 'yaml-alias',
    make: write('t/two/definition.yaml', `${definition('libs/two-2.0')}x: *nowhere\n`),
  },
  {
    place: 't/two/definition.yaml',
    code: 'duplicate-package',
    make: write('t/again/definition.yaml', definition('libs/two-2.0')),
  },
  {
    place: 't/two/build.yaml',
    code: 'template-error',
    make: write('t/two/build.yaml', '{{ fail "no" }}'),
  },
];

async function answers(t: TestContext, { place, code, make }: Damage) {
  const cwd = folder(t, files);
  make(cwd);
  const told = new RegExp(
    `^${place.replaceAll('.', '\\.')}(?::\\d+:\\d+)?: (error|warning)\\[${code}\\]`,
    'm',
  );
  /** Runs a command, and says its exit code and how it tells of the damage. */
  return async (...words: string[]) => {
    const answer = await cli(words, { cwd });
    assert.doesNotMatch(answer.stderr, /This is a bug/, answer.stderr);
    return {
      ...answer,
      told: told.exec(answer.stderr + answer.stdout)?.[1],
      label: `${code}: ${words.join(' ')}`,
    };
  };
}

/** Every command takes the same answer of a tree, so that few damages are enough to try them all. */
const each = (damages: readonly Damage[], ...codes: readonly string[]): readonly Damage[] =>
  codes.flatMap((code) => damages.find((one) => one.code === code) ?? []);

for (const damage of [...nameless, ...named])
  test(`whoever asks for everything is told of what cannot be read: ${damage.code} of ${damage.place}`, async (t) => {
    const run = await answers(t, damage);
    const stopped = await run('build', '-t', 't', '--all', '--pretend');
    assert.deepEqual([stopped.code, stopped.stdout, stopped.told], [1, '', 'error'], stopped.label);
    const going = await run('build', '-t', 't', '--all', '--pretend', '--keep-going');
    assert.deepEqual([going.code, going.told], [1, 'error'], going.label);
    assert.match(going.stdout, /^apps\/app-1$/m);
    if (!/more|templates/.test(damage.place)) assert.doesNotMatch(going.stdout, /^libs\/two-2\.0$/m);
  });

for (const damage of each([...nameless, ...named], 'not-a-file', 'missing-name', 'duplicate-package'))
  test(`each command on whole trees tells of what cannot be read: ${damage.code} of ${damage.place}`, async (t) => {
    const run = await answers(t, damage);
    const full = await run('build', '-t', 't', '--full', '--pretend');
    assert.deepEqual([full.code, full.stdout, full.told], [1, '', 'error'], full.label);
    for (const words of [['validate'], ['graph', '--format', 'json'], ['render']]) {
      const answer = await run('tree', ...words, '-t', 't');
      assert.deepEqual([answer.code, answer.told], [1, 'error'], answer.label);
      if (words[0] !== 'validate') assert.match(answer.stdout, /\bapp\b/, answer.label);
    }
    const images = await run('tree', 'images', '-t', 't', '--engine', 'unix:///nowhere.sock');
    assert.deepEqual([images.code, images.told], [1, 'error'], images.label);
  });

for (const damage of each(nameless, 'outside-tree', 'missing-name', 'misnamed-file'))
  test(`lists, and commands on one package, tell of what cannot be read: ${damage.code} of ${damage.place}`, async (t) => {
    const run = await answers(t, damage);
    for (const words of [['pkglist'], ['pkglist', '-b'], ['pkglist', '-b', '--revdeps', '-m', 'seed/base']]) {
      const listed = await run('tree', ...words, '-t', 't');
      assert.deepEqual([listed.code, listed.told], [1, 'error'], listed.label);
      assert.match(listed.stdout, /^apps\/app$/m);
    }
    const bump = await run('tree', 'bump', '-t', 't', 'seed/base', '--revdeps', '--dry-run');
    assert.deepEqual([bump.code, bump.told, bump.stdout], [1, 'error', ''], bump.label);
    const revdeps = await run('build', '-t', 't', 'seed/base', '--revdeps', '--pretend');
    assert.deepEqual([revdeps.code, revdeps.told, revdeps.stdout], [1, 'error', ''], revdeps.label);
    const unknown = await run('build', '-t', 't', 'libs/three', '--pretend');
    assert.deepEqual([unknown.code, unknown.told, unknown.stdout], [1, 'error', ''], unknown.label);
    const beside = await run('build', '-t', 't', 'apps/app', '--pretend');
    assert.deepEqual(
      [beside.code, beside.told, beside.stdout],
      [0, 'warning', 'seed/base-1.0\napps/app-1\n'],
      beside.label,
    );
    for (const words of [
      ['explain', 'apps/app'],
      ['why', 'apps/app', 'seed/base'],
      ['graph', 'apps/app'],
      ['render', 'apps/app'],
      ['bump', 'apps/app', '--dry-run'],
    ]) {
      const [name = '', ...rest] = words;
      const answer = await run('tree', name, '-t', 't', ...rest);
      assert.deepEqual([answer.code, answer.told], [0, 'warning'], answer.label);
    }
  });

for (const damage of each(named, 'not-a-file', 'yaml-alias', 'duplicate-package'))
  test(`a package that cannot be read stops what needs it, and nothing else: ${damage.code} of ${damage.place}`, async (t) => {
    const run = await answers(t, damage);
    for (const words of [
      ['build', '-t', 't', 'libs/two', '--pretend'],
      ['build', '-t', 't', 'apps/user', '--pretend'],
      ['build', '-t', 't', 'apps/user', '--pretend', '--keep-going'],
      ['tree', 'render', '-t', 't', 'libs/two'],
      ['tree', 'explain', '-t', 't', '-b', 'libs/two'],
      ['tree', 'explain', '-t', 't', '-b', 'apps/user'],
      ['tree', 'why', '-t', 't', 'apps/user', 'libs/two'],
      ['tree', 'why', '-t', 't', '-b', 'libs/two', 'seed/base'],
      ['tree', 'graph', '-t', 't', 'apps/user'],
      ['tree', 'pkglist', '-t', 't', '-b', '--deps', '-m', 'apps/user'],
      ['tree', 'pkglist', '-t', 't', '-b', '--revdeps', '-m', 'seed/base'],
    ]) {
      const answer = await run(...words);
      assert.deepEqual([answer.code, answer.told], [1, 'error'], answer.label);
      if (words[0] === 'build') assert.equal(answer.stdout, '', answer.label);
    }
    const beside = await run('build', '-t', 't', 'apps/app', '--pretend');
    assert.deepEqual([beside.code, beside.stderr], [0, ''], beside.label);
    const list = await run('tree', 'pkglist', '-t', 't', '-b', '-v');
    assert.match(list.stdout, /^libs\/two-2\.0$/m, list.label);
  });

test('an older version does not silently take the place of one that cannot be read', async (t) => {
  const run = await answers(t, {
    place: 't/two/definition.yaml',
    code: 'yaml-syntax',
    make: write('t/two/definition.yaml', '{category: "libs", "name" : "two", version: [2.0}\n'),
  });
  for (const words of [
    ['build', '-t', 't', 'libs/two', '--pretend'],
    ['build', '-t', 't', 'apps/user', '--pretend'],
    ['tree', 'explain', '-t', 't', 'apps/user'],
    ['tree', 'bump', '-t', 't', 'libs/two', '--dry-run'],
  ]) {
    const answer = await run(...words);
    assert.deepEqual([answer.code, answer.told], [1, 'error'], answer.label);
    assert.match(answer.stderr, /note: this may be another version of two, which is asked for/);
  }
  const beside = await run('build', '-t', 't', 'apps/app', '--pretend');
  assert.deepEqual([beside.code, beside.told], [0, 'warning']);
});

test('what is wrong with a definition at run time is wrong with every answer that rests on it', async (t) => {
  const run = await answers(t, {
    place: 't/two/definition.yaml',
    code: 'wrong-type',
    make: write('t/two/definition.yaml', definition('libs/two-2.0', 'requires: [seed/base]\n')),
  });
  for (const words of [
    ['explain', '-t', 't', '--runtime', 'apps/user'],
    ['why', '-t', 't', '--runtime', 'apps/user', 'libs/two'],
    ['graph', '-t', 't', '--runtime', 'apps/user'],
    ['pkglist', '-t', 't', '--deps', '-m', 'apps/user'],
    ['pkglist', '-t', 't', '--revdeps', '-m', 'seed/base'],
    ['pkglist', '-t', 't', '-m', 'libs/two'],
  ]) {
    const answer = await run('tree', ...words);
    assert.deepEqual([answer.code, answer.told], [1, 'error'], answer.label);
  }
  assert.equal((await run('tree', 'pkglist', '-t', 't', '-m', 'apps/app')).code, 0);
});

test('a view that cannot be answered is told of beside the other', async (t) => {
  const run = await answers(t, {
    place: 't/two/build.yaml',
    code: 'wrong-type',
    make: write('t/two/build.yaml', 'steps: x\n'),
  });
  const answer = await run('tree', 'why', '-t', 't', 'apps/user', 'libs/two');
  assert.deepEqual([answer.code, answer.told], [1, 'error']);
  assert.match(answer.stdout, /needs libs\/two at run time/);
});

test('packages of a collection are there beside one without a name, and a bump of all of them is refused', async (t) => {
  const run = await answers(t, {
    place: 't/more/collection.yaml',
    code: 'missing-name',
    make: (cwd) => {
      write(
        't/more/collection.yaml',
        'packages:\n- {name: x, category: c, version: 1}\n- {category: c}\n',
      )(cwd);
      write('t/more/build.yaml', forms('requires', 'seed/base'))(cwd);
    },
  });
  const built = await run('build', '-t', 't', 'c/x', '--pretend');
  assert.deepEqual([built.code, built.told, built.stdout], [0, 'warning', 'seed/base-1.0\nc/x-1\n']);
  const bump = await run('tree', 'bump', '-t', 't', '-f', 't/more/collection.yaml', '--dry-run');
  assert.deepEqual([bump.code, bump.told, bump.stdout], [1, 'error', '']);
});

test('every package that the same error stops is named', async (t) => {
  const needing = (name: string, on: string) => ({
    [`t/${name}/definition.yaml`]: definition(`c/${name}-1`),
    [`t/${name}/build.yaml`]: `${forms('requires', on)}steps: [x]\n`,
  });
  const cwd = folder(t, {
    ...files,
    ...needing('middle', 'c/nowhere'),
    ...needing('one', 'c/middle'),
    ...needing('other', 'c/middle'),
  });
  for (const more of [[], ['--keep-going']]) {
    const answer = await cli(['build', '-t', 't', '--all', '--pretend', ...more], { cwd });
    assert.equal(answer.code, 1);
    assert.equal(answer.stderr.match(/error\[/g)?.length, 1, answer.stderr);
    assert.match(answer.stderr, /error\[missing-requirement\]: c\/middle-1: /);
    assert.match(answer.stderr, /^ {2}note: the same stops c\/one-1, c\/other-1$/m);
  }
});

test('a package that has no build.yaml is not rendered silently', async (t) => {
  const cwd = folder(t, { 't/data/definition.yaml': definition('c/data-1') });
  const answer = await cli(['tree', 'render', '-t', 't', 'c/data'], { cwd });
  assert.deepEqual([answer.code, answer.stdout], [1, '']);
  assert.match(answer.stderr, /t\/data\/definition\.yaml:1:1: error\[not-buildable\]/);
});

test('of very many findings about unread files, the first are shown and the others counted', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`t/x${i}/definition.yaml`, 'version: 1\n']),
  );
  const cwd = folder(t, { ...files, ...many });
  const answer = await cli(['build', '-t', 't', 'apps/app', '--pretend'], { cwd });
  assert.equal(answer.code, 0);
  assert.equal(answer.stderr.match(/warning\[missing-name\]/g)?.length, 5);
  assert.match(answer.stderr, /warning\[more-unread\]: 15 more findings/);
});
