import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cli } from '../support/cli.ts';
import { commandWords } from '../support/command-lines.ts';
import { BASE, ENGINE, isNative, testEngine } from '../support/engine.ts';
import { onBase, writeTree } from '../support/site.ts';

/*
 * Every command and every library that is loaded at its first use, in what the container image holds: the bundle, without
 * sources and without the node_modules of a checkout. What is forgotten there cannot be found here either.
 */

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'luet-ts-shipped-'));
const repository = `luet-ts-test/shipped-${process.pid}`;
const engine = ENGINE === undefined ? [] : ['--engine', ENGINE];
const onTree = ['--tree', 'tree'];
const store = ['--store', 'store'];

/** Copies what .dockerignore lets into the image. */
function ship(to: string): void {
  const kept = readFileSync(join(root, '.dockerignore'), 'utf8').matchAll(/^!(.*)$/gm);
  for (const [, path = ''] of kept) {
    mkdirSync(dirname(join(to, path)), { recursive: true });
    // A Node is large, and finds nothing by where it lies.
    if (path.includes('node-linux-')) symlinkSync(join(root, path), join(to, path));
    else cpSync(join(root, path), join(to, path), { recursive: true, errorOnExist: false, force: true });
  }
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

function luetTs(...words: readonly string[]): Promise<Outcome> {
  const env = { PATH: process.env.PATH, HOME: join(folder, 'home'), TMPDIR: folder };
  return new Promise((resolve) => {
    execFile(join(folder, 'shipped/bin/luet-ts'), words, { cwd: folder, env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), output: out + err }),
    );
  });
}

interface Use {
  readonly words: readonly string[];
  readonly says: RegExp;
  readonly code?: number;
  readonly skip?: string | false;
}

const notNative = !isNative && 'the engine is not native';
/** A registry that has nothing. */
const empty = createServer((_, response) => response.writeHead(404).end('{}')).listen(0, '127.0.0.1');
await once(empty, 'listening');
const vacant = `127.0.0.1:${(empty.address() as AddressInfo).port}/a/b`;
const nothing = `${vacant}:1`;

/** What each command is asked, in this order, and what it then says. */
const uses: readonly Use[] = [
  { words: ['tree', 'validate', 'bad'], says: /bad\/y\/build\.yaml:1:9: error\[yaml-syntax\]/, code: 1 },
  { words: ['tree', 'pkglist', '--tree', 'bad', '-b'], says: /^t\/x$/m },
  { words: ['tree', 'pkglist', ...onTree, '-o', 'yaml'], says: /name: a\n/ },
  { words: ['tree', 'render', ...onTree, 't/b', '-o', 'yaml'], says: /steps:\n {2}- echo 3 x-y > \/b\n/ },
  { words: ['tree', 'images', ...onTree, ...engine, 't/b'], says: /t\/b/ },
  { words: ['tree', 'bump', ...onTree, 't/a', '--dry-run'], says: /\+version: '?"?1\+1/ },
  { words: ['tree', 'graph', ...onTree, 't/b', '--format', 'svg'], says: /<svg/ },
  { words: ['tree', 'why', ...onTree, 't/b', 't/a'], says: /t\/b-1.*t\/a/s },
  { words: ['tree', 'explain', ...onTree, 't/b'], says: /solution for t\/b / },
  { words: ['util', 'template', 'plain.tmpl', '--values', 'bad.yaml'], says: /yaml-syntax/, code: 1 },
  { words: ['util', 'template', 'plain.tmpl', '--values', 'good.yaml'], says: /^1 true$/m },
  { words: ['engine', ...engine], says: /platform +linux/ },
  { words: ['engine', '--engine', 'unix:///nowhere.sock'], says: /\/nowhere\.sock/, code: 1 },
  { words: ['image', 'import', 'rootfs', 'oci:layout:one'], says: /imported/ },
  { words: ['image', 'copy', 'oci:layout:one', 'oci-archive:one.tar'], says: /copied/ },
  { words: ['image', 'inspect', 'oci-archive:one.tar'], says: /linux\// },
  { words: ['image', 'export', ...engine, BASE, 'out.tar'], says: /exported/ },
  { words: ['util', 'unpack', 'oci:layout:one', 'unpacked'], says: /unpacked/ },
  { words: ['util', 'image-exist', nothing], says: /^$/, code: 1 },
  { words: ['image', 'pull', ...engine, nothing], says: /127\.0\.0\.1:/, code: 1 },
  { words: ['build', ...onTree, ...engine, '--image-repository', repository, 't/b'], says: /2 built/ },
  {
    words: ['explain', ...onTree, ...engine, '--image-repository', repository, 't/b'],
    says: /^2 packages: unchanged here, nothing to build$/m,
  },
  { words: ['cache', 'ls', vacant], says: /^0 images in 127/m },
  { words: ['cache', 'rm', vacant, 't/b'], says: /no package image in .* is named "t\/b"/, code: 1 },
  { words: ['cache', 'prune', vacant, '--older-than', '1d'], says: /^0 images deleted$/m },
  { words: ['image', 'ls', ...engine, repository], says: /luet-ts-test/ },
  { words: ['image', 'push', ...engine, `${repository}:none`, nothing], says: /none/, code: 1 },
  { words: ['image', 'rm', ...engine, `${repository}:none`], says: /none/, code: 1 },
  {
    words: ['engine', 'copy', ENGINE ?? 'auto', 'native:store', ...onTree, '--image-repository', repository],
    says: /copied/,
    skip: process.getuid?.() !== 0 && 'takes root',
  },
  { words: ['autocomplete', 'fish'], says: /complete -c luet-ts/ },
  { words: ['tree', 'bump', '--help'], says: /--pkg-version=<version>/ },
  { words: ['store', 'du', ...store], says: /layers/, skip: notNative },
  { words: ['store', 'gc', ...store, '--dry-run'], says: /./, skip: notNative },
  { words: ['store', 'verify', ...store], says: /./, skip: notNative },
];

describe('the command as it is shipped', () => {
  before(async () => {
    // Makes the bundle where there is none.
    await cli(['--version']);
    ship(join(folder, 'shipped'));
    writeTree(join(folder, 'tree'), {
      a: { build: onBase('echo a >/a') },
      b: {
        build: [
          ...['requires:', '- {name: a, category: t, version: ">=0"}', 'includes: ["^/b$"]', 'steps:'],
          '- echo {{ (fromYaml "a: 3").a }} {{ regexReplaceAll "[.]" "x.y" "-" }} > /b',
        ].join('\n'),
      },
    });
    writeTree(join(folder, 'bad'), { x: { build: onBase('true') }, y: { build: 'image: >=1\n' } });
    const files = {
      'plain.tmpl': '{{ .Values.a }} {{ regexMatch "^a" "ab" }}',
      'bad.yaml': 'a: >=1\n',
      'good.yaml': 'a: 1\n',
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    mkdirSync(join(folder, 'rootfs/etc'), { recursive: true });
    writeFileSync(join(folder, 'rootfs/etc/name'), 'here');
  });
  after(async () => {
    empty.closeAllConnections();
    empty.close();
    rmSync(folder, { recursive: true, force: true });
    const used = await testEngine();
    for (const tag of [...(await used.list(repository)).keys()].reverse())
      await used.remove(`${repository}:${tag}`);
    await used.close();
  });

  for (const { words, says, code = 0, skip = false } of uses)
    test(words.join(' '), { skip }, async () => {
      const answer = await luetTs(...words);
      assert.match(answer.output, says);
      assert.equal(answer.code, code, answer.output);
      assert.doesNotMatch(answer.output, /This is a bug/);
    });

  test('no command is left out here', () => {
    const used = new Set(uses.flatMap(({ words: [first, second] }) => [first, `${first} ${second}`]));
    const all = commandWords.map((words) => words.join(' '));
    assert.ok(all.length > 20);
    assert.deepEqual(
      all.filter((name) => !used.has(name)),
      [],
    );
  });
});
