import assert from 'node:assert/strict';
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { ENGINE } from '../support/engine.ts';
import { run } from '../support/tool.ts';

/** Where a stock Luet lies, for those who have one. */
const { LUET } = process.env;

const cases = join(import.meta.dirname, '../conformance/cases');

for (const [name, compression, installed] of [
  ['delta-file-kinds', 'zstd', 'utils/kinds'],
  ['delta-basic', 'gzip', 'utils/foo'],
  ['collection', 'none', 'coll/three'],
  ['subpackages', 'gzip', 'utils/main-dev'],
] as const) {
  test(`stock Luet makes a repository of our packages and installs them (${name}, ${compression})`, {
    skip: LUET === undefined && 'LUET does not name a stock Luet',
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'luet-ts-luet-'));
    const [out, repository, root] = ['out', 'repository', 'root'].map((part) => join(folder, part)) as [
      string,
      string,
      string,
    ];
    const tree = join(cases, name, 'tree');
    for (const made of [repository, root]) mkdirSync(made);
    try {
      const engine = ENGINE === undefined ? [] : ['--engine', ENGINE];
      const words = [
        'build',
        '--tree',
        tree,
        '--all',
        '--destination',
        out,
        '--compression',
        compression,
        '--keep-images=false',
        '--image-repository',
        'luet-ts-test/luet',
        '--network',
        'none',
      ];
      const answer = await cli([...words, ...engine]);
      assert.equal(answer.code, 0, answer.stderr);
      await run([
        LUET ?? '',
        'create-repo',
        '--tree',
        tree,
        '--packages',
        out,
        '--output',
        repository,
        '--name',
        'ours',
        '--type',
        'disk',
        '--urls',
        repository,
      ]);
      for (const file of readdirSync(out))
        if (file.includes('.package.tar')) copyFileSync(join(out, file), join(repository, file));
      const configuration = join(folder, 'luet.yaml');
      writeFileSync(
        configuration,
        JSON.stringify({
          system: { rootfs: root, database_path: '/var/luet', database_engine: 'boltdb' },
          repositories: [
            { name: 'ours', type: 'disk', enable: true, cached: true, priority: 1, urls: [repository] },
          ],
        }),
      );
      await run([LUET ?? '', 'install', '-y', '--config', configuration, installed]);
      const expected =
        readdirSync(join(cases, name, 'expected')).find((file) =>
          file.startsWith(installed.split('/').reverse().join('-')),
        ) ?? '';
      for (const line of readFileSync(join(cases, name, 'expected', expected), 'utf8').split('\n')) {
        const [, kind, mode, owner, group, path] = /^(\w) (\d+) (\d+):(\d+) "(.*?)"/.exec(line) ?? [];
        if (path === undefined || kind === 'l') continue;
        const found = lstatSync(join(root, path));
        assert.deepEqual(
          [(found.mode & 0o7777).toString(8).padStart(4, '0'), found.uid, found.gid],
          [mode, Number(owner), Number(group)],
          path,
        );
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
}
