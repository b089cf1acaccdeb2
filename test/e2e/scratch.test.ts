import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after, before, describe } from 'node:test';
import { type CliAnswer, cli } from '../support/cli.ts';
import { BASE, ENGINE, isNative, testEngine } from '../support/engine.ts';
import { insight } from '../support/insight.ts';
import { makeSite, needs, onBase, unpacked, work } from '../support/site.ts';
import { directory, file } from '../support/stream.ts';

const form = (name: string): object => ({ name, category: 't', version: '>=0' });
const from = (source: string, destination: string): object => ({
  package: form('stage'),
  source,
  destination,
});
const scratch = (more: object): Record<string, unknown> => ({
  image: 'scratch',
  env: ['PATH=/bin'],
  ...more,
});
const unshelled = `luet-ts-test/unshelled:${randomBytes(6).toString('hex')}`;

const packages = {
  stage: {
    build: onBase(
      'mkdir -p /root-fs/tmp /root-fs/etc /only/d; cp -a /bin /root-fs/bin; echo x >/root-fs/etc/x',
      'echo data >/only/d/data; chmod 640 /only/d/data; touch -d "2001-02-03 00:00:00" /only/d/data',
    ),
  },
  shell: { build: scratch({ copy: [from('/root-fs', '/')], steps: ['mkdir /made && echo ok >/made/f'] }) },
  prelude: {
    build: scratch({
      copy: [from('/root-fs', '/')],
      prelude: ['echo before >/before'],
      steps: ['cat /before /etc/x >/after; rm /etc/x; echo $PACKAGE_NAME $(pwd) >>/after'],
    }),
  },
  above: { build: { ...needs('shell'), steps: ['cat /made/f /etc/x >/above'] } },
  data: { build: scratch({ copy: [from('/only', '/')], unpack: true }) },
  folder: { build: scratch({ copy: [from('/only', '/out')], package_dir: '/out/d' }) },
  rooted: {
    build: scratch({
      copy: [from('/root-fs', '/'), from('/only', '/dev')],
      steps: ['echo 1 >/1'],
      unpack: true,
      excludes: ['^/bin/'],
    }),
  },
  nothing: { build: { image: 'scratch' } },
  whole: { build: { image: 'scratch', unpack: true } },
  later: { build: { ...needs('nothing'), copy: [from('/root-fs', '/')], steps: ['echo later >/later'] } },
  distroless: {
    build: { image: unshelled, copy: [from('/root-fs/bin', '/bin')], steps: ['cat /only/data >/got'] },
  },
  lacking: { build: scratch({ copy: [from('/only', '/')], steps: ['true'] }) },
  mute: { build: { image: unshelled, steps: ['true'] } },
};

const engine = await testEngine();
const isPodman = (await engine.report()).name === 'Podman';
await engine.close();
const sources = isNative ? ['its own'] : isPodman ? ['upper', 'export'] : ['upper', 'changes', 'export'];

for (const source of sources) {
  describe(`an image without a shell (${source})`, () => {
    const site = makeSite({ after }, packages);
    const env = isNative ? {} : { LUET_TS_CHANGES: source };
    const rows = async (name: string): Promise<string[]> =>
      [...(await unpacked(site.out, name))].map(
        ([
          path,
          {
            entry: { mode },
            text,
          },
        ]) => `${path} ${mode.toString(8)} ${text.trim()}`.trim(),
      );
    let answer: CliAnswer;
    before(async () => {
      const api = await insight();
      await api.load(unshelled, [directory('only'), file('only/data', 'data\n')], { Env: ['PATH=/bin'] });
      api.close();
      answer = await site.build(['--all', '--keep-going'], { env });
    });
    after(async () => {
      const api = await insight();
      await api.drop(unshelled);
      assert.deepEqual(await api.ofThisProcess(), []);
      api.close();
    });

    test('what copy and steps need is there, and all that can be built is', () => {
      const failed = [...answer.stderr.matchAll(/^failed: t\/(\S+)-1/gm)].map(([, name]) => name);
      assert.deepEqual(failed.sort(), ['lacking', 'mute'], answer.stderr);
      assert.equal(answer.code, 1);
    });
    test('steps run in what copy brought, and only what they add is the package', async () => {
      assert.deepEqual(await rows('shell'), ['made 755', 'made/f 644 ok']);
      assert.deepEqual(await rows('prelude'), ['after 644 before\nx\nprelude /luetbuild']);
      assert.deepEqual(await rows('above'), ['above 644 ok\nx']);
      assert.deepEqual(await rows('later'), ['later 644 later']);
      assert.deepEqual(await rows('distroless'), ['got 644 data']);
      assert.match(answer.stderr, /t\/prelude-1: note: steps removed existing files.*\/etc\/x/);
    });
    test('without steps no shell is needed', async () => {
      assert.deepEqual(await rows('data'), ['d 755', 'd/data 640 data', 'luetbuild 755']);
      assert.deepEqual(await rows('folder'), ['data 640 data']);
      assert.deepEqual(await rows('rooted'), [
        '1 644 1',
        'bin 755',
        'dev 755',
        'etc 755',
        'etc/x 644 x',
        'luetbuild 755',
        'tmp 755',
      ]);
      assert.deepEqual(await rows('nothing'), []);
      assert.deepEqual(await rows('whole'), []);
      const { entry } = (await unpacked(site.out, 'data')).get('d/data') ?? {};
      assert.equal(entry?.mtime, Date.UTC(2001, 1, 3) / 1000);
    });
    test('where none comes, a finding says so', () => {
      for (const name of ['lacking', 'mute'])
        assert.match(
          answer.stderr,
          new RegExp(
            `^tree/${name}/build.yaml:1:1: error\\[no-shell\\]: t/${name}-1: commands need /bin/sh`,
            'm',
          ),
        );
    });
    test('nothing runs again, and a package is cut again from its image', async () => {
      const again = await site.build(['--all', '--keep-going'], { env });
      assert.deepEqual(work(again).sort(), ['run lacking', 'run mute']);
      const words = ['t/shell', 't/data', 't/rooted', '--destination', 'other'];
      const elsewhere = await site.build(words, { env });
      assert.deepEqual([elsewhere.code, work(elsewhere).includes('run shell')], [0, false], elsewhere.stderr);
      // Podman leaves in images the folders that it mounts something in.
      for (const name of isPodman ? ['data-t-1'] : ['data-t-1', 'rooted-t-1'])
        assert.deepEqual(await unpacked(`${site.folder}/other`, name), await unpacked(site.out, name), name);
    });
    test('images that were only made on the way go', async () => {
      const words = ['t/above', 't/data', '--keep-images=false', '--destination', 'gone', '--rebuild'];
      const { code, stderr } = await site.build([...words, '--image-repository', `${site.repository}-gone`], {
        env,
      });
      assert.equal(code, 0, stderr);
    });
  });
}

test('the empty root is an image of its own, that no engine or registry is asked for', async (t) => {
  const site = makeSite(t, { stage: packages.stage, shell: packages.shell, whole: packages.whole });
  const named = ENGINE === undefined ? [] : ['--engine', ENGINE];
  const list = async (...words: string[]) => {
    const { code, stdout, stderr } = await cli(['tree', 'images', '-t', 'tree', '-o', 'json', ...words], {
      cwd: site.folder,
    });
    const { packages: found }: { packages: { name: string; image: string | null }[] } = JSON.parse(stdout);
    return { code, stderr, images: new Map(found.map(({ name, image }) => [name, image])) };
  };
  const { code, stderr, images } = await list(...named);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(images.get('whole') ?? '', /^luet\/base:[0-9a-f]{64}$/);
  assert.match(images.get('shell') ?? '', /^luet\/cache:[0-9a-f]{64}$/);
  // Without any engine, all that stands on nothing else is known all the same.
  const alone = await list('--engine', 'unix:///nowhere');
  assert.equal(alone.images.get('whole'), images.get('whole'));
  assert.equal(alone.images.get('shell'), null);
});

test('what needs a shell that nothing can bring is found without building', async (t) => {
  const site = makeSite(t, {
    steps: { build: scratch({ steps: ['true'] }) },
    prelude: { build: scratch({ prelude: ['true'] }) },
    fine: {
      build: scratch({ copy: [{ image: BASE, source: '/bin', destination: '/bin' }], steps: ['true'] }),
    },
    copying: {
      build: { image: BASE, copy: [{ image: 'scratch', source: '/x', destination: '/x' }] },
    },
  });
  const { code, stdout } = await cli(['tree', 'validate', 'tree', '-o', 'json'], { cwd: site.folder });
  const found: { code: string; package: string }[] = JSON.parse(stdout);
  assert.equal(code, 1);
  assert.deepEqual(
    found.map((one) => `${one.code} ${one.package}`),
    ['invalid-copy t/copying-1', 'no-shell t/prelude-1', 'no-shell t/steps-1'],
  );
  const built = await site.build(['t/steps']);
  assert.equal(built.code, 1);
  assert.match(
    built.stderr,
    /error\[no-shell\]: t\/steps-1: steps need \/bin\/sh, but the image scratch is empty/,
  );
  assert.doesNotMatch(built.stderr, /built on/);
});
