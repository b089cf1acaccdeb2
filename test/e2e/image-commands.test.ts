import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Engine } from '../../src/engine/index.ts';
import { writeTar } from '../../src/tar/index.ts';
import { type CliAnswer, cli, luetTs } from '../support/cli.ts';
import { BASE, ENGINE, testEngine } from '../support/engine.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { collect, file, sourceOf } from '../support/stream.ts';
import { run, without } from '../support/tool.ts';

const mine = `luet-ts-test/images-${process.pid}`;

describe('commands on images', { skip: without('docker-registry') }, () => {
  let folder: string;
  let engine: Engine;
  let registry: TestRegistry;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'luet-ts-images-'));
    engine = await testEngine();
    registry = await startRegistry();
  });
  after(async () => {
    for (const { names } of await engine.listAll())
      for (const name of names)
        if (name.includes(mine) || name.includes(registry.host)) await engine.remove(name);
    await engine.close();
    await registry.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const onEngine = ENGINE === undefined ? [] : ['--engine', ENGINE];
  // As a flag, it would be refused where no image of an engine is named.
  const env: Record<string, string> = ENGINE === undefined ? {} : { LUET_ENGINE: ENGINE };
  const image = (...words: string[]): Promise<CliAnswer> => cli(['image', ...words], { cwd: folder, env });
  const done = async (answer: Promise<CliAnswer>): Promise<CliAnswer> => {
    const got = await answer;
    assert.equal(got.code, 0, got.stderr);
    return got;
  };
  const data = async (...words: string[]) =>
    JSON.parse((await done(image(...words, '-o', 'json'))).stdout) as {
      id: string;
      digest: string;
      platform: string;
      layers: { diffId: string; mediaType: string }[];
      config: { Env: string[] };
      images: { name: string }[];
    };

  test('a root file system becomes an image, and an image becomes one again', async () => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/name'), 'here');
    const answer = await done(image('import', '--env', 'A=b,c', '--env', 'B=', 'root', `${mine}:root`));
    assert.match(answer.stderr, new RegExp(`^${mine}:root: imported, .* in `, 'm'));
    const told = await data('inspect', `${mine}:root`);
    assert.deepEqual(told.config.Env.slice(1), ['A=b,c', 'B=']);
    assert.match(told.config.Env[0] ?? '', /^PATH=/);
    await done(image('export', `${mine}:root`, 'out.tar'));
    const listed = (await run(['tar', '-tf', join(folder, 'out.tar')])).toString();
    assert.match(listed, /^etc\/name$/m);
    assert.deepEqual(readdirSync(folder).sort(), ['out.tar', 'root']);
    await done(image('import', 'out.tar', `${mine}:again`));
    await done(image('export', `${mine}:again`, 'again.tar'));
    assert.deepEqual(readFileSync(join(folder, 'again.tar')), readFileSync(join(folder, 'out.tar')));
  });

  test('images are pushed, pulled under their names, listed and removed', async () => {
    const name = `${registry.host}/a/base:1`;
    const pushed = await done(image('push', BASE, name));
    assert.match(pushed.stderr, new RegExp(`^${BASE}: pushed, `, 'm'));
    const there = await data('inspect', `docker://${name}`);
    assert.ok(there.layers.every(({ mediaType }) => mediaType.endsWith('gzip')));
    await done(image('push', '--compression', 'zstd', BASE, `${registry.host}/a/base:zstd`));
    const smaller = await data('inspect', `docker://${registry.host}/a/base:zstd`);
    assert.ok(smaller.layers.every(({ mediaType }) => mediaType.endsWith('zstd')));
    assert.equal(smaller.id, there.id);
    const here = await data('inspect', BASE);
    assert.deepEqual([there.id, there.layers[0]?.diffId], [here.id, here.layers[0]?.diffId]);
    assert.equal((await engine.resolve(name, { pull: false }))?.layers.length, undefined);
    await done(image('pull', name));
    const pulled = await engine.resolve(name, { pull: false });
    const base = await engine.resolve(BASE, { pull: false });
    assert.deepEqual({ ...pulled, reference: '' }, { ...base, reference: '' });
    const found = await data('ls', registry.host);
    assert.deepEqual(
      found.images.map((one) => one.name),
      [name],
    );
    assert.match((await done(image('ls'))).stdout, new RegExp(` ${BASE}$`, 'm'));
    const removed = await image('rm', name, `${mine}:none`);
    assert.equal(removed.code, 1);
    assert.match(removed.stderr, /no-such-image.*:none not found/);
    assert.equal(await engine.resolve(name, { pull: false }), undefined);
  });

  test('an image goes from any place to any other, and stays what it is', async () => {
    const { id } = await data('inspect', BASE);
    const places = [
      'oci:layout:one',
      'oci-archive:one.tar',
      'docker-archive:two.tar:x/y:1',
      `docker://${registry.host}/b/copy:2`,
      'oci:layout:two',
      `${mine}:copied`,
      'oci-archive:last.tar:t',
    ];
    let from: string = BASE;
    for (const to of places) {
      await done(image('copy', from, to));
      assert.equal((await data('inspect', to)).id, id, to);
      from = to;
    }
    await done(image('copy', from, 'rootfs:flat'));
    assert.ok(statSync(join(folder, 'flat/bin')).isDirectory());
    // A name that the engine does not hold is looked for in its registry.
    assert.equal((await data('inspect', `${registry.host}/b/copy:2`)).id, id);
  });

  test('a build on a store begins with images of registries', {
    skip: process.getuid?.() !== 0,
  }, async () => {
    const name = `${registry.host}/d/base:1`;
    await done(image('push', BASE, name));
    const tree = join(folder, 'tree/p');
    mkdirSync(tree, { recursive: true });
    writeFileSync(join(tree, 'definition.yaml'), 'name: p\nversion: "1"\n');
    writeFileSync(join(tree, 'build.yaml'), `image: ${name}\nsteps: [echo p >/p]\n`);
    const native = ['--engine', 'native', '--store', 'fresh-store'];
    const built = await cli(
      ['build', '-t', 'tree', '--all', '--destination', 'packages', '--network', 'none', ...native],
      { cwd: folder },
    );
    assert.equal(built.code, 0, built.stderr);
    assert.deepEqual(readdirSync(join(folder, 'packages')).sort(), [
      'p--1.metadata.yaml',
      'p--1.package.tar',
    ]);
    const listed = await done(cli(['image', 'ls', registry.host, ...native], { cwd: folder }));
    assert.match(listed.stdout, new RegExp(` ${name}$`, 'm'));
    for (const one of ['tree', 'fresh-store', 'packages']) rmSync(join(folder, one), { recursive: true });
  });

  test('util unpack and util image-exist, as Luet means them', async () => {
    const name = `${registry.host}/c/base:1`;
    const util = (...words: string[]): Promise<CliAnswer> => cli(['util', ...words], { cwd: folder });
    assert.equal((await util('image-exist', name)).code, 1);
    await done(image('push', BASE, name));
    assert.deepEqual(await done(util('image-exist', name)), { code: 0, stdout: '', stderr: '' });
    assert.equal((await util('image-exist', `${registry.host}/c/base:2`)).code, 1);
    mkdirSync(join(folder, 'there'));
    writeFileSync(join(folder, 'there/own'), 'stays');
    await done(util('unpack', name, 'there'));
    assert.equal(readFileSync(join(folder, 'there/own'), 'utf8'), 'stays');
    assert.ok(statSync(join(folder, 'there/bin')).isDirectory());
    for (const words of [
      ['--local', BASE, 'fresh/deep'],
      [BASE, 'fresh/other', '--local'],
    ])
      await done(cli(['util', 'unpack', ...words, ...onEngine], { cwd: folder }));
    assert.ok(statSync(join(folder, 'fresh/deep/bin')).isDirectory());
    assert.ok(statSync(join(folder, 'fresh/other/bin')).isDirectory());
    const missing = await util('unpack', `${registry.host}/c/none:1`, 'nothing');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no-such-image.*not found in its registry/);
    const luets = await util('unpack', '--auth-username', 'x', name, 'there');
    assert.equal(luets.code, 2);
    assert.match(luets.stderr, /docker login/);
  });

  test('words that name no place are told of, and nothing is written', async () => {
    const before = readdirSync(folder).sort();
    for (const [word, message] of [
      ['oci:', /invalid-image.*missing path after oci:/],
      ['a/UPPER:1', /invalid-image.*lower case/],
      ['docker-archive:none.tar', /image-failed/],
      ['rootfs:none', /image-failed.*none cannot be read: it does not exist/],
      ['oci:root', /image-failed.*is not an OCI layout/],
    ] as const) {
      const answer = await image('copy', word, 'oci:never');
      assert.equal(answer.code, 1, word);
      assert.match(answer.stderr, message, word);
      assert.doesNotMatch(answer.stderr, /This is a bug/);
    }
    assert.deepEqual(readdirSync(folder).sort(), before);
    const platform = await image('pull', '--platform', 'what', `${registry.host}/a/base:1`);
    assert.equal(platform.code, 2, platform.stderr);
    assert.match(platform.stderr, /Expected OS\/ARCHITECTURE/);
    const other = await image('inspect', '--platform', 'linux/s390x', `docker://${registry.host}/none:1`);
    assert.equal(other.code, 1);
  });
});

describe('a registry that stops in the middle of a layer', () => {
  let layer: Buffer;
  let config: Buffer;
  let manifest: Buffer;
  const digest = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  let server: Server;
  let hung: () => void = () => {};
  before(async () => {
    layer = await collect(writeTar(sourceOf([file('file', Buffer.alloc(1 << 20, 1))])));
    config = Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
        rootfs: { type: 'layers', diff_ids: [digest(layer)] },
      }),
    );
    manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        config: {
          mediaType: 'application/vnd.oci.image.config.v1+json',
          digest: digest(config),
          size: config.length,
        },
        layers: [
          {
            mediaType: 'application/vnd.oci.image.layer.v1.tar',
            digest: digest(layer),
            size: layer.length,
          },
        ],
      }),
    );
    server = createServer((request, response) => {
      if (request.url === '/v2/') response.end();
      else if (request.url?.includes('/manifests/'))
        response
          .writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' })
          .end(request.method === 'HEAD' ? undefined : manifest);
      else if (request.url?.includes(digest(config))) response.end(config);
      else {
        response.writeHead(200, { 'content-length': layer.length });
        response.write(layer.subarray(0, 1000), () => hung());
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  test('Ctrl-C ends the pull, and nothing half-written is left', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'luet-ts-stopped-'));
    const temporary = join(folder, 'tmp');
    mkdirSync(temporary);
    const name = `127.0.0.1:${(server.address() as AddressInfo).port}/a/b:1`;
    const onEngine = ENGINE === undefined ? [] : ['--engine', ENGINE];
    for (const words of [
      ['pull', name, ...onEngine],
      ['copy', `docker://${name}`, 'oci-archive:x.tar'],
      ['copy', `docker://${name}`, 'rootfs:x'],
      ['unpack', name, 'x'],
    ]) {
      const stop = new AbortController();
      const started = new Promise<void>((resolve) => {
        hung = resolve;
      });
      const running = cli([words[0] === 'unpack' ? 'util' : 'image', ...words], {
        cwd: folder,
        signal: stop.signal,
        env: { TMPDIR: temporary },
      });
      await started;
      stop.abort();
      const answer = await running;
      assert.equal(answer.code, 130, answer.stderr);
      assert.doesNotMatch(answer.stderr, /This is a bug/);
      assert.deepEqual(readdirSync(folder), ['tmp'], words.join(' '));
      for (const ofUser of readdirSync(temporary))
        assert.deepEqual(readdirSync(join(temporary, ofUser)), [], words.join(' '));
    }
    const engine = await testEngine();
    assert.equal(await engine.resolve(name, { pull: false }), undefined);
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('what a process that was killed left is taken away by the next', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'luet-ts-killed-'));
    const name = `127.0.0.1:${(server.address() as AddressInfo).port}/a/b:1`;
    const started = new Promise<void>((resolve) => {
      hung = resolve;
    });
    const child = spawn(luetTs, ['util', 'unpack', name, 'x'], {
      cwd: folder,
      env: { PATH: process.env.PATH, TMPDIR: folder },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    await started;
    child.kill('SIGKILL');
    await ended;
    const left = readdirSync(folder).filter((one) => one.startsWith('.luet-ts-'));
    assert.equal(left.length, 1);
    mkdirSync(join(folder, 'root'));
    writeFileSync(join(folder, 'root/f'), 'f');
    const answer = await cli(['util', 'unpack', 'rootfs:root', 'x'], {
      cwd: folder,
      env: { TMPDIR: folder },
    });
    assert.equal(answer.code, 0, answer.stderr);
    assert.deepEqual(
      readdirSync(folder).filter((one) => !one.startsWith('luet-ts-')),
      ['root', 'x'],
    );
    assert.deepEqual(readdirSync(join(folder, 'x')), ['f']);
    rmSync(folder, { recursive: true, force: true });
  });
});
