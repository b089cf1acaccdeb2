import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial, type Socket } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { cli } from '../support/cli.ts';
import { BASE, ENGINE } from '../support/engine.ts';
import { insight, untilGone } from '../support/insight.ts';
import { makeSite, needs, onBase, runOf, unpacked, work, written } from '../support/site.ts';

const one = { a: { build: onBase('echo a >/a') } };

test('where no engine answers, the error says what was tried', async (t) => {
  const site = makeSite(t, one);
  const nowhere = join(site.folder, 'nowhere.sock');
  const answer = await site.build(['t/a', '--engine', `unix://${nowhere}`]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /error\[no-engine\]: the engine unix:\/\/\S*nowhere\.sock does not answer/);
  assert.match(answer.stderr, new RegExp(`note: the address given \\(unix://${nowhere}\\): .*ENOENT`));
  assert.match(answer.stderr, /hint: Start it or correct its address, or leave out --engine/);
  const host = await cli(['build', '--tree', 'tree', '--all'], {
    cwd: site.folder,
    env: { DOCKER_HOST: 'tcp://127.0.0.1:9' },
  });
  assert.equal(host.code, 1);
  assert.match(host.stderr, /note: DOCKER_HOST \(tcp:\/\/127\.0\.0\.1:9\): .*ECONNREFUSED/);
  for (const [address, says] of [
    ['ftp://x', /reached by unix, tcp or ssh, not ftp/],
    ['unix://relative', /begins with \//],
    ['nonsense', /is not the address of an engine/],
  ] as const) {
    const wrong = await site.build(['t/a', '--engine', address]);
    assert.match(wrong.stderr, says);
    assert.equal(wrong.code, 1);
  }
});

test('something that is no engine', async (t) => {
  const site = makeSite(t, one);
  const path = join(site.folder, 'web.sock');
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}'));
  }).listen(path);
  t.after(() => server.close());
  const answer = await site.build(['t/a', '--engine', path]);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /is not the Docker API/);
});

test('an unknown package, with the nearest', async (t) => {
  const site = makeSite(t, { library: { build: onBase('true') } });
  const answer = await site.build(['t/libary']);
  assert.equal(answer.code, 1);
  assert.match(answer.stderr, /t\/libary[\s\S]*t\/library/);
});

test('a wrong command line is 2, and says what would be right', async (t) => {
  const site = makeSite(t, one);
  for (const [words, says] of [
    [[], /name the packages to build, or use --all/],
    [['t/a', '--compresion', 'gzip'], /--compresion[\s\S]*--compression/],
    [['t/a', '--compression', 'rar'], /none, gzip or zstd/],
    [['t/a', '--concurrency', '0'], /number from 1/],
    [['t/a', '--backend', 'img'], /img has no API to build through; use docker or podman/],
    [['t/a', '--backend', 'buildah'], /use docker or podman/],
    [['t/a', '--network', 'moon'], /bridge, host or none/],
    [['t/a', '--memory', '4X'], /Expected a size from 16M/],
    [['t/a', '--memory', '8M'], /Expected a size from 16M/],
    [['t/a', '--processes', '3'], /Expected a number from 16/],
    [['t/a', '--image-repository', 'UPPER CASE'], /Expected a repository/],
    [['t/a', '--image-repository', 'a/b:tag'], /Expected a repository/],
    [['t/a', '--backend-args', '--x'], /--backend-args: --x is not supported/],
  ] as const) {
    const answer = await site.build(words);
    assert.equal(answer.code, 2, `${words}: ${answer.stderr}`);
    assert.match(answer.stderr, says);
  }
  assert.ok(!existsSync(site.out));
});

test('an image that cannot be fetched fails its package, with the reason', {
  timeout: 120_000,
}, async (t) => {
  const site = makeSite(t, {
    a: { build: { image: 'localhost:1/not/there:1', steps: ['true'] } },
    b: { build: onBase('true') },
  });
  const answer = await site.build(['--all', '--keep-going']);
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /^tree\/a\/build\.yaml:1:8: error\[no-such-image\]: t\/a-1: image localhost:1\/not\/there:1 cannot be fetched: \S+/m,
  );
  assert.match(answer.stderr, /1 built, 1 failed/);
});

test('a destination that cannot be written to is told before anything runs', async (t) => {
  const site = makeSite(t, { ...one, v: { build: {} } });
  writeFileSync(join(site.folder, 'file'), '');
  const answer = await site.build(['--all', '--destination', 'file', '--keep-going']);
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /^error\[file-failed\]: (\S+\/file) cannot be used: \1 is a file, and not a folder$/m,
  );
  assert.deepEqual(work(answer), []);
});

test('a disk that is full', async (t) => {
  // The small one is written before.
  const site = makeSite(t, { big: { build: onBase('sleep 1; head -c 3000000 /dev/urandom >/big') }, ...one });
  mkdirSync(site.out);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', site.out], { stdio: 'pipe' });
  } catch {
    return t.skip('a small file system cannot be mounted here');
  }
  try {
    // Without --keep-going, too: it is no fault of a package's.
    const answer = await site.build(['--all', '--concurrency', '2']);
    assert.equal(answer.code, 1);
    assert.match(answer.stderr, /1 built, 1 not finished/);
    assert.match(
      answer.stderr,
      /error\[no-space\]: t\/big-1: \S+\/out\/big-t-1.package.tar cannot be written: its disk is full \(\d+ kB free\)/,
    );
    assert.doesNotMatch(answer.stderr, /bug/);
    // What is whole is there, and nothing else.
    assert.deepEqual(readdirSync(site.out).sort(), ['a-t-1.metadata.yaml', 'a-t-1.package.tar']);
    execFileSync('mount', ['-o', 'remount,size=8m', site.out]);
    const again = await site.build(['--all']);
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await unpacked(site.out, 'big')).get('big')?.entry.size, 3_000_000);
  } finally {
    execFileSync('umount', [site.out]);
  }
});

test('logs that cannot be written do not stop a build', async (t) => {
  const site = makeSite(t, {
    a: { build: onBase('echo said; echo a >/a') },
    f: { build: onBase('echo why; false') },
  });
  const answer = await site.build(['--all', '--keep-going'], { env: { XDG_STATE_HOME: '/dev/null/state' } });
  assert.equal(answer.code, 1);
  assert.match(
    answer.stderr,
    /t\/a-1: .*the complete output is not available: .*\/dev\/null is a device, and not a folder/,
  );
  assert.match(answer.stderr, /hint: the complete output is not available: .*\/dev\/null is a device/);
  assert.match(answer.stderr, /1 built, 1 failed/);
});

test('a temporary folder that cannot be used', async (t) => {
  const site = makeSite(t, one);
  const run = site.spawn(['t/a'], { TMPDIR: '/dev/null' });
  assert.equal(await run.ended, 1);
  assert.match(run.output(), /error\[no-temporary-folder\].*: \/dev\/null is a device, and not a folder/);
});

test('a context that cannot be read', async (t) => {
  if (process.getuid?.() === 0) return t.skip('root reads everything');
  const site = makeSite(t, { a: { build: onBase('true'), files: { secret: 'x' } } });
  chmodSync(join(site.tree, 'a/secret'), 0);
  const answer = await site.build(['t/a']);
  assert.match(
    answer.stderr,
    /error\[unreadable-context\]: cannot read the build context: .*secret cannot be /,
  );
});

test('an engine that goes away in the middle', { timeout: 60_000 }, async (t) => {
  const site = makeSite(t, {
    a: { build: onBase('echo begun; sleep 1000') },
    b: { build: { ...needs('a'), steps: ['true'] } },
    c: { build: onBase('echo c >/c') },
  });
  const address = ENGINE ?? '/var/run/docker.sock';
  if (!/^(unix:\/\/)?\//.test(address)) return t.skip('the engine is reached by another way than a socket');
  const path = join(site.folder, 'proxy.sock');
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = dial(address.replace('unix://', ''));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.pipe(other);
    }
  }).listen(path);
  t.after(() => proxy.close());
  const run = site.spawn(['t/b', '--engine', path, '--engine-wait', '1']);
  await run.until(/\| begun/);
  const name = runOf(site);
  proxy.close();
  rmSync(path, { force: true });
  for (const socket of sockets) socket.destroy();
  assert.equal(await run.ended, 1);
  assert.match(
    run.output(),
    /error\[engine-gone\]: t\/a-1: the engine is not available: .*, in steps: echo begun; sleep 1000/,
  );
  assert.match(run.output(), /t\/b-1: not built/);
  assert.doesNotMatch(run.output(), /bug/);
  assert.deepEqual([...written(site.out).keys()], []);
  const api = await insight();
  await untilGone(api, name);
  api.close();
});

test('--pretend shows what would be built, without an engine', async (t) => {
  const site = makeSite(t, {
    a: { build: { image: BASE } },
    b: { build: { ...needs('a'), steps: ['true'] } },
    v: { build: {} },
  });
  const pretend = async (...words: string[]): Promise<string> => {
    const answer = await site.build([...words, '--pretend', '--engine', 'unix:///nowhere']);
    assert.equal(answer.code, 0, answer.stderr);
    return answer.stdout;
  };
  assert.equal(await pretend('--all'), 't/a-1\nt/b-1\nt/v-1\n');
  assert.equal(await pretend('t/b', '--only-target-package'), 't/b-1\n');
  assert.equal(await pretend('t/b', '--onlydeps'), 't/a-1\n');
  const json = JSON.parse(await pretend('t/b', '-o', 'json')) as {
    packages: { name: string; target: string }[];
  };
  assert.deepEqual(
    json.packages.map(({ name, target }) => [name, target]),
    [
      ['a', 't/b-1'],
      ['b', 't/b-1'],
    ],
  );
  assert.match(await pretend('t/b', '-o', 'yaml'), /^packages:\n {2}- category: t\n/);
  assert.ok(!existsSync(site.out));
});
