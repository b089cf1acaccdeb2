import assert from 'node:assert/strict';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { ENGINE } from '../support/engine.ts';
import { makeSite, needs, onBase, type PackageFiles } from '../support/site.ts';

interface Row {
  readonly name: string;
  readonly image: string;
}

interface Event {
  readonly type: string;
  readonly package: string;
  readonly reference: string;
  readonly needs: Readonly<Record<string, readonly string[]>>;
}

/** Packages whose chains begin anew in the middle: by contents of others, by an image, by what is copied. */
const packages: Readonly<Record<string, PackageFiles>> = {
  seed: { build: onBase('echo seed >/seed') },
  a: { build: { ...needs('seed'), steps: ['echo a >/a'] } },
  b: { build: { ...needs('seed'), steps: ['echo b >/b'] } },
  c: { build: { ...needs('seed'), steps: ['echo c >/c'] } },
  mid: { build: onBase('echo mid >/mid') },
  all: { build: { ...needs('a', 'b', 'c'), requires_final_images: true, unpack: true } },
  top: { build: { ...needs('a', 'b', 'mid'), steps: ['test ! -e /a; echo top >/top'] } },
  deep: { build: { ...needs('top', 'c'), steps: ['echo deep >/deep'] } },
  copy: {
    build: {
      ...onBase('cp /from /to'),
      copy: [{ package: { name: 'c', category: 't', version: '>=0' }, source: '/c', destination: '/from' }],
    },
  },
  nested: { build: { ...needs('all'), requires_final_images: true, unpack: true } },
};

test('tree images and the planned event tell what is built, and nothing else', async (t) => {
  for (const asked of [
    ['--all'],
    ['t/all'],
    ['t/deep'],
    ['t/nested', '--only-target-package'],
    ['t/top', 't/copy'],
  ]) {
    const site = makeSite(t, packages);
    const onEngine = ENGINE === undefined ? [] : ['--engine', ENGINE];
    const names = asked.filter((word) => !word.startsWith('-'));
    const listed = await cli(
      [
        'tree',
        'images',
        '-t',
        'tree',
        '--image-repository',
        site.repository,
        '-o',
        'json',
        ...onEngine,
        ...names,
      ],
      { cwd: site.folder },
    );
    assert.equal(listed.code, 0, listed.stderr);
    const { code, stderr } = await site.build([...asked, '--log-format', 'json']);
    assert.equal(code, 0, stderr);
    const events = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Event);
    const ran = events.filter(({ type }) => type === 'ran');
    const images = await site.images();
    const told = (JSON.parse(listed.stdout) as { packages: readonly Row[] }).packages;
    const all = told.map(({ image }) => image.replace(`${site.repository}:`, '')).sort();
    const what = asked.join(' ');
    if (asked.includes('--only-target-package'))
      assert.deepEqual(
        images.filter((one) => !all.includes(one)),
        [],
        what,
      );
    else assert.deepEqual(all, images, what);
    const planned = events.find(({ type }) => type === 'planned');
    // Packages without commands do not run: they are the contents that they stand on.
    const commands = Object.keys(planned?.needs ?? {}).filter((key) => !/t\/(all|nested)-/.test(key));
    assert.deepEqual(commands.sort(), [...new Set(ran.map((one) => one.package))].sort(), what);
  }
});

test('what is only needed by packages that are not written is not planned', async (t) => {
  const site = makeSite(t, packages);
  const { code, stderr } = await site.build(['t/top', '--onlydeps', '--log-format', 'json']);
  assert.equal(code, 0, stderr);
  const events = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  const planned = events.find(({ type }) => type === 'planned');
  assert.deepEqual(Object.keys(planned?.needs ?? {}).sort(), ['t/a-1', 't/b-1', 't/mid-1', 't/seed-1']);
  assert.equal((await site.images()).length, 4);
});
