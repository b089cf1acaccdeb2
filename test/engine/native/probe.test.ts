import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { parseNative } from '../../../src/engine/index.ts';
import { askedWays } from '../../../src/engine/native/find/probe.ts';
import { engineSettings } from '../../../src/library/index.ts';
import { BASE, environment } from '../../support/engine.ts';
import { scriptEngine } from '../../support/engines/native.ts';
import { without } from '../../support/tool.ts';
import { freshStore, notHere } from './support.ts';

const root = join(import.meta.dirname, '../../..');

/** Becomes `"$@"` in a mount namespace that lacks the programs of $HIDDEN. */
const hide = `
folder=$(mktemp -d) && trap 'rmdir "$folder"' EXIT && mount -t tmpfs none "$folder" || exit 1
for place in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin; do
  top=$folder/$(echo $place | tr / _)
  mkdir "$top" "$top/upper" "$top/work" || exit 1
  for program in $HIDDEN; do mknod "$top/upper/$program" c 0 0 || exit 1; done
  mount -t overlay none -o "lowerdir=$place,upperdir=$top/upper,workdir=$top/work" "$place" || exit 1
done
"$@"
code=$?
umount -l "$folder"
exit $code`;

/** Runs a script on this project's modules, where some programs are not installed: what it said. */
function lacking(hidden: readonly string[], script: string): string {
  const words = [
    '-m',
    'sh',
    '-c',
    hide,
    'sh',
    process.execPath,
    '--input-type=module-typescript',
    '-e',
    script,
  ];
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const env = { ...own, HIDDEN: hidden.join(' ') };
  const { status, stdout, stderr } = spawnSync('unshare', words, { cwd: root, env, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return stdout;
}

const work = (store: string): string => `
import { scriptEngine } from './test/support/engines/native.ts';
const engine = scriptEngine('${store}');
const environment = new Map([['PATH', '/bin']]);
const workspace = await engine.open({ image: '${BASE}', environment, folder: '/luetbuild' });
const code = await workspace.run('ps -o pid,args | grep "^ *1 " | grep -c "begu[n] >&4"', (_, chunk) => process.stdout.write(chunk));
await workspace.close();
const { way, trials } = await engine.probe();
const gaps = await engine.isolationGaps();
await engine.close();
console.log(JSON.stringify({ code, way, gaps, reasons: trials.map(({ reason }) => reason) }));`;

test('where bubblewrap is not there the next best is used, also if bubblewrap was found before', {
  skip: notHere || without('bwrap'),
}, async (t) => {
  const store = await freshStore(t);
  const engine = scriptEngine(store);
  const workspace = await engine.open({ image: BASE, environment, folder: '/luetbuild' });
  assert.equal(await workspace.run('true', () => {}), 0);
  await workspace.close();
  await engine.close();
  const next = without('runc') === false ? 'runc' : 'chroot';
  for (const [hidden, maker] of [
    [[], 'bwrap'],
    [next === 'runc' ? ['bwrap', 'crun'] : ['bwrap', 'runc', 'crun'], next],
    [['bwrap', 'runc', 'crun'], 'chroot'],
    // What loads the filter where no program for sandboxes does.
    [['bwrap', 'runc', 'crun', 'perl'], 'chroot'],
  ] as const) {
    const [count, answer = ''] = lacking(hidden, work(store)).trim().split('\n');
    const { way, reasons, gaps } = JSON.parse(answer) as Record<'reasons' | 'gaps', readonly string[]> & {
      way: object;
    };
    const isFiltered = !(hidden as readonly string[]).includes('perl');
    const unfiltered = 'their system calls are not filtered (apt-get install perl-base)';
    assert.deepEqual(gaps, isFiltered ? [] : [unfiltered]);
    assert.deepEqual(way, { kind: 'overlay', maker, freshProc: true, ownName: true });
    // Bubblewrap tells exit codes itself; without it the sandbox's first process does.
    assert.equal(count, maker === 'bwrap' ? '0' : '1');
    if (maker !== 'bwrap') assert.equal(reasons[0], 'bwrap is not installed (apt-get install bubblewrap)');
    assert.equal(reasons.at(-1), '');
  }
});

test('where no new /proc may be mounted, mount and chroot do with the one of this machine, and runc says why not', {
  skip: notHere || without('runc'),
}, (t) => {
  const store = join(mkdtempSync(join(tmpdir(), 'luet-ts-proc-')), 'store');
  t.after(() => rmSync(dirname(store), { recursive: true, force: true }));
  // As in a container that hides something of its /proc.
  const cover = 'mount -t tmpfs none /proc/fs && exec unshare -Ur -m --propagation private "$@"';
  const script = `
import { conformanceBase } from './scripts/base-image.ts';
import { scriptEngine } from './test/support/engines/native.ts';
import { loadBase } from './test/support/engines/setup.ts';
await loadBase('native:${store}', await conformanceBase());
const engine = scriptEngine('${store}', 'chroot');
const environment = new Map([['PATH', '/bin']]);
const workspace = await engine.open({ image: '${BASE}', environment, folder: '/luetbuild' });
const code = await workspace.run('test -e /proc/self/fd && ! echo x >/proc/sys/kernel/hostname', () => {});
await workspace.close();
const { way } = await engine.probe();
await engine.close();
const runc = scriptEngine('${store}', 'runc');
const { trials } = await runc.probe();
await runc.close();
console.log(JSON.stringify({ code, way, reason: trials[0].reason }));`;
  const words = [
    '-m',
    'sh',
    '-c',
    cover,
    'sh',
    process.execPath,
    '--input-type=module-typescript',
    '-e',
    script,
  ];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync('unshare', words, { cwd: root, env, encoding: 'utf8' });
  const answer = /^\{.*\}$/m.exec(stdout)?.[0];
  assert.ok(answer !== undefined, stderr);
  const { code, way, reason } = JSON.parse(answer) as { code: number; way: object; reason: string };
  assert.equal(code, 0);
  assert.deepEqual(way, { kind: 'overlay', maker: 'chroot', freshProc: false, ownName: true });
  assert.match(reason, /^mount: \/proc: permission denied/);
});

test('an address asks for a way that there is, or is none', () => {
  const options = { settings: engineSettings({}, '/h') };
  assert.deepEqual(parseNative('native:/s', options), { folder: '/s', way: undefined, isNamed: true });
  for (const way of askedWays)
    assert.deepEqual(parseNative(`native+${way}:/s`, options), { folder: '/s', way, isNamed: true });
  for (const address of ['native+:/s', 'native+docker:/s', 'native+bwrap+runc', 'natives'])
    assert.equal(parseNative(address, options), undefined);
});
