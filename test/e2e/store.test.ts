import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { conformanceBase, makeBaseImage } from '../../scripts/base-image.ts';
import { findEngine } from '../../src/engine/index.ts';
import { engineSettings } from '../../src/library/index.ts';
import { type CliAnswer, cli } from '../support/cli.ts';
import { needs, writeTree } from '../support/site.ts';

interface UsedImage {
  readonly name: string;
  readonly package?: string;
  readonly used: string;
  readonly size: number;
  readonly own: number;
  readonly layers: readonly string[];
}

interface Usage {
  readonly total: number;
  readonly leftover: number;
  readonly garbage: number;
  readonly images: readonly UsedImage[];
  readonly layers: readonly { id: string; size: number; images: string[] }[];
}

interface Garbage {
  readonly dryRun: boolean;
  readonly freed: number;
  readonly left: number;
  readonly images: readonly (UsedImage & { frees: number })[];
  readonly layers: readonly { id: string; size: number }[];
  readonly runs: readonly { run: string; size: number }[];
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
  const garbage = async (...words: string[]): Promise<Garbage> =>
    JSON.parse((await done('store', 'gc', '-o', 'json', ...words)).stdout) as Garbage;
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

  test('a dry run tells images with what they free, sums up, and removes nothing', async () => {
    const { images, total } = await usage();
    const { stdout } = await done('store', 'gc', '--keep', '250kB', '--dry-run');
    const rows = stdout.trim().split('\n');
    assert.deepEqual(
      rows.slice(1, -1).map((row) => row.split(/ +/).at(-1)),
      ['t/a:1', 't/b:1', 't/c:1'],
    );
    assert.match(rows[0] ?? '', /^last used +frees +package +image$/);
    assert.match(rows.at(-1) ?? '', /^\d+\.\d kB would be freed, 0 B left in .*\/store$/);
    const told = await garbage('--older-than', '15d', '--dry-run');
    const [a, b, c] = images;
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    assert.deepEqual(
      told.images.map(({ name, frees }) => [name, frees]),
      [
        ['t/a:1', a.own],
        ['t/b:1', b.own],
      ],
    );
    assert.deepEqual(
      [told.dryRun, told.freed, told.left, told.layers],
      [true, a.own + b.own, total - a.own - b.own, []],
    );
    assert.deepEqual(await usage(), { ...(await usage()), images, total });
  });

  test('a dry run tells what gc without a limit removes: layers without an image, what killed runs left', async () => {
    const left = join(place, 'layers/0123456789abcdef-0');
    mkdirSync(join(left, 'files'), { recursive: true });
    writeFileSync(join(left, 'files/left'), randomBytes(50_000));
    mkdirSync(join(place, 'runs/killed'));
    writeFileSync(join(place, 'runs/killed/workspace'), randomBytes(70_000));
    const planned = await garbage('--dry-run');
    assert.deepEqual(
      [planned.layers.map(({ id }) => id), planned.runs.map(({ run: name }) => name), planned.images],
      [['0123456789abcdef-0'], ['killed'], []],
    );
    assert.ok(planned.freed >= 120_000 && planned.freed < 200_000, String(planned.freed));
    assert.match((await done('store', 'du')).stdout, /^1\d\d\.\d kB that nothing uses: luet-ts store gc /m);
    const shown = (await done('store', 'gc', '--dry-run')).stdout;
    assert.match(shown, /\(layers that no image has: 1\)\n.*\(files of runs that were killed: 1\)\n/);
    assert.ok(existsSync(left) && existsSync(join(place, 'runs/killed')));
    const real = await garbage();
    assert.deepEqual({ ...real, dryRun: true }, planned);
    assert.ok(!existsSync(left) && !existsSync(join(place, 'runs/killed')));
    assert.deepEqual([(await usage()).garbage, (await usage()).images.length], [0, 3]);
  });

  test('what images share is freed by the last of them alone', async () => {
    await done('image', 'copy', 't/a:1', 'oci:layout:a', '--engine', 'native');
    await done('image', 'copy', 'oci:layout:a', 't/shared:1', '--engine', 'native');
    age('a', 30);
    const { images } = await usage();
    const { size } = images.find(({ name }) => name === 't/shared:1') ?? { size: 0 };
    assert.deepEqual(
      images.map(({ name, own }) => [name, own === 0]),
      [
        ['t/a:1', true],
        ['t/b:1', false],
        ['t/c:1', false],
        ['t/shared:1', true],
      ],
    );
    const all = await garbage('--keep', '0', '--dry-run');
    assert.deepEqual(
      all.images.map(({ name, frees }) => [name, frees > 0]),
      [
        ['t/a:1', false],
        ['t/b:1', true],
        ['t/c:1', true],
        ['t/shared:1', true],
      ],
    );
    assert.equal(all.images.at(-1)?.frees, size);
    assert.deepEqual([all.freed, all.left], [(await usage()).total, 0]);
    await done('image', 'rm', 't/shared:1', '--engine', 'native');
  });

  test('images of packages are told by the packages', async () => {
    writeFileSync(join(folder, 'base.tar'), (await makeBaseImage(await conformanceBase())).bytes);
    await done('image', 'copy', 'docker-archive:base.tar', 't/base:1', '--engine', 'native');
    writeTree(join(folder, 'tree'), {
      one: { build: { image: 't/base:1', steps: ['echo 1 > /one'] } },
      two: { build: { ...needs('one'), steps: ['echo 2 > /two'] } },
    });
    await done(
      'build',
      '-t',
      'tree',
      '--all',
      '--destination',
      'out',
      '--engine',
      'native',
      '--network',
      'none',
    );
    const packages = ({ images }: Pick<Usage, 'images'>) => images.map((one) => one.package);
    const used = await usage();
    assert.deepEqual(packages(used).sort(), [
      't/one-1',
      't/two-1',
      ...used.images.slice(2).map(() => undefined),
    ]);
    assert.match((await done('store', 'du')).stdout, / {2}t\/two-1 {2}luet\/cache:[0-9a-f]{64}$/m);
    const told = await garbage('--keep', '0', '--dry-run');
    assert.deepEqual(packages(told), packages(used));
    assert.match(
      (await done('store', 'gc', '--keep', '0', '--dry-run')).stdout,
      / {2}t\/one-1 {2}luet\/cache:[0-9a-f]{64}$/m,
    );
    for (const { name } of used.images)
      if (/cache|base/.test(name)) await done('image', 'rm', name, '--engine', 'native');
  });

  test('a label that is no name of a package is not shown as one', async () => {
    const { images } = await usage();
    const file = join(place, 'images/t%2Fa/1.json');
    const text = readFileSync(file, 'utf8');
    for (const label of ['\u001b[31mred', 'a\nb', 'x'.repeat(500)]) {
      const record = JSON.parse(text);
      record.configuration.config.Labels = { 'luet-ts.package': label };
      writeFileSync(file, JSON.stringify(record));
      assert.ok((await usage()).images.every((one) => one.package === undefined));
      assert.doesNotMatch((await done('store', 'du')).stdout, /\[31m|\nb|xxx/);
    }
    writeFileSync(file, text);
    age('a', 30);
    assert.deepEqual(
      await names(),
      images.map(({ name }) => name),
    );
  });

  test('a store is named by --engine as by --store, and no other engine has one', async () => {
    const answer = await cli(['store', 'du', '-o', 'json', '--engine', `native:${place}`], { cwd: folder });
    assert.deepEqual(JSON.parse(answer.stdout), await usage());
    for (const command of ['du', 'gc', 'verify']) {
      const { code, stderr } = await cli(['store', command, '--engine', 'docker'], { cwd: folder });
      assert.equal(code, 2);
      assert.match(stderr, /Only the native engine has a store/);
      await done('store', command, '--engine', 'native', '-o', 'yaml');
    }
  });

  test('while another run goes on, its images stay', async () => {
    const { engine } = await findEngine({
      settings: engineSettings(process.env, '/nonexistent'),
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
    assert.match(answer.stderr, /^another run uses this store, so no images are removed/m);
    assert.match(answer.stdout, /^0 B freed, /);
    assert.equal((await names()).length, 3);
    await reader.close();
    await engine.close();
  });

  test('what was used lately stays longer than what was not', async () => {
    await done('image', 'export', 't/a:1', 'a.tar', '--engine', 'native');
    assert.deepEqual(await names(), ['t/b:1', 't/c:1', 't/a:1']);
    const { images, freed } = await garbage('--older-than', '15d');
    assert.deepEqual(
      images.map(({ name }) => name),
      ['t/b:1'],
    );
    assert.ok(freed >= 200_000);
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
      ['--keep', '20'],
      ['--keep', '-1'],
      ['--older-than', '3'],
      ['--older-than', 'x d'],
    ])
      assert.equal((await run('store', 'gc', ...words)).code, 2, words.join(' '));
    assert.deepEqual(readdirSync(join(place, 'runs')), []);
  });

  test('an image that the engine does not hold, and another one does, is said to be there', async () => {
    const env = { XDG_DATA_HOME: join(folder, 'data') };
    mkdirSync(join(folder, 'root'), { recursive: true });
    writeFileSync(join(folder, 'root/a'), 'a');
    const imported = await cli(['image', 'import', 'root', 'local/elsewhere:1', '--engine', 'native'], {
      cwd: folder,
      env,
    });
    assert.equal(imported.code, 0, imported.stderr);
    for (const words of [
      ['image', 'export', 'local/elsewhere:1', 'out.tar'],
      ['image', 'rm', 'local/elsewhere:1'],
    ]) {
      const answer = await cli([...words, '--store', 'store'], { cwd: folder, env });
      assert.equal(answer.code, 1);
      assert.match(
        answer.stderr,
        /error\[no-such-image\]: image local\/elsewhere:1 not found in the engine\n/,
      );
      assert.match(answer.stderr, /note: the engine native holds it: --engine native\n/);
    }
  });
});
