import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Engine, findEngine } from '../../src/engine/index.ts';
import { digestOf } from '../../src/image/index.ts';
import { engineSettings } from '../../src/library/index.ts';
import { type CliAnswer, cli } from '../support/cli.ts';
import { BASE, ENGINE, testEngine } from '../support/engine.ts';
import { makeSite, needs, onBase, unpacked, work, written } from '../support/site.ts';
import { collect } from '../support/stream.ts';
import { run, without } from '../support/tool.ts';

const stores = mkdtempSync(join(tmpdir(), 'luet-ts-other-'));

/** Engines that images are copied to: a store without a daemon, and what the environment names besides. */
const others = [
  // Which takes root, if only that of a namespace.
  ...(process.getuid?.() === 0 ? [`native:${join(stores, 'store')}`] : []),
  ...(process.env.LUET_TS_TEST_OTHER_ENGINES ?? '')
    .split(',')
    .filter((one) => one !== '' && one !== ENGINE && !one.startsWith('native:')),
];

async function openOther(address: string): Promise<Engine> {
  const { engine } = await findEngine({
    settings: engineSettings(process.env, '/nonexistent'),
    engine: address,
    runId: randomBytes(8).toString('hex'),
    token: () => randomBytes(16).toString('hex'),
    temporary: mkdtempSync(join(stores, 'tmp-')),
    now: () => new Date(),
  });
  return engine;
}

after(() => rmSync(stores, { recursive: true, force: true }));

for (const other of others) {
  describe(`images built here are used by ${other.replace(/:.*/, '')}`, () => {
    const site = makeSite(
      { after },
      {
        a: { build: onBase('mkdir -p /o/x; echo a >/o/x/a; rm -f /etc/motd') },
        b: { build: { ...needs('a'), prelude: ['echo p >/p'], steps: ['cat /o/x/a /p >/b'] } },
        c: { build: { ...needs('b'), env: ['C=1'], steps: ['echo $C >/c; rm /b'] } },
      },
    );
    after(async () => {
      const engine = await openOther(other);
      for (const tag of (await engine.list(site.repository)).keys())
        await engine.remove(`${site.repository}:${tag}`);
      await engine.close();
    });
    const from = ENGINE ?? 'auto';
    const copyAny = (...words: string[]): Promise<CliAnswer> =>
      cli(['engine', 'copy', from, other, ...words], { cwd: site.folder });
    const copy = (...words: string[]): Promise<CliAnswer> =>
      copyAny(...words, '--image-repository', site.repository);
    const there = (...words: string[]): Promise<CliAnswer> =>
      site.build(['--all', '--engine', other, ...words]);

    test('a package that is not built is named', async () => {
      const early = await copy('-t', 'tree', 't/b');
      assert.equal(early.code, 1, early.stderr);
      assert.match(early.stderr, /tree\/b\/definition\.yaml:\d+:\d+: error\[not-built\]: t\/b-1: /);
    });

    test('those of packages come with what they stand on', async () => {
      const built = await site.build(['--all']);
      assert.equal(built.code, 0, built.stderr);
      const copied = await copy('-t', 'tree', 't/b');
      assert.equal(copied.code, 0, copied.stderr);
      assert.match(copied.stderr, /^\d+ copied/m);
      const unchanged = await there('--log-format', 'json');
      assert.equal(unchanged.code, 0, unchanged.stderr);
      assert.doesNotMatch(unchanged.stderr, /"type":"started"/);
    });

    test('all others come, and only they; packages cut there are the same', async () => {
      const copied = await copy();
      assert.equal(copied.code, 0, copied.stderr);
      assert.match(copied.stderr, /^1 copied, 2 there already$/m);
      const answer = await there('--destination', 'cut');
      assert.equal(answer.code, 0, answer.stderr);
      assert.deepEqual(work(answer).sort(), ['cut a', 'cut b', 'cut c']);
      assert.deepEqual(written(join(site.folder, 'cut')), written(site.out));
      assert.equal((await unpacked(join(site.folder, 'cut'), 'b')).get('b')?.text, 'a\np\n');
    });

    test('nothing is left to copy then', async () => {
      const copied = await copy('-t', 'tree');
      assert.equal(copied.code, 0, copied.stderr);
      assert.match(copied.stderr, /^0 copied, 4 there already$/m);
      assert.match((await copyAny('--image', BASE)).stderr, /^0 copied, 1 there already$/m);
    });

    test('an image that is not there is told of', async () => {
      const answer = await copyAny('--image', `${site.repository}:none`);
      assert.equal(answer.code, 1);
      assert.match(answer.stderr, /no-such-image.*not found in the engine to copy from/);
    });

    test('what is built on copied images goes on from them', async () => {
      const answer = await there('t/c', '--rebuild', '--destination', 'again', '--only-target-package');
      assert.equal(answer.code, 0, answer.stderr);
      assert.equal((await unpacked(join(site.folder, 'again'), 'c')).get('c')?.text, '1\n');
    });
  });
}

describe('what a store without a daemon has is used by the engine of the tests', {
  skip: (process.getuid?.() !== 0 && 'takes root') || without('bwrap') || without('tar'),
}, () => {
  const from = `native:${join(stores, 'from')}`;
  const to = ENGINE ?? 'auto';
  // Packed by another program, and only ever imported into the store.
  const base = `luet-ts-test/base-${process.pid}:1`;
  const site = makeSite(
    { after },
    {
      a: { build: { image: base, steps: ['mkdir -p /o; cat /etc/issue >/o/a'] } },
      b: { build: { ...needs('a'), steps: ['cat /o/a >/o/b'] } },
    },
  );
  after(async () => {
    const engine = await testEngine();
    await engine.remove(base);
    await engine.close();
  });
  const done = async (...words: string[]): Promise<CliAnswer> => {
    const answer = await cli(words, { cwd: site.folder });
    assert.equal(answer.code, 0, `${words.join(' ')}: ${answer.stderr}`);
    return answer;
  };

  test('a base image comes back as it went, and so nothing is built that was built on it', async () => {
    await done('image', 'copy', '--engine', to, BASE, 'rootfs:root');
    const archive = await run(['tar', '-c', '--format=posix', '-C', join(site.folder, 'root'), '.']);
    writeFileSync(join(site.folder, 'root.tar'), archive);
    await done('image', 'import', 'root.tar', base, '--engine', from);
    const built = await site.build(['--all', '--engine', from]);
    assert.equal(built.code, 0, built.stderr);
    const copied = await done(
      ...['engine', 'copy', from, to, '-t', 'tree', '--image-repository', site.repository],
    );
    assert.match(copied.stderr, /^3 copied/m);
    const unchanged = await site.build(['--all', '--log-format', 'json']);
    assert.equal(unchanged.code, 0, unchanged.stderr);
    assert.doesNotMatch(unchanged.stderr, /"type":"started"/);
    const cut = await site.build(['--all', '--destination', 'cut']);
    assert.deepEqual(work(cut).sort(), ['cut a', 'cut b']);
    assert.deepEqual(written(join(site.folder, 'cut')), written(site.out));
    const engine = await testEngine();
    const there = await engine.resolve(base, { pull: false });
    await engine.close();
    assert.deepEqual(there?.layers, [digestOf(archive)]);
  });

  test('an image of that engine has the same layers when it leaves a store', async () => {
    const third = `native:${join(stores, 'third')}`;
    await done('engine', 'copy', to, third, '--image', BASE, '--image', base);
    const [here, other] = [await testEngine(), await openOther(third)];
    const opened = await other.read([BASE, base]);
    for (const name of [BASE, base]) {
      const told = await here.resolve(name, { pull: false });
      const image = await opened.image(name);
      assert.deepEqual((await image?.configuration())?.rootfs.diff_ids, told?.layers);
      for (const layer of (await image?.layers()) ?? [])
        assert.equal(digestOf(await collect(layer.uncompressed())), await layer.diffId());
    }
    await opened.close();
    await Promise.all([here.close(), other.close()]);
  });
});

test('images and packages at once are refused', async () => {
  const answer = await cli(['engine', 'copy', 'docker', 'podman', 'a/b', '--image', 'x']);
  assert.equal(answer.code, 2);
  assert.match(answer.stderr, /not both/);
});
