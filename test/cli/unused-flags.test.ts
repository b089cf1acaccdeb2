import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { cli } from '../support/cli.ts';
import { readLine } from '../support/command-lines.ts';

type Environment = Readonly<Record<string, string>>;

/** A folder with these files. */
function folderOf(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-unused-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** What a command line is refused with. */
async function refusal(line: string, env: Environment = {}): Promise<string> {
  const { command, said } = await readLine(line.split(' '), env);
  assert.equal(command, undefined, line);
  return said;
}

/** The flags of a command line that is taken. */
async function accepted(line: string, env: Environment = {}): Promise<Readonly<Record<string, unknown>>> {
  const { command, said } = await readLine(line.split(' '), env);
  assert.equal(said, '', line);
  assert.ok(command !== undefined, line);
  return command.flags;
}

/** Command lines with an engine, up to where its flags go. */
const engines = [
  ...[
    'build c/a',
    'tree images',
    'engine',
    'image pull i',
    'image push i',
    'image copy a b',
    'image inspect i',
  ],
  ...['image ls', 'image rm i', 'image import /x i', 'image export i oci:/x', 'util unpack --local i /x'],
];
const stores = ['store du', 'store gc', 'store verify'];

test('--store chooses the native engine, and is refused where that is not used', async () => {
  for (const line of engines) {
    assert.equal((await accepted(`${line} --store /x`)).engine, 'native', line);
    assert.equal((await accepted(`${line} --store /x --engine auto`)).engine, 'native', line);
    assert.equal((await accepted(`${line} --engine native --store /x`)).engine, 'native', line);
    assert.equal((await accepted(`${line} --engine docker`, { LUET_STORE: '/x' })).engine, 'docker', line);
    assert.equal((await accepted(line, { LUET_STORE: '/x' })).engine, undefined, line);
    for (const engine of ['docker', 'podman', 'unix:///x', 'tcp://x:1', 'ssh://me@x']) {
      const why = `it is where the native engine keeps images, and the engine is ${engine}`;
      const error = `error: --store has no effect: ${why}\n`;
      assert.equal(await refusal(`${line} --store /x --engine ${engine}`), error, line);
      assert.equal(await refusal(`${line} --store /x`, { LUET_ENGINE: engine }), error, line);
    }
  }
  for (const line of [...engines, ...stores])
    assert.equal(
      await refusal(`${line} --store /x --engine native:/y`),
      'error: --store has no effect: native:/y names a store already\n',
      line,
    );
  for (const line of ['build c/a', 'tree images']) {
    assert.match(await refusal(`${line} --store /x --backend docker`), /^error: --store has no effect: /);
    assert.match(
      await refusal(`${line} --engine native --backend docker`),
      /^error: --backend has no effect: --engine says /,
    );
    // Luet's name for the engine may be set for all of a job.
    assert.equal((await accepted(`${line} --store /x`, { LUET_BACKEND: 'docker' })).engine, 'native', line);
  }
});

test('flags beside others that leave them nothing to do are refused', async () => {
  const lines: readonly (readonly [line: string, ...flags: string[]])[] = [
    ['build c/a --output json', 'output'],
    ['build --all --full', 'full'],
    ['build --all --revdeps', 'revdeps'],
    ['build --full --revdeps', 'revdeps'],
    ['build c/a --onlydeps --nodeps', 'nodeps'],
    ['build c/a --onlydeps --only-target-package', 'only-target-package'],
    ['build c/a --onlydeps --rebuild', 'rebuild'],
    ['build c/a -o yaml --onlydeps --rebuild', 'output', 'rebuild'],
    ['tree bump c/a -b', 'buildtime'],
    ['tree bump c/a --runtime', 'runtime'],
    ['tree bump c/a --values x', 'values'],
    ['engine --image i --image-repository a/b', 'image-repository'],
    ['engine copy native docker --values x', 'values'],
    ['engine copy native docker --dockerfiles', 'dockerfiles'],
    ['engine copy native docker --destination x', 'destination'],
    ['engine copy native docker --image i --image-repository a/b', 'image-repository'],
    ['image copy oci:a oci:b --engine docker', 'engine'],
    ['image copy docker://a oci:b --store /x', 'store'],
    ['image copy oci:a oci:b --plain-http x', 'plain-http'],
    ['image copy i oci:b --compression zstd', 'compression'],
    ['image inspect docker://i --engine native', 'engine'],
    ['image inspect oci:a --plain-http x', 'plain-http'],
    ['image import a oci:b --engine native', 'engine'],
    ['image import a i --compression zstd', 'compression'],
    ['image import a i --plain-http x', 'plain-http'],
    ['util unpack i /x --engine docker', 'engine'],
    ['util unpack i /x --store /x', 'store'],
    ['util unpack oci:a /x --plain-http x', 'plain-http'],
    ['util unpack oci:a /x --local', 'local'],
    ['util image-exist oci:a --plain-http x', 'plain-http'],
  ];
  for (const [line, ...flags] of lines) {
    const said = (await refusal(line)).trimEnd().split('\n');
    const named = said.map((one) => /^error: --([\w-]+) has no effect: \S/.exec(one)?.[1]);
    assert.deepEqual(named, flags, `${line}: ${said.join('\n')}`);
  }
});

test('flags that exclude each other are refused', async () => {
  for (const line of [
    ...['--debug --quiet tree pkglist', 'tree pkglist -d -q', 'tree pkglist --deps --revdeps'],
    ...['tree pkglist -b --runtime', 'tree validate --only-runtime --only-buildtime'],
    ...['tree bump c/a --major --minor', 'tree bump c/a --dry-run --to-stdout', 'tree bump c/a -f x'],
    ...['engine copy native docker c/a --image i', 'engine copy native docker --image i -t x'],
  ])
    assert.match(await refusal(line), /^error: .*(exclude each other|not both|or their file)/, line);
});

test('what a variable says for all commands is not refused where it does not matter', async (t) => {
  const cwd = folderOf(t, {
    'tree/a/definition.yaml': 'name: a\ncategory: c\nversion: "1"\n',
    'tree/a/build.yaml': 'image: i\n',
  });
  const env = { LUET_OUTPUT: 'terminal', LUET_STORE: '/x', LUET_REVDEPS: 'true', LUET_TREE: 'tree' };
  const { code, stdout, stderr } = await cli(['build', '--all', '--pretend'], { cwd, env });
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: 'c/a-1\n', stderr: '' });
});

test('data of tree pkglist --full has what definitions say', async (t) => {
  const cwd = folderOf(t, {
    'a/definition.yaml':
      'name: a\ncategory: c\nversion: "1"\ndescription: about a\nlicense: MIT\nuri: [https://a.example]\n',
  });
  const list = async (...flags: string[]): Promise<readonly Record<string, unknown>[]> =>
    JSON.parse((await cli(['tree', 'pkglist', '-t', '.', '-o', 'json', ...flags], { cwd })).stdout).packages;
  const said = { description: 'about a', license: 'MIT', uri: ['https://a.example'] };
  const [plain] = await list();
  assert.deepEqual(await list('--full'), [{ ...plain, ...said }]);
  assert.ok(plain !== undefined && !('license' in plain));
});

test('--platform says of every image which one is meant, in files as well', async (t) => {
  const cwd = folderOf(t, { 'root/a': 'a' });
  const run = async (line: string) => {
    const { code, stderr } = await cli(line.split(' '), { cwd });
    return { code, stderr };
  };
  const imported = await run('image import root oci:images/a:1 --platform linux/s390x');
  assert.equal(imported.code, 0, imported.stderr);
  for (const line of ['image inspect oci:images/a:1', 'util image-exist oci:images/a:1'])
    assert.equal((await run(`${line} --platform linux/s390x`)).code, 0, line);
  for (const [i, line] of [
    'image inspect oci:images/a:1',
    'image copy oci:images/a:1 oci:other/a:1',
    'util unpack oci:images/a:1 out',
    'util image-exist oci:images/a:1',
  ].entries()) {
    const { code, stderr } = await run(`${line} --platform linux/arm64`);
    assert.equal(code, 1, line);
    assert.match(stderr, /image oci:images\/a:1 is for linux\/s390x, not for linux\/arm64/, `${i} ${line}`);
  }
});
