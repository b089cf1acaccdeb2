import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Engine } from '../../src/engine/index.ts';
import { type CliAnswer, cli } from '../support/cli.ts';
import { ENGINE, testEngine } from '../support/engine.ts';
import { startRegistry } from '../support/registry.ts';
import { makeSite, needs, onBase, type Site } from '../support/site.ts';
import { run, without } from '../support/tool.ts';

interface Inspected {
  readonly id: string;
  readonly platform: string;
  readonly layers: readonly { readonly mediaType: string }[];
  readonly config: Readonly<Record<string, unknown>>;
}

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

describe('images of the contents of packages', () => {
  let site: Site;
  let engine: Engine;
  // As a flag, it would be refused where no image of an engine is named.
  const env: Record<string, string> = ENGINE === undefined ? {} : { LUET_ENGINE: ENGINE };
  const archive = (name: string): string => `out/${name}-t-1.package.tar`;
  const image = (...words: string[]): Promise<CliAnswer> =>
    cli(['image', ...words], { cwd: site.folder, env });
  const done = async (...words: string[]): Promise<CliAnswer> => {
    const answer = await image(...words);
    assert.equal(answer.code, 0, `${words.join(' ')}: ${answer.stderr}`);
    return answer;
  };
  const inspect = async (place: string): Promise<Inspected> =>
    JSON.parse((await done('inspect', place, '-o', 'json')).stdout) as Inspected;

  const endings: (() => void | Promise<void>)[] = [];
  after(async () => {
    for (const { names } of await engine.listAll())
      for (const name of names) if (name.includes(`${site.repository}-`)) await engine.remove(name);
    await engine.close();
    for (const end of endings.reverse()) await end();
  });
  before(async () => {
    site = makeSite({ after: (work) => void endings.push(work) });
    engine = await testEngine();
    site.write('lib', {
      build: { ...onBase('mkdir -p /usr/lib', 'echo 1 > /usr/lib/one'), env: ['SECRET=1'] },
    });
    site.write('app', {
      build: { ...needs('lib'), env: ['BUILDER=2'], steps: ['echo 2 > /usr/lib/two', 'mkdir /app'] },
      definition: { labels: { own: 'of the package' } },
    });
    const built = await site.build(['t/app']);
    assert.equal(built.code, 0, built.stderr);
  });

  test('have what they are given, and nothing of the builder', async () => {
    const settings = [
      ...['--cmd', 'two --loud', '--entrypoint', '["/usr/bin/env", "A B=c"]', '--user', 'nobody:65534'],
      ...['--workdir', '/app', '--label', 'a.b=c=d', '--label', 'e=', '--env', 'A=1', '--env', 'A=2,3'],
    ];
    const wanted = {
      Env: [PATH, 'A=2,3'],
      Cmd: ['two', '--loud'],
      Entrypoint: ['/usr/bin/env', 'A B=c'],
      User: 'nobody:65534',
      WorkingDir: '/app',
      Labels: { 'a.b': 'c=d', e: '' },
    };
    await done('import', ...settings, '--platform', 'linux/arm64', archive('app'), 'oci:layout:app');
    const there = await inspect('oci:layout:app');
    assert.deepEqual([there.config, there.platform], [wanted, 'linux/arm64']);
    const name = `${site.repository}-app:1`;
    await done('import', ...settings, archive('app'), name);
    const { config } = await inspect(name);
    for (const [key, value] of Object.entries(wanted)) assert.deepEqual(config[key], value, key);
  });

  test('have a shell and the usual path where nothing is given, and an entrypoint has no shell for an argument', async () => {
    await done('import', archive('app'), 'oci:layout:plain');
    assert.deepEqual((await inspect('oci:layout:plain')).config, { Env: [PATH], Cmd: ['/bin/sh'] });
    await done('import', '--entrypoint', '/app', archive('app'), 'oci:layout:entry');
    assert.deepEqual((await inspect('oci:layout:entry')).config, { Env: [PATH], Entrypoint: ['/app'] });
    await done('import', '--cmd', '[]', '--env', 'PATH=/usr/lib', archive('app'), 'oci:layout:none');
    assert.deepEqual((await inspect('oci:layout:none')).config, { Env: ['PATH=/usr/lib'] });
  });

  test('hold several packages over each other, a layer each', async () => {
    const name = `${site.repository}-both:1`;
    await done('import', archive('lib'), archive('app'), name);
    assert.equal((await inspect(name)).layers.length, 2);
    await done('export', name, 'both.tar');
    const listed = (await run(['tar', '-tf', join(site.folder, 'both.tar')])).toString();
    assert.match(listed, /^usr\/lib\/one$/m);
    assert.match(listed, /^usr\/lib\/two$/m);
    await done('import', archive('lib'), archive('app'), `${name}again`);
    assert.equal((await inspect(`${name}again`)).id, (await inspect(name)).id);
  });

  test('go to a registry, compressed', { skip: without('docker-registry') }, async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.stop());
    const name = `docker://${registry.host}/app`;
    const types = async (place: string) =>
      (await inspect(place)).layers.map((one) => one.mediaType.split('.').at(-1));
    await done('import', '--cmd', 'two', archive('lib'), archive('app'), `${name}:1`);
    assert.deepEqual(await types(`${name}:1`), ['tar+gzip', 'tar+gzip']);
    assert.deepEqual((await inspect(`${name}:1`)).config, { Env: [PATH], Cmd: ['two'] });
    await done('import', '--cmd', 'two', '--compression', 'zstd', archive('app'), `${name}:2`);
    assert.deepEqual(await types(`${name}:2`), ['tar+zstd']);
    await done('import', '--cmd', 'two', '--compression', 'none', archive('app'), `${name}:3`);
    assert.deepEqual(await types(`${name}:3`), ['tar']);
  });

  test('are not made where a flag is wrong, or would make no difference', async () => {
    const before = readdirSync(site.folder).sort();
    for (const words of [
      ['--env', '=x'],
      ['--label', 'a'],
      ['--label', 'a b=c'],
      ['--cmd', ''],
      ['--cmd', 'echo "a b"'],
      ['--cmd', '["a", 1]'],
      ['--cmd', '["a"'],
      ['--entrypoint', 'a; b'],
      ['--user', 'a b'],
      ['--user', 'a:b:c'],
      ['--workdir', 'app'],
      ['--compression', 'gzip'],
      ['-', '-'],
    ]) {
      const answer = await image('import', ...words, archive('app'), 'oci:never:app');
      assert.equal(answer.code, 2, words.join(' '));
    }
    const copied = await image('copy', '--compression', 'gzip', 'oci:layout:plain', 'oci:never:app');
    assert.deepEqual([copied.code, copied.stdout], [2, '']);
    assert.match(
      copied.stderr,
      /--compression has no effect: it is only for layers that are sent to a registry/,
    );
    const missing = await image('import', archive('app'), 'out/none.tar', 'oci:never:app');
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /out\/none\.tar" is neither a folder nor an archive/);
    assert.deepEqual(readdirSync(site.folder).sort(), before);
  });
});
