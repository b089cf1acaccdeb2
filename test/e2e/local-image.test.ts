import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { digestOf, extractImage, type Image } from '../../src/image/index.ts';
import { cli } from '../support/cli.ts';
import { BASE, testEngine } from '../support/engine.ts';
import { makeSite, unpacked, work, writeTree, written } from '../support/site.ts';
import { run } from '../support/tool.ts';

describe('images that lie in the tree', () => {
  const site = makeSite({ after });
  const root = join(site.tree, 'images/root');
  let kept: ReadonlySet<string>;
  before(async () => {
    const engine = await testEngine();
    kept = new Set((await engine.list('luet/base')).keys());
    const opened = await engine.read([BASE]);
    const image = (await opened.image(BASE)) as Image;
    mkdirSync(root, { recursive: true });
    await extractImage(image, root);
    await opened.close();
    await engine.close();
    writeFileSync(join(root, 'mark'), 'from the tree');
    const tar = await run(['tar', '-C', root, '-c', '.']);
    writeFileSync(join(site.tree, 'images/root.tar.gz'), gzipSync(tar));
  });

  after(async () => {
    const engine = await testEngine();
    for (const tag of (await engine.list('luet/base')).keys())
      if (!kept.has(tag)) await engine.remove(`luet/base:${tag}`);
    await engine.close();
  });

  test('are what packages are built on, and keys are those of their content', async () => {
    writeTree(site.tree, {
      folder: { build: { image: 'rootfs:../images/root', steps: ['cat /mark >/x'] } },
      tar: { build: { image: 'rootfs:../images/root.tar.gz', steps: ['cat /mark >/x'] } },
    });
    const built = await site.build(['--all']);
    assert.equal(built.code, 0, built.stderr);
    for (const name of ['folder', 'tar'])
      assert.equal((await unpacked(site.out, name)).get('x')?.text, 'from the tree');
    assert.deepEqual(work(await site.build(['--all'])), []);
    const before = written(site.out);
    const listed = await cli(
      ['tree', 'images', '-t', 'tree', '--image-repository', site.repository, ...site.words([]).slice(-2)],
      { cwd: site.folder },
    );
    assert.equal(listed.code, 0, listed.stderr);
    const images = await site.images();
    for (const tag of images) assert.ok(listed.stdout.includes(tag), listed.stdout);
    // The same files elsewhere are the same image.
    cpSync(root, join(site.tree, 'images/other'), { recursive: true, preserveTimestamps: true });
    writeFileSync(join(root, 'mark'), 'changed now');
    const changed = await site.build(['t/folder']);
    assert.deepEqual(work(changed), ['run folder']);
    assert.equal((await unpacked(site.out, 'folder')).get('x')?.text, 'changed now');
    assert.notDeepEqual(written(site.out), before);
  });

  test('files are copied from them, and without --keep-images nothing of them is left', async () => {
    writeTree(site.tree, {
      copies: {
        build: {
          image: BASE,
          copy: [{ image: 'rootfs:../images/root', source: '/mark', destination: '/m' }],
          steps: ['cp /m /n'],
        },
      },
      passing: { build: { image: 'rootfs:../images/root', unpack: true } },
    });
    const engine = await testEngine();
    const bases = async (): Promise<string[]> => [...(await engine.list('luet/base')).keys()].sort();
    const there = await bases();
    writeFileSync(join(root, 'mark'), `only for a moment ${process.pid}`);
    const built = await site.build(['t/copies', 't/passing', '--keep-images=false']);
    assert.equal(built.code, 0, built.stderr);
    assert.match((await unpacked(site.out, 'copies')).get('n')?.text ?? '', /^only for a moment/);
    assert.match((await unpacked(site.out, 'passing')).get('mark')?.text ?? '', /^only for a moment/);
    assert.deepEqual(await bases(), there);
    await engine.close();
  });

  test('what is wrong with them is told at once, with its place, by validate and by build', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'luet-ts-outside-'));
    mkdirSync(join(outside, 'etc'));
    symlinkSync(outside, join(site.tree, 'images/out'));
    writeFileSync(join(site.tree, 'images/no.tar'), 'this is no archive'.repeat(100));
    const wrong: Record<string, [string, RegExp]> = {
      w1: ['rootfs:../images/none', /no-such-image.*the file or folder does not exist/],
      w2: [`rootfs:${outside}`, /outside-tree.*is outside/],
      w3: ['rootfs:../images/out/etc', /outside-tree.*is outside/],
      w4: ['rootfs:../../..', /outside-tree.*is outside/],
      w5: ['rootfs:', /invalid-image.*missing path after rootfs:/],
      w6: ['rootsf:../images/root', /invalid-image.*"rootsf:"[\s\S]*Did you mean rootfs:\?/],
      w7: ['docker://debian:12', /invalid-image.*"docker:"[\s\S]*Remove docker:\/\//],
      w8: ['oci:../images/root', /no-such-image|image-failed/],
    };
    rmSync(site.tree, { recursive: true, force: true });
    mkdirSync(join(site.tree, 'images/root'), { recursive: true });
    symlinkSync(outside, join(site.tree, 'images/out'));
    for (const [name, [image]] of Object.entries(wrong)) {
      writeTree(site.tree, { [name]: { build: { image, steps: ['true'] } } });
      const built = await site.build([`t/${name}`]);
      assert.equal(built.code, 1, `${image}: ${built.stderr}`);
      assert.match(built.stderr, new RegExp(`tree/${name}/build.yaml:1:`), image);
      if (name !== 'w8') assert.match(built.stderr, wrong[name]?.[1] as RegExp, image);
    }
    const validated = await cli(['tree', 'validate', 'tree'], { cwd: site.folder });
    assert.equal(validated.code, 1);
    for (const [name, [image, message]] of Object.entries(wrong)) {
      if (name === 'w8') continue;
      assert.match(validated.stdout, new RegExp(`tree/${name}/build.yaml:1:`), image);
      assert.match(validated.stdout, message, image);
    }
    rmSync(outside, { recursive: true, force: true });
  });

  test('an archive that is none fails its package', async () => {
    rmSync(site.tree, { recursive: true, force: true });
    writeTree(site.tree, { bad: { build: { image: 'rootfs:../no.tar', steps: ['true'] } } });
    writeFileSync(join(site.tree, 'no.tar'), 'this is no archive'.repeat(100));
    const built = await site.build(['t/bad']);
    assert.equal(built.code, 1);
    assert.match(built.stderr, /tree\/bad\/build\.yaml|t\/bad-1/);
    assert.doesNotMatch(built.stderr, /This is a bug/);
  });
});

describe('images that lie in the tree as layouts and archives', () => {
  const site = makeSite({ after });
  after(async () => {
    const engine = await testEngine();
    const opened = await engine.read([BASE]);
    const raw = await (await opened.image(BASE))?.rawConfiguration();
    await opened.close();
    if (raw !== undefined) await engine.remove(`luet/base:${digestOf(raw).slice('sha256:'.length)}`);
    await engine.close();
  });
  test('have one key, whatever they are kept in', async () => {
    const onEngine = site.words([]).slice(-2);
    mkdirSync(join(site.tree, 'images'), { recursive: true });
    const kinds = [
      'oci:../images/layout:one',
      'oci-archive:../images/oci.tar',
      'docker-archive:../images/docker.tar',
    ];
    for (const place of kinds) {
      const copied = await cli(['image', 'copy', BASE, place, ...onEngine], {
        cwd: join(site.tree, 'images'),
      });
      assert.equal(copied.code, 0, copied.stderr);
    }
    writeTree(site.tree, { p: { build: { image: BASE, steps: ['echo one >/x'] } } });
    assert.deepEqual(work(await site.build(['t/p'])), ['run p']);
    for (const image of kinds) {
      writeTree(site.tree, { p: { build: { image, steps: ['echo one >/x'] } } });
      const built = await site.build(['t/p']);
      assert.equal(built.code, 0, built.stderr);
      // The base's key is that of its content: nothing runs.
      assert.deepEqual(
        work(built).filter((one) => one.startsWith('run')),
        [],
        image,
      );
      writeTree(site.tree, { p: { build: { image, steps: [`echo '${image}' >/x`] } } });
      const again = await site.build(['t/p']);
      assert.equal(again.code, 0, again.stderr);
      assert.equal((await unpacked(site.out, 'p')).get('x')?.text, `${image}\n`);
    }
    const validated = await cli(['tree', 'validate', 'tree'], { cwd: site.folder });
    assert.equal(validated.code, 0, validated.stdout);
  });
});
