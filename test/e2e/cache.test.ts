import assert from 'node:assert/strict';
import {
  appendFileSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { after, describe } from 'node:test';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { insight } from '../support/insight.ts';
import { makeSite, needs, onBase, unpacked, work, writeTree, written } from '../support/site.ts';

const chain = {
  a: { build: onBase('echo a >/a; echo x >/x.tmp') },
  b: {
    build: { ...needs('a'), steps: ['cat /a >/b; echo y >/y.tmp; cat context >>/b'] },
    files: { context: '1\n' },
  },
  c: { build: { ...needs('b'), steps: ['cat /b >/c'] } },
};

describe('what is known already is not done again', () => {
  const site = makeSite({ after }, chain);
  /** Builds all, and says what was run or cut. */
  const build = async (...words: string[]): Promise<string[]> => {
    const answer = await site.build(
      words.some((word) => ['t/a', 't/b', '--full'].includes(word)) ? words : ['--all', ...words],
    );
    assert.equal(answer.code, 0, answer.stderr);
    return work(answer).sort();
  };
  const change = (name: keyof typeof chain, more: object): void =>
    writeTree(site.tree, { [name]: { ...chain[name], build: { ...chain[name].build, ...more } } });
  const archive = (name: string): string => join(site.out, `${name}-t-1.package.tar`);

  test('at first everything runs', async () => {
    assert.deepEqual(await build(), ['run a', 'run b', 'run c']);
  });
  test('then nothing does, and no file is touched', async () => {
    const before = statSync(archive('b')).mtimeMs;
    assert.deepEqual(await build(), []);
    assert.deepEqual(await build('--full'), []);
    assert.equal(statSync(archive('b')).mtimeMs, before);
  });
  test('into another folder packages are cut from their images, the same bytes', async () => {
    assert.deepEqual(await build('--destination', 'other'), ['cut a', 'cut b', 'cut c']);
    assert.deepEqual(written(join(site.folder, 'other')), written(site.out));
  });
  test('other filters cut one package again', async () => {
    change('b', { excludes: ['\\.tmp$'] });
    assert.deepEqual(await build(), ['cut b']);
    assert.deepEqual([...(await unpacked(site.out, 'b')).keys()], ['b']);
    change('b', {});
    assert.deepEqual(await build(), ['cut b']);
    assert.deepEqual([...(await unpacked(site.out, 'b')).keys()], ['b', 'y.tmp']);
  });
  test('another description is written without a run', async () => {
    writeTree(site.tree, { a: { ...chain.a, definition: { description: 'new' } } });
    assert.deepEqual(await build(), ['cut a', 'cut b', 'cut c']);
    writeTree(site.tree, { a: chain.a });
    assert.deepEqual(await build(), ['cut a', 'cut b', 'cut c']);
  });
  test('another step runs again, and what stands on it', async () => {
    change('b', { steps: ['echo other >/b'] });
    assert.deepEqual(await build(), ['run b', 'run c']);
    change('b', {});
    // Its image is there still.
    assert.deepEqual(await build(), ['cut b', 'cut c']);
  });
  test('another context runs again', async () => {
    writeFileSync(join(site.tree, 'b/context'), '2\n');
    assert.deepEqual(await build(), ['run b', 'run c']);
    assert.equal((await unpacked(site.out, 'c')).get('c')?.text, 'a\n2\n');
    writeFileSync(join(site.tree, 'b/context'), '1\n');
    assert.deepEqual(await build(), ['cut b', 'cut c']);
  });
  test('an archive that was meddled with is made again', async () => {
    const whole = readFileSync(archive('c'));
    truncateSync(archive('c'), whole.length - 512);
    assert.deepEqual(await build(), ['cut c']);
    const other = Buffer.from(whole);
    other[600] = 0x21;
    writeFileSync(archive('c'), other);
    assert.deepEqual(await build(), ['cut c']);
    rmSync(archive('c'));
    assert.deepEqual(await build(), ['cut c']);
    assert.deepEqual(readFileSync(archive('c')), whole);
    rmSync(join(site.out, 'c-t-1.metadata.yaml'));
    assert.deepEqual(await build(), ['cut c']);
    appendFileSync(join(site.out, 'c-t-1.metadata.yaml'), 'more: 1\n');
    assert.deepEqual(await build(), ['cut c']);
  });
  test('an archive that is only newer than its metadata is not', async () => {
    utimesSync(archive('c'), new Date(), new Date(Date.now() + 10_000));
    assert.deepEqual(await build(), []);
  });
  test('--rebuild runs the asked packages, whatever is there, to the same bytes', async () => {
    const before = written(site.out);
    assert.deepEqual(await build('t/b', '--rebuild'), ['run b']);
    assert.deepEqual(written(site.out), before);
  });
  test('without its image nothing runs, as long as the package is there', async (t) => {
    const lone = makeSite(t, chain);
    assert.equal((await lone.build(['--all', '--keep-images=false'])).code, 0);
    assert.deepEqual(await lone.images(), []);
    const again = await lone.build(['--all', '--keep-images=false']);
    assert.deepEqual([again.code, work(again)], [0, []]);
    rmSync(join(lone.out, 'c-t-1.package.tar'));
    // What c stands on is made again; what is written of it is there already.
    const third = await lone.build(['--all', '--keep-images=false']);
    assert.deepEqual([third.code, work(third).sort()], [0, ['run a', 'run b', 'run c']]);
    assert.deepEqual(await lone.images(), []);
    const api = await insight();
    assert.deepEqual(await api.ofThisProcess(), []);
    api.close();
  });
});

describe('which packages are written', () => {
  const site = makeSite({ after }, chain);
  const build = async (...words: string[]): Promise<[string[], string[]]> => {
    rmSync(site.out, { recursive: true, force: true });
    const answer = await site.build(words);
    assert.equal(answer.code, 0, answer.stderr);
    const archives = [...written(site.out).keys()].filter((name) => name.includes('.package.'));
    return [work(answer).sort(), archives.map((name) => name.slice(0, 1))];
  };
  test('--nodeps has nothing to build on at first', async () => {
    const answer = await site.build(['t/b', '--nodeps']);
    assert.equal(answer.code, 1);
    assert.match(
      answer.stderr,
      /error\[missing-parent-image\].*t\/a-1: image luet-ts-test\/\S+ not found in the engine/,
    );
  });
  test('--onlydeps', async () => assert.deepEqual(await build('t/b', '--onlydeps'), [['run a'], ['a']]));
  test('--nodeps on a parent image that is there', async () => {
    assert.deepEqual(await build('t/b', '--nodeps'), [['run b'], ['b']]);
  });
  test('--only-target-package', async () => {
    assert.deepEqual(await build('t/c', '--only-target-package'), [['run c'], ['c']]);
  });
  test('the closure', async () =>
    assert.deepEqual(await build('t/b'), [
      ['cut a', 'cut b'],
      ['a', 'b'],
    ]));
  test('--full', async () => {
    assert.deepEqual(await build('--full'), [
      ['cut a', 'cut b', 'cut c'],
      ['a', 'b', 'c'],
    ]);
  });
});

describe('how packages are written', () => {
  const site = makeSite(
    { after },
    { a: { build: onBase('echo a >/a; touch -d "2001-01-01 00:00:00" /old') } },
  );
  const plain = async (...words: string[]): Promise<Buffer> => {
    const answer = await site.build(['t/a', ...words]);
    assert.equal(answer.code, 0, answer.stderr);
    const [name] = [...written(site.out).keys()].filter((file) => file.includes('.package.'));
    const bytes = readFileSync(join(site.out, name ?? ''));
    if (name === 'a-t-1.package.tar.gz') return gunzipSync(bytes);
    if (name === 'a-t-1.package.tar.zst') return zstdDecompressSync(bytes);
    assert.equal(name, 'a-t-1.package.tar');
    return bytes;
  };
  test('--compression', async () => {
    const bytes = await plain();
    assert.deepEqual(await plain('--compression', 'gzip'), bytes);
    assert.deepEqual([...written(site.out).keys()], ['a-t-1.metadata.yaml', 'a-t-1.package.tar.gz']);
    assert.deepEqual(await plain('--compression', 'zstd'), bytes);
    assert.deepEqual([...written(site.out).keys()], ['a-t-1.metadata.yaml', 'a-t-1.package.tar.zst']);
    assert.deepEqual(await plain('--compression', 'none'), bytes);
  });
  test('SOURCE_DATE_EPOCH is the latest time that a package knows', async () => {
    const times = async (): Promise<(number | undefined)[]> => {
      const entries = await unpacked(site.out, 'a');
      return ['a', 'old'].map((path) => entries.get(path)?.entry.mtime);
    };
    const old = Date.UTC(2001, 0, 1) / 1000;
    assert.deepEqual(await times(), [1704164645, old]);
    await site.build(['t/a'], { env: { SOURCE_DATE_EPOCH: '1000000000' } });
    assert.deepEqual(await times(), [1000000000, old]);
    await site.build(['t/a'], { env: { SOURCE_DATE_EPOCH: '5' } });
    assert.deepEqual(await times(), [5, 5]);
    const answer = await site.build(['t/a'], { env: { SOURCE_DATE_EPOCH: 'yesterday' } });
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, /SOURCE_DATE_EPOCH must be seconds since 1970, not "yesterday"/);
  });
});
