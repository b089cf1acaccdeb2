import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findEngine } from '../../src/engine/index.ts';
import { type CliAnswer, cli } from '../support/cli.ts';

interface Usage {
  readonly total: number;
  readonly leftover: number;
  readonly images: readonly { name: string; used: string; size: number; own: number; layers: string[] }[];
  readonly layers: readonly { id: string; size: number; images: string[] }[];
}

describe("the native engine's store", { skip: process.getuid?.() !== 0 && 'takes root' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-store-'));
  const place = join(folder, 'store');
  after(() => rmSync(folder, { recursive: true, force: true }));
  const run = (...words: string[]): Promise<CliAnswer> =>
    cli([...words, '--store', 'store'], { cwd: folder });
  const done = async (...words: string[]): Promise<CliAnswer> => {
    const answer = await run(...words);
    assert.equal(answer.code, 0, `${words.join(' ')}: ${answer.stderr}`);
    return answer;
  };
  const usage = async (): Promise<Usage> =>
    JSON.parse((await done('store', 'du', '-o', 'json')).stdout) as Usage;
  const names = async (): Promise<string[]> => (await usage()).images.map(({ name }) => name);
  const importImage = async (name: string, size: number): Promise<void> => {
    const root = join(folder, `root-${name}`);
    mkdirSync(root, { recursive: true });
    writeFileSync(join(root, 'content'), randomBytes(size));
    await done('image', 'import', `root-${name}`, `t/${name}:1`, '--engine', 'native');
  };
  /** Says that an image was last used so many days ago. */
  const age = (name: string, days: number): void => {
    const then = Date.now() / 1000 - days * 86_400;
    utimesSync(join(place, 'images/t%2F'.concat(name), '1.json'), then, then);
  };
  before(async () => {
    assert.deepEqual((await usage()).images, []);
    for (const [name, size] of [
      ['a', 100_000],
      ['b', 200_000],
      ['c', 300_000],
    ] as const)
      await importImage(name, size);
    age('a', 30);
    age('b', 20);
    age('c', 10);
  });

  test('du tells images with what they take, and what layers are whose', async () => {
    const { images, layers, total, leftover } = await usage();
    assert.deepEqual(
      images.map(({ name }) => name),
      ['t/a:1', 't/b:1', 't/c:1'],
    );
    for (const { size, own, layers: ids } of images) {
      assert.equal(size, own);
      assert.ok(size >= 100_000);
      assert.equal(ids.length, 1);
    }
    assert.equal(
      total,
      images.reduce((sum, { size }) => sum + size, 0),
    );
    assert.equal(leftover, 0);
    assert.deepEqual(layers.map((one) => one.images).sort(), [['t/a:1'], ['t/b:1'], ['t/c:1']]);
    const shown = (await done('store', 'du')).stdout;
    assert.match(shown, /^3 images, 3 layers, /m);
    assert.match(shown, / t\/a:1$/m);
  });

  test('without a limit, gc removes nothing that an image has', async () => {
    mkdirSync(join(place, 'layers/0123456789abcdef-0/files'), { recursive: true });
    writeFileSync(join(place, 'layers/0123456789abcdef-0/files/left'), randomBytes(50_000));
    assert.ok((await usage()).leftover >= 50_000);
    await done('store', 'gc');
    const { leftover, images } = await usage();
    assert.deepEqual([leftover, images.length], [0, 3]);
  });

  test('a dry run removes nothing', async () => {
    const { stdout } = await done('store', 'gc', '--keep', '0', '--dry-run');
    assert.deepEqual(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' ')[0]),
      ['t/a:1', 't/b:1', 't/c:1'],
    );
    assert.deepEqual(await names(), ['t/a:1', 't/b:1', 't/c:1']);
  });

  test('while another run goes on, its images stay', async () => {
    const { engine } = await findEngine({
      env: process.env,
      home: '/nonexistent',
      engine: `native:${place}`,
      runId: randomBytes(8).toString('hex'),
      token: () => '',
      temporary: folder,
      now: () => new Date(),
    });
    const reader = await engine.openForReading('t/a:1');
    age('a', 30);
    const answer = await run('store', 'gc', '--keep', '0');
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, /a run goes on with this store/);
    assert.equal((await names()).length, 3);
    await reader.close();
    await engine.close();
  });

  test('what was used lately stays longer than what was not', async () => {
    await done('image', 'export', 't/a:1', 'a.tar', '--engine', 'native');
    assert.deepEqual(await names(), ['t/b:1', 't/c:1', 't/a:1']);
    const { stdout } = await done('store', 'gc', '--older-than', '15d');
    assert.match(stdout, /^t\/b:1 /);
    assert.deepEqual(await names(), ['t/c:1', 't/a:1']);
    await done('store', 'gc', '--keep', '250kB');
    assert.deepEqual(await names(), ['t/a:1']);
    assert.equal(readdirSync(join(place, 'layers')).length, 1);
    await done('store', 'gc', '--keep', '10GiB');
    assert.deepEqual(await names(), ['t/a:1']);
  });

  test('verify finds a layer that is not what it was', async () => {
    const first = await done('store', 'verify');
    assert.match(first.stdout, /^1 layers: 1 verified, 0 recorded now, 0 damaged$/m);
    const [layer] = (await usage()).layers;
    truncateSync(join(place, 'layers', layer?.id ?? '', 'files/content'), 10);
    const second = await run('store', 'verify', '-o', 'json');
    assert.equal(second.code, 1, second.stderr);
    const { layers } = JSON.parse(second.stdout) as { layers: { state: string; images: string[] }[] };
    assert.deepEqual(
      layers.map(({ state, images }) => [state, images]),
      [['damaged', ['t/a:1']]],
    );
    assert.match((await run('store', 'verify')).stdout, /^damaged: .*\n {2}in t\/a:1$/m);
    await done('image', 'rm', 't/a:1', '--engine', 'native');
    await done('store', 'verify');
    assert.deepEqual(readdirSync(join(place, 'layers')), []);
  });

  test('amounts and ages that are none are refused', async () => {
    for (const words of [
      ['--keep', 'much'],
      ['--keep', '-1'],
      ['--older-than', '3'],
      ['--older-than', 'x d'],
    ])
      assert.equal((await run('store', 'gc', ...words)).code, 2, words.join(' '));
    assert.deepEqual(readdirSync(join(place, 'runs')), []);
  });
});
