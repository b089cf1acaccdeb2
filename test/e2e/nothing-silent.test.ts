import assert from 'node:assert/strict';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import type { CliAnswer } from '../support/cli.ts';
import { filesOf, makeSite, needs, onBase, work, written } from '../support/site.ts';

test('a package does not replace the files of another in the destination', async (t) => {
  const site = makeSite(t, {
    a: { definition: { name: 'a', category: 'b-c' }, build: onBase('echo first >/f1') },
    b: { definition: { name: 'a-b', category: 'c' }, build: onBase('echo second >/f2') },
    c: {
      build: {
        ...onBase('echo third >/f3'),
        subpackages: [{ name: 'a-b', category: 'c', version: '1', includes: ['^/f3'] }],
      },
    },
  });
  assert.equal((await site.build(['b-c/a'])).code, 0);
  const before = written(site.out);
  for (const words of [['c/a-b'], ['c/a-b', '--rebuild'], ['t/c']]) {
    const { code, stderr } = await site.build(words);
    assert.equal(code, 1, words.join(' '));
    assert.match(
      stderr,
      /error\[same-file\]: .*a-b-c-1 belongs to b-c\/a-1, and this package would overwrite it/,
    );
    assert.deepEqual(written(site.out), before);
  }
  // Another version of the same file, and another folder, are well.
  assert.equal((await site.build(['b-c/a', '--rebuild'])).code, 0);
  assert.equal((await site.build(['c/a-b', '--destination', join(site.folder, 'other')])).code, 0);
});

describe('packages whose steps write only what was there before', () => {
  const motd = 'echo hello >/etc/issue';
  const site = makeSite(
    { after },
    {
      over: { build: onBase(motd) },
      chosen: { build: { ...onBase(motd, 'echo >/new'), includes: ['^/etc/issue$', '^/opt/'] } },
      part: {
        build: {
          ...onBase(motd, 'echo >/new'),
          subpackages: [{ name: 'part-etc', category: 't', version: '1', includes: ['^/etc/'] }],
        },
      },
      mode: { build: onBase('chmod 700 /etc') },
      many: { build: onBase('for f in /bin/*; do touch -h -d @5 $f; done') },
      // None of these is empty for that reason alone.
      left: { build: { ...onBase(motd), excludes: ['^/etc/'] } },
      idle: { build: onBase('true') },
      gone: { build: onBase('rm /etc/group') },
      context: { build: onBase('echo >>file; chmod 700 .'), files: { file: 'x' } },
      both: { build: onBase(motd, 'echo >/new', 'rm /etc/group') },
      quiet: { build: { ...onBase(motd, 'echo >/new', 'rm /etc/group'), excludes: ['^/etc/', '^/none/'] } },
      asked: { build: { ...onBase('echo >/new'), includes: ['^/new', '^/none/'] } },
      prelude: { build: { ...onBase(), prelude: [motd] } },
      whole: { build: { ...onBase(motd), unpack: true, includes: ['^/etc/issue$'] } },
      folder: {
        build: { ...onBase('mkdir -p /out/etc; echo hello >/out/etc/issue', motd), package_dir: '/out' },
      },
      user: { build: { ...needs('prelude'), steps: ['cp /etc/issue /copy'] } },
    },
  );
  const empty = ['over', 'chosen', 'part', 'mode', 'many'];
  let answer: CliAnswer;
  let again: CliAnswer;
  before(async () => {
    answer = await site.build(['--all', '--keep-going']);
    again = await site.build(['--all', '--keep-going']);
  });
  const failures = ({ stderr }: CliAnswer): string[] =>
    [...stderr.matchAll(/^tree\/(\w+)\/build\.yaml:\d+:\d+: error\[nothing-added\]/gm)].map(
      ([, name = '']) => name,
    );

  test('are errors that name the paths, and say what to do', () => {
    assert.equal(answer.code, 1);
    assert.deepEqual(failures(answer).sort(), empty.toSorted());
    assert.match(answer.stderr, /t\/over-1: would be empty: .*: \/etc\/issue$/m);
    assert.match(answer.stderr, /hint: .*package_dir.*prelude/);
    assert.doesNotMatch(answer.stderr, /(t\/(?:over|many)-1)\b.*: \1 /);
    assert.match(answer.stderr, /t\/part-etc-1 would be empty: .*: \/etc\/issue$/m);
    assert.match(answer.stderr, /t\/many-1: would be empty: .* and \d+ more$/m);
    for (const name of empty) assert.ok(!written(site.out).has(`${name}-t-1.package.tar`), name);
  });

  test('are errors again when they are cut from their images, without running', () => {
    assert.equal(again.code, 1);
    assert.deepEqual(failures(again).sort(), empty.toSorted());
    assert.deepEqual(
      work(again),
      empty.toSorted().map((name) => `cut ${name}`),
    );
  });

  test('and no others are', async () => {
    for (const [name, files] of Object.entries({
      left: [],
      idle: [],
      gone: [],
      context: [],
      both: ['new'],
      quiet: ['new'],
      prelude: [],
      whole: ['etc/issue'],
      folder: ['etc/issue'],
      user: ['copy'],
    }))
      assert.deepEqual(await filesOf(site.out, name), files, name);
  });

  test('notes say what is lost, and nothing of what was not meant for the package', () => {
    const notes = [...answer.stderr.matchAll(/^t\/([\w-]+)-1: note: (.*)$/gm)].map(
      ([, name, note]) => `${name}: ${note}`,
    );
    assert.deepEqual(notes.filter((note) => !empty.includes(note.split(':', 1)[0] ?? '')).sort(), [
      'asked: the expression ^/none/ matches no path',
      'both: steps changed existing files, which are not in the package: /etc/issue',
      'both: steps removed existing files, which the package cannot represent: /etc/group',
      'gone: steps removed existing files, which the package cannot represent: /etc/group',
    ]);
  });

  test('a filter that is changed afterwards is held against what steps had changed', async () => {
    site.write('both', { build: { ...onBase(motd, 'echo >/new', 'rm /etc/group'), includes: ['^/etc/'] } });
    const cut = await site.build(['t/both']);
    assert.equal(cut.code, 1, cut.stderr);
    assert.deepEqual([failures(cut), work(cut)], [['both'], ['cut both']]);
    site.write('both', { build: { ...onBase(motd, 'echo >/new', 'rm /etc/group'), includes: ['^/new'] } });
    const right = await site.build(['t/both']);
    assert.deepEqual([right.code, work(right)], [0, ['cut both']]);
  });
});
