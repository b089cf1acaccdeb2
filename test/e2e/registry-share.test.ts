import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type CliAnswer, cli } from '../support/cli.ts';
import { testEngine } from '../support/engine.ts';
import { FaultyProxy } from '../support/faulty-proxy.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { makeSite, needs, onBase, type Site } from '../support/site.ts';

// The command with a registry as the shared cache, on whatever engine is tested. Another machine is this one without its images.

const isThere = spawnSync('docker-registry', ['--version']).status === 0;

const packages = {
  seed: { build: onBase('echo 1 >/one'), files: { patch: 'x' } },
  top: { build: { ...needs('seed'), steps: ['cat /one >/two'] } },
  side: { build: onBase('mkdir /side', 'echo 3 >/side/three') },
};

describe('building with a registry that is shared', {
  skip: isThere ? false : 'docker-registry is not installed here',
}, () => {
  let registry: TestRegistry;
  let proxy: FaultyProxy;
  let host: string;
  let count = 0;
  before(async () => {
    registry = await startRegistry();
    proxy = new FaultyProxy(registry.host);
    host = await proxy.start();
  });
  after(async () => {
    await proxy.stop();
    await registry.stop();
  });

  /** A site whose images have a repository of the registry. */
  const share = (site: Site, repository = `${host}/share-${count++}`) => ({
    repository,
    flags: ['--image-repository', repository],
    bytes: () =>
      Object.fromEntries(
        readdirSync(site.out)
          .filter((name) => /\.(?:tar|yaml)$/.test(name))
          .map((name) => [name, readFileSync(join(site.out, name), 'latin1')]),
      ),
    /** Forgets what this machine has built. */
    async forget(): Promise<void> {
      const engine = await testEngine();
      for (const tag of (await engine.list(repository)).keys()) await engine.remove(`${repository}:${tag}`);
      await engine.close();
      rmSync(site.out, { recursive: true, force: true });
    },
  });
  const explain = (site: Site, words: readonly string[]): Promise<CliAnswer> => {
    const [, ...rest] = site.words([...words]);
    const at = rest.indexOf('--network');
    return cli(['explain', ...rest.toSpliced(at, 2)], { cwd: site.folder });
  };

  test('what one machine pushes another one pulls, and why it builds is told', async (t) => {
    const site = makeSite(t, packages);
    const shared = share(site);
    t.after(() => shared.forget());
    const first = await site.build(['--all', ...shared.flags, '--push', '--pull']);
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /3 to build: 3 never built before/);
    const bytes = shared.bytes();
    await shared.forget();
    const seen = await explain(site, ['--all', ...shared.flags, '--pull']);
    assert.deepEqual(
      [seen.code, seen.stdout],
      [0, '3 packages: 3 in the cache, 0 unchanged here, 0 to build\n'],
    );
    const second = await site.build(['--all', ...shared.flags, '--pull']);
    assert.equal(second.code, 0, second.stderr);
    assert.match(second.stderr, /3 cut in /);
    assert.deepEqual(shared.bytes(), bytes);
    assert.equal(
      (await explain(site, ['--all', ...shared.flags])).stdout,
      '3 packages: unchanged here, nothing to build\n',
    );

    site.write('seed', { ...packages.seed, files: { patch: 'y' } });
    site.write('side', { build: onBase('mkdir /side', 'echo 4 >/side/three') });
    await shared.forget();
    const changed = await explain(site, ['--all', ...shared.flags, '--pull']);
    assert.equal(changed.code, 1);
    assert.deepEqual(changed.stdout.trimEnd().split('\n'), [
      '3 packages: 0 in the cache, 0 unchanged here, 3 to build',
      't/seed-1: file "patch" changed       1 follows',
      't/side-1: tree/side/build.yaml:4 changed: steps[1] was "echo 3 >/side/three", is "echo 4 >/side/three"',
    ]);
    const stopped = await site.build(['--all', ...shared.flags, '--pull', '--fail-on-miss']);
    assert.equal(stopped.code, 1);
    assert.match(stopped.stderr, /file "patch" changed {7}1 follows/);
    assert.doesNotMatch(stopped.stderr, /steps 1\/1/);
    const data = await explain(site, ['--all', ...shared.flags, '--pull', '-o', 'json']);
    const { packages: rows } = JSON.parse(data.stdout) as {
      packages: { package: string; state: string; reason: { kind: string } }[];
    };
    assert.deepEqual(
      rows.map((one) => [one.package, one.state, one.reason.kind]),
      [
        ['t/seed-1', 'build', 'changed'],
        ['t/side-1', 'build', 'changed'],
        ['t/top-1', 'build', 'follows'],
      ],
    );
  });

  test('a registry that does not take what is pushed does not lose the build', async (t) => {
    const site = makeSite(t, packages);
    const shared = share(site);
    t.after(() => shared.forget());
    proxy.fault = ({ method }) =>
      method === 'GET' || method === 'HEAD'
        ? undefined
        : { kind: 'answer', status: 403, body: '{"errors":[{"code":"DENIED","message":"read only"}]}' };
    t.after(() => {
      proxy.fault = () => undefined;
    });
    const built = await site.build(['--all', ...shared.flags, '--push']);
    assert.equal(built.code, 1);
    assert.match(built.stderr, /3 built in /);
    assert.match(built.stderr, /error\[not-pushed\]: t\/top-1: .*answers 403 \(DENIED: read only\)/);
    assert.equal(Object.keys(shared.bytes()).length, 6);
  });

  test('images of contents, and those that cannot have a tag', async (t) => {
    const site = makeSite(t, { side: packages.side });
    const shared = share(site);
    t.after(() => shared.forget());
    const contents = `${host}/contents-${count++}`;
    const flags = ['--push-final-images', '--push-final-images-repository', contents];
    const built = await site.build(['--all', ...flags]);
    assert.equal(built.code, 0, built.stderr);
    const unpacked = join(site.folder, 'unpacked');
    const image = `${contents}:side-t-1`;
    for (const name of [image, `${image}.metadata.yaml`]) {
      const answer = await cli(['util', 'unpack', name, unpacked], { cwd: site.folder });
      assert.equal(answer.code, 0, answer.stderr);
    }
    assert.equal(readFileSync(join(unpacked, 'side/three'), 'utf8'), '3\n');
    assert.deepEqual(
      readFileSync(join(unpacked, 'side-t-1.metadata.yaml')),
      readFileSync(join(site.out, 'side-t-1.metadata.yaml')),
    );
    site.write('bad', { build: onBase('echo >/x'), definition: { version: '2.0~rc1' } });
    const refused = await site.build(['--all', ...flags]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /error\[impossible-tag\]: t\/bad-2\.0~rc1: .* has the sign "~"/);
    assert.doesNotMatch(refused.stderr, /steps 1\/1/);
  });

  test('images are listed, deleted and pruned', async (t) => {
    const site = makeSite(t, packages);
    const shared = share(site);
    t.after(() => shared.forget());
    assert.equal((await site.build(['--all', ...shared.flags, '--push'])).code, 0);
    const run = (...words: string[]): Promise<CliAnswer> => cli(['cache', ...words], { cwd: site.folder });
    const named = async (): Promise<string[]> => {
      const { images } = JSON.parse((await run('ls', shared.repository, '-o', 'json')).stdout) as {
        images: { package: string }[];
      };
      return images.map((one) => one.package);
    };
    assert.deepEqual(await named(), ['t/seed-1', 't/side-1', 't/top-1']);
    assert.equal((await run('prune', shared.repository, '--older-than', '1h')).code, 0);
    assert.equal((await named()).length, 3);
    assert.equal((await run('rm', shared.repository, 't/side', '--dry-run')).code, 0);
    assert.equal((await named()).length, 3);
    assert.equal((await run('rm', shared.repository, 't/side')).code, 0);
    assert.deepEqual(await named(), ['t/seed-1', 't/top-1']);
    const missing = await run('rm', shared.repository, 't/side');
    assert.deepEqual(
      [missing.code, /no package image .* is named "t\/side"/.test(missing.stderr)],
      [1, true],
    );
  });

  test('flags that lack others, and words for docker build', async (t) => {
    const site = makeSite(t, { side: packages.side });
    mkdirSync(join(site.folder, 'empty'));
    writeFileSync(join(site.folder, 'empty/x'), '');
    const code = async (...words: string[]): Promise<[number, string]> => {
      const answer = await cli(['build', '--tree', 'tree', '--all', '--pretend', ...words], {
        cwd: site.folder,
      });
      return [answer.code, answer.stderr];
    };
    const cases: readonly (readonly [words: string[], code: number, says: RegExp])[] = [
      [['--push'], 2, /--push takes a repository to push to/],
      [['--pull'], 2, /--pull takes a repository to look in/],
      [['--pull-repository', 'a.example/b'], 2, /--pull-repository has no effect/],
      [['--wait'], 2, /--wait has no effect/],
      [['--push-final-images-force'], 2, /has no effect/],
      [['--pull', '--pull-repository', 'a.example/b'], 0, /^$/],
      [['--push', '--image-repository', 'a.example/b'], 0, /^$/],
      [['--backend-args', '--load', '-a', '--platform linux/amd64', '-a', '--network=host'], 0, /^$/],
      [['--backend-args', '--squash'], 2, /--squash is not supported/],
      [['--backend-args', '--platform'], 2, /--platform has no value/],
      [['--backend-args', '--network weave'], 2, /bridge, host or none/],
    ];
    for (const [words, expected, says] of cases) {
      const [found, said] = await code(...words);
      assert.equal(found, expected, `${words.join(' ')}: ${said}`);
      assert.match(said, says, words.join(' '));
    }
  });
});
