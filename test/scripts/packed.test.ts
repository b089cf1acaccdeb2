import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'luet-ts-packed-'));
const installed = join(folder, 'installed');
const modules = join(installed, 'node_modules');

/** The PATH of the machine, without the Node that runs the tests; what npm runs puts that first. */
const ownPath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((one) => !one.includes('node_modules') && one !== dirname(process.execPath))
  .join(delimiter);
/** The same with the Node that runs the tests. */
const newPath = `${dirname(process.execPath)}${delimiter}${ownPath}`;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(path: string, cwd: string, program: string, ...words: readonly string[]): Promise<Outcome> {
  const { npm_config_registry: registry, ...around } = process.env;
  const proxies = Object.entries(around).filter(([name]) => /^(https?|no)_proxy$/i.test(name));
  const env = {
    PATH: path,
    HOME: process.env.HOME,
    TMPDIR: folder,
    ...Object.fromEntries(proxies),
    ...(registry !== undefined && { npm_config_registry: registry }),
  };
  return new Promise((resolve) => {
    execFile(program, words, { cwd, env, maxBuffer: 64 << 20 }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

const noNetwork = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|network/;

describe('the packed command, installed into an empty folder', () => {
  let unreachable: string | undefined;
  let tarball = '';
  before(async () => {
    // A copy, for packing bundles, and other tests run the checkout's bundle meanwhile.
    const checkout = join(folder, 'checkout');
    mkdirSync(checkout);
    for (const name of readdirSync(root))
      if (!['dist', 'node_modules', 'out', '.git'].includes(name))
        cpSync(join(root, name), join(checkout, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'));
    const packed = await run(newPath, checkout, 'npm', 'pack', '--silent', '--pack-destination', folder);
    assert.equal(packed.code, 0, packed.err);
    mkdirSync(installed);
    const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--fetch-retries', '1'];
    tarball = join(folder, packed.out.trim().split('\n').at(-1) ?? '');
    const answer = await run(ownPath, installed, 'npm', 'install', ...flags, tarball);
    if (answer.code !== 0 && noNetwork.test(answer.err)) unreachable = 'the npm registry is not reachable';
    else assert.equal(answer.code, 0, answer.err);
    const tree = join(folder, 'tree');
    for (const [name, template] of [
      ['good', 'image: x\nsteps: [{{ regexReplaceAll "o" (fromYaml "a: foo").a "0" }}]\n'],
      ['bad', 'image: >=1\n'],
    ] as const) {
      mkdirSync(join(tree, name), { recursive: true });
      writeFileSync(join(tree, name, 'definition.yaml'), `{name: ${name}, category: t, version: "1"}\n`);
      writeFileSync(join(tree, name, 'build.yaml'), template);
    }
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const works = async (t: TestContext, path: string): Promise<void> => {
    if (unreachable !== undefined) return t.skip(unreachable);
    const command = join(modules, '.bin/luet-ts');
    assert.match((await run(path, folder, command, '--version')).out, /^luet-ts \d/);
    const render = await run(path, folder, command, 'tree', 'render', '--tree', 'tree');
    assert.equal(render.code, 1);
    assert.match(render.out, /steps:\n {2}- f00\n/);
    assert.match(render.err, /bad\/build\.yaml:1:9: error\[yaml-syntax\]/);
    const image = ['image', 'import', 'tree', `oci:${path === ownPath ? 'own' : 'new'}:one`];
    const imported = await run(path, folder, command, ...image);
    assert.equal(imported.code, 0, imported.err);
    const graph = await run(path, folder, command, 'tree', 'graph', '--tree', 'tree', '--format', 'svg');
    assert.match(graph.out, /<svg/);
  };

  test("on the machine's Node, or the one that comes along where that is too old", (t) => works(t, ownPath));

  test('as a library', async (t) => {
    if (unreachable !== undefined) return t.skip(unreachable);
    const script = [
      "const all = await import('luet-ts');",
      "const { parseTemplates } = await import('luet-ts/template');",
      "const { solve } = await import('luet-ts/solver');",
      'console.log([typeof all.build, typeof all.loadTrees, typeof parseTemplates, typeof solve].join());',
    ].join('\n');
    const answer = await run(newPath, installed, 'node', '--input-type=module', '-e', script);
    assert.equal(answer.out, 'function,function,function,function\n', answer.err);
  });

  test('its example of a library builds, and builds nothing again', async (t) => {
    if (unreachable !== undefined) return t.skip(unreachable);
    const engine = process.env.LUET_TS_TEST_ENGINE;
    if (!engine) return t.skip('no engine is named (LUET_TS_TEST_ENGINE)');
    const example = join(installed, 'example');
    cpSync(join(root, 'examples/library'), example, { recursive: true });
    const base = join(example, 'tree/base/build.yaml');
    writeFileSync(base, readFileSync(base, 'utf8').replace('luet-ts/quickstart:1', 'conformance/base:1'));
    const build = (): Promise<Outcome> =>
      run(newPath, example, 'env', `ENGINE=${engine}`, 'node', 'build.js');
    const first = await build();
    assert.equal(first.code, 0, first.err);
    assert.match(first.out, /^apps\/note-1\.0: mkdir -p \/usr\/share$/m);
    assert.match(first.out, /^apps\/note-1\.0: (?:built|cut)$/m);
    assert.ok(readdirSync(join(example, 'out')).includes('note-apps-1.0.package.tar'));
    const second = await build();
    assert.match(second.out, /^apps\/note-1\.0: unchanged$/m, second.err);
  });

  test('what tools for packages say of it', async () => {
    const lint = await run(newPath, root, 'npx', '--no-install', 'publint', '--strict', tarball);
    assert.equal(lint.code, 0, lint.out + lint.err);
    // The package is for Node 24, which needs neither CommonJS nor ways of resolution from before `exports`.
    const types = await run(newPath, root, 'npx', '--no-install', 'attw', tarball, '--profile', 'esm-only');
    assert.equal(types.code, 0, types.out + types.err);
  });

  test('on a new Node, without the one that comes along', async (t) => {
    for (const name of unreachable === undefined ? readdirSync(modules) : [])
      if (name.startsWith('node-linux-')) rmSync(join(modules, name), { recursive: true });
    await works(t, newPath);
  });
});
