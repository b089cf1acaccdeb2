import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
let scratch: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'luet-ts-launcher-'));
});
after(() => rm(scratch, { recursive: true, force: true }));

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(program: string, words: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const surroundings = { PATH: process.env.PATH ?? '', HOME: scratch, ...env };
    execFile(program, words, { env: surroundings, cwd: scratch }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** A checkout whose command writes `text`, with this checkout's launcher, bundler and dependencies. */
async function miniature(name: string, text: string): Promise<string> {
  const root = join(scratch, name);
  await mkdir(join(root, 'src/cli'), { recursive: true });
  await cp(join(checkout, 'bin'), join(root, 'bin'), { recursive: true });
  await cp(join(checkout, 'scripts'), join(root, 'scripts'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{"type":"module","version":"7.7.7"}');
  await writeFile(join(root, 'package-lock.json'), '{}');
  await symlink(join(checkout, 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'src/cli/said.ts'), `export const said: string = ${JSON.stringify(text)};\n`);
  await writeFile(
    join(root, 'src/cli/main.ts'),
    "const { said } = await import('./said.ts');\nconsole.log(said, process.argv.slice(2).join('|'));\n",
  );
  return root;
}

const say = (root: string, text: string): Promise<void> =>
  writeFile(join(root, 'src/cli/said.ts'), `export const said: string = ${JSON.stringify(text)};\n`);

test('the command is bundled when it is first used, and again when a source is newer', async () => {
  const root = await miniature('newer', 'one');
  const command = join(root, 'bin/luet-ts');
  assert.deepEqual(await run(command, ['a b', 'c']), { code: 0, out: 'one a b|c\n', err: '' });
  const bundled = await readFile(join(root, 'dist/luet-ts.js'));
  await run(command, []);
  assert.deepEqual(await readFile(join(root, 'dist/luet-ts.js')), bundled);
  await say(root, 'two');
  assert.equal((await run(command, [])).out, 'two \n');
  await rm(join(root, 'src/cli/said.ts'));
  const broken = await run(command, []);
  assert.equal(broken.code, 1);
  assert.match(broken.err, /bundling failed: [\s\S]*said\.ts/);
});

test('it is found through links, relative ones and chains of them', async () => {
  const root = await miniature('linked', 'here');
  await mkdir(join(scratch, 'deep/bin'), { recursive: true });
  await symlink('../linked', join(scratch, 'deep/package'));
  await symlink('../package/bin/luet-ts', join(scratch, 'deep/bin/luet-ts'));
  await symlink(join(scratch, 'deep/bin/luet-ts'), join(scratch, 'absolute'));
  assert.equal((await run(join(scratch, 'deep/bin/luet-ts'), ['x'])).out, 'here x\n');
  assert.equal((await run(join(scratch, 'absolute'), ['x'])).out, 'here x\n');
  assert.equal(
    (await run('luet-ts', ['x'], { PATH: `${join(root, 'bin')}:${process.env.PATH}` })).out,
    'here x\n',
  );
  assert.equal((await run('/bin/sh', ['-c', 'cd linked/bin && sh luet-ts x'])).out, 'here x\n');
});

test('many that bundle at once, with sources changing, do not hurt each other', async () => {
  const root = await miniature('many', 'start');
  const command = join(root, 'bin/luet-ts');
  const runs: Promise<Outcome>[] = [];
  for (let i = 0; i < 6; i++) {
    await say(root, `version ${i}`);
    runs.push(run(command, []));
  }
  for (const { code, out, err } of await Promise.all(runs)) {
    assert.equal(code, 0, err);
    assert.match(out, /^version \d \n$/);
  }
  assert.equal((await run(command, [])).out, 'version 5 \n');
  assert.deepEqual(
    (await readdir(join(root, 'dist'))).filter((n) => n.endsWith('.tmp')),
    [],
  );
});

test('chunks that nothing refers to are removed when they are old, and not before', async () => {
  const root = await miniature('chunks', 'one');
  const command = join(root, 'bin/luet-ts');
  await run(command, []);
  const chunk = (await readdir(join(root, 'dist'))).find((n) => n.startsWith('said-')) ?? '';
  await say(root, 'two');
  await run(command, []);
  assert.ok((await readdir(join(root, 'dist'))).includes(chunk), 'a command may still be running from it');
  await utimes(join(root, 'dist', chunk), 1, 1);
  await say(root, 'three');
  await run(command, []);
  assert.ok(!(await readdir(join(root, 'dist'))).includes(chunk));
  assert.equal((await run(command, [])).out, 'three \n');
});

test('an installed package is not looked at for newer sources', async () => {
  const root = await miniature('installed', 'packed');
  await run(join(root, 'bin/luet-ts'), []);
  await rm(join(root, 'src'), { recursive: true });
  await rm(join(root, 'scripts'), { recursive: true });
  await writeFile(join(root, 'package.json'), '{"type":"module"}');
  assert.deepEqual(await run(join(root, 'bin/luet-ts'), []), { code: 0, out: 'packed \n', err: '' });
});

test('without the dependencies, Node comes from the PATH where it is new enough, and else it says what to do', async () => {
  const root = await miniature('bare', 'unseen');
  await rm(join(root, 'node_modules'));
  const fake = join(scratch, 'fake');
  await mkdir(fake);
  const tools = `${fake}:/usr/bin:/bin`;
  const pretend = async (script: string): Promise<void> => {
    await writeFile(join(fake, 'node'), `#!/bin/sh\n${script}\n`);
    await chmod(join(fake, 'node'), 0o755);
  };
  await pretend('echo v20.1.0');
  const old = await run(join(root, 'bin/luet-ts'), [], { PATH: tools });
  assert.equal(old.code, 1);
  assert.match(old.err, /needs Node 24 or newer, and the PATH has v20\.1\.0[\s\S]*npm ci/);
  await pretend('exit 127');
  assert.match((await run(join(root, 'bin/luet-ts'), [], { PATH: tools })).err, /PATH has none/);
  await pretend('echo v24.0.0');
  assert.match(
    (await run(join(root, 'bin/luet-ts'), [], { PATH: tools })).err,
    /run 'npm ci' in this checkout first/,
  );
  await mkdir(join(root, 'dist'));
  await writeFile(join(root, 'dist/luet-ts.js'), '');
  await rm(join(root, 'src'), { recursive: true });
  await pretend('[ "$1" = --version ] && echo v25.0.0 || echo "$@"');
  assert.match(
    (await run(join(root, 'bin/luet-ts'), ['hello'], { PATH: tools })).out,
    /dist\/luet-ts\.js hello\n$/,
  );
});

test('a limit of open files that Node would crash at is raised, or named where it cannot be', async () => {
  const root = await miniature('limited', 'one');
  const command = join(root, 'bin/luet-ts');
  assert.equal((await run(command, [])).code, 0);
  const limited = (limit: string): Promise<Outcome> =>
    run('/bin/sh', ['-c', `ulimit ${limit}; exec "$0"`, command]);
  for (const count of [16, 24, 64, 100, 255]) {
    assert.deepEqual(await limited(`-Sn ${count}`), { code: 0, out: 'one \n', err: '' });
    const { code, out, err } = await limited(`-n ${count}`);
    assert.deepEqual({ code, out }, { code: 1, out: '' });
    assert.match(
      err,
      new RegExp(
        `^luet-ts: it may open only ${count} files at the same time, and needs 256\\.\nluet-ts: raise `,
      ),
    );
  }
  assert.equal((await limited('-n 256')).out, 'one \n');
});
