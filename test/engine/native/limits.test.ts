import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { EngineError } from '../../../src/engine/index.ts';
import { askedWays } from '../../../src/engine/native/find/probe.ts';
import { GROUP_LIST, limitsHere, makeGroup, removeGroups } from '../../../src/engine/native/groups/groups.ts';
import { ownGroups, placeFor } from '../../../src/engine/native/groups/places.ts';
import { luetTs } from '../../support/cli.ts';
import { BASE, environment } from '../../support/engine.ts';
import { scriptEngine } from '../../support/engines/native.ts';
import { makeSite, onBase } from '../../support/site.ts';
import { programOf, without } from '../../support/tool.ts';
import { freshStore, notHere } from './support.ts';

const { memory, processes } = limitsHere();
const notLimited =
  notHere || (memory.possible && processes.possible ? false : memory.reason || processes.reason);

const silent = (): void => {};

/** The control groups of a run, wherever they lie. */
function groupsOf(run: string): string[] {
  const own = ownGroups();
  return (['memory', 'processes'] as const).flatMap((limited) => {
    const place = placeFor(limited, own);
    if ('missing' in place) return [];
    const names = readdirSync(place.folder).filter((name) => name.startsWith(`luet-ts-${run}`));
    return names.map((name) => join(place.folder, name));
  });
}

for (const way of askedWays)
  test(`by ${way}, limits hold, and their groups go with the workspace`, {
    skip: notLimited || without(programOf(way)),
    timeout: 60_000,
  }, async (t) => {
    const store = await freshStore(t);
    const engine = scriptEngine(store, way);
    t.after(() => engine.close());
    const limits = { memory: 48 << 20, processes: 24 };
    const options = { image: BASE, environment, folder: '/luetbuild', network: 'host', ...limits };
    const list = (): string[] =>
      readFileSync(join(onlyRun(store), GROUP_LIST), 'utf8')
        .trim()
        .split('\n');
    const workspace = await engine.open(options);
    for (const folder of list()) assert.ok(existsSync(folder));
    const hungry = 'x=aaaaaaaa; while :; do x=$x$x; done';
    await assert.rejects(workspace.run(hungry, silent), (error: unknown) => {
      assert.ok(error instanceof EngineError, String(error));
      assert.deepEqual([error.kind, error.limit], ['out-of-memory', limits.memory], error.message);
      assert.match(error.message, /the limit is 48 MiB/);
      return true;
    });
    const crowd = 'i=0; while [ $i -lt 100 ]; do sleep 60 & i=$((i+1)); done';
    assert.notEqual(await workspace.run(crowd, silent), 0);
    assert.equal(await workspace.run('for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; exit 5', silent), 5);
    await workspace.close();
    for (const folder of list()) assert.ok(!existsSync(folder), `${folder} is left`);
  });

test('a command that fails while others run out of memory fails by itself', {
  skip: notLimited || without('bwrap'),
  timeout: 60_000,
}, async (t) => {
  const engine = scriptEngine(await freshStore(t));
  t.after(() => engine.close());
  const options = { image: BASE, environment, folder: '/luetbuild', network: 'host' };
  const hungry = await engine.open({ ...options, memory: 48 << 20 });
  const failing = await engine.open(options);
  const begun = Promise.withResolvers<void>();
  const code = failing.run('echo begun; sleep 3; exit 3', () => begun.resolve());
  await begun.promise;
  const hunger = 'x=aaaaaaaa; while :; do x=$x$x; done';
  await assert.rejects(hungry.run(hunger, silent), { kind: 'out-of-memory' });
  assert.equal(await code, 3);
});

/** The folder of the only run that a store has. */
function onlyRun(store: string): string {
  const [run = '', ...more] = readdirSync(join(store, 'runs'));
  assert.deepEqual(more, []);
  return join(store, 'runs', run);
}

test('groups of a run that was killed go at the next start', {
  skip: notLimited,
  timeout: 60_000,
}, async (t) => {
  const site = makeSite(t, { a: { build: onBase('echo begun; sleep 1111') }, b: { build: onBase('true') } });
  const words = ['--memory', '64M', '--processes', '40', '--engine', `native:${await freshStore(t)}`];
  const run = site.spawn(['t/a', ...words]);
  await run.until(/\| begun/);
  const [name = ''] = readdirSync(join(site.temporary, 'luet-ts-0'));
  const made = groupsOf(name);
  assert.ok(made.length > 0);
  run.child.kill('SIGKILL');
  await run.ended;
  const next = site.spawn(['t/b', ...words]);
  assert.equal(await next.ended, 0, next.output());
  assert.deepEqual(
    made.filter((folder) => existsSync(folder)),
    [],
  );
});

test('limits are refused before anything is built where no group can be made', {
  skip: notHere || without('bwrap'),
  timeout: 60_000,
}, async (t) => {
  const site = makeSite(t, { a: { build: onBase('true') } });
  const words = [
    '--all',
    '--memory',
    '64M',
    '--processes',
    '40',
    '--engine',
    `native:${await freshStore(t)}`,
  ];
  const hidden = 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"';
  const { status, stderr } = spawnSync(
    'unshare',
    ['-m', 'sh', '-c', hidden, 'sh', luetTs, ...site.words(words)],
    {
      cwd: site.folder,
      env: { PATH: process.env.PATH, TMPDIR: site.temporary, HOME: site.folder },
      encoding: 'utf8',
    },
  );
  assert.equal(status, 1, stderr);
  for (const limited of ['memory', 'processes'])
    assert.match(
      stderr,
      new RegExp(`error\\[no-limit\\]: --${limited}: the engine \\(native\\) cannot limit ${limited}: \\S`),
    );
  assert.deepEqual(existsSync(site.out) ? readdirSync(site.out) : [], []);
});

test('only what bears our name is removed as a group', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-groups-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['other', 'luet-ts-run-1']) mkdirSync(join(folder, name));
  const list = join(folder, GROUP_LIST);
  writeFileSync(list, `${folder}/other\n${folder}/luet-ts-run-1\n${folder}/luet-ts-gone\n\n`);
  await removeGroups(list);
  await removeGroups(join(folder, 'none'));
  assert.deepEqual(readdirSync(folder).sort(), [GROUP_LIST, 'other']);
});

/** Files as the kernel has them in a hierarchy of version 2, below a folder that goes with the test. */
function hierarchy(
  t: TestContext,
  files: Readonly<Record<string, string>>,
): { root: string; own: ReturnType<typeof ownGroups> } {
  const root = mkdtempSync(join(tmpdir(), 'luet-ts-groups-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  const mountinfo = `30 23 0:26 / ${root} rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n`;
  return { root, own: { cgroup: '0::/app.slice/run.scope\n', mountinfo } };
}

const files = {
  'cgroup.procs': '',
  'app.slice/cgroup.procs': '',
  'app.slice/cgroup.subtree_control': 'cpu memory pids\n',
  'app.slice/run.scope/cgroup.controllers': 'cpu memory pids\n',
  'app.slice/run.scope/cgroup.procs': '1\n',
  'app.slice/run.scope/cgroup.type': 'domain\n',
  'app.slice/run.scope/memory.max': 'max\n',
  'app.slice/run.scope/pids.max': 'max\n',
};

test('in a hierarchy of version 2 a group is made beside the own one', (t) => {
  const { root, own } = hierarchy(t, files);
  for (const limited of ['memory', 'processes'] as const)
    assert.deepEqual(placeFor(limited, own), { version: 2, folder: join(root, 'app.slice') });
});

for (const [what, change, says] of [
  ['a limit of its own', { 'app.slice/run.scope/memory.max': '1000000\n' }, /has a limit of its own/],
  [
    'a parent that gives nothing on',
    { 'app.slice/cgroup.subtree_control': 'cpu\n' },
    /does not give the controller memory/,
  ],
  ['no controller', { 'app.slice/run.scope/cgroup.controllers': 'cpu\n' }, /has no controller memory/],
] as const)
  test(`in a hierarchy of version 2 no group is made with ${what}`, (t) => {
    const answer = placeFor('memory', hierarchy(t, { ...files, ...change }).own);
    assert.ok('missing' in answer);
    assert.match(answer.missing, says);
  });

test('at the top of what a container sees there is nothing above the own group', (t) => {
  const { own } = hierarchy(t, { 'top/cgroup.type': 'domain\n', 'top/cgroup.controllers': 'memory\n' });
  const mountinfo = own.mountinfo.replace(' rw,relatime', '/top rw,relatime');
  const answer = placeFor('memory', { cgroup: '0::/\n', mountinfo });
  assert.ok('missing' in answer);
  assert.match(answer.missing, /not below another control group/);
});

test('hierarchies of version 1 that are not mounted, or not where the own group is', () => {
  const cgroup = '8:pids:/\n4:memory:/docker/abc\n0::/\n';
  for (const mountinfo of [
    '',
    '35 31 0:32 /docker/other /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n',
  ]) {
    const answer = placeFor('memory', { cgroup, mountinfo });
    assert.ok('missing' in answer);
    assert.match(answer.missing, /are not mounted where this process sees its own/);
  }
  const none = placeFor('memory', { cgroup: '', mountinfo: '' });
  assert.ok('missing' in none && /no control groups/.test(none.missing));
});

test('a group that cannot be made is told, and leaves nothing', { skip: notLimited }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-groups-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const list = join(folder, GROUP_LIST);
  // More than the kernel counts.
  assert.throws(() => makeGroup({ memory: 64 << 20, processes: 2 ** 40 }, 'test-none', list), EngineError);
  for (const made of readFileSync(list, 'utf8').trim().split('\n')) assert.ok(!existsSync(made), made);
  assert.equal(makeGroup({}, 'test-none', list), undefined);
});
