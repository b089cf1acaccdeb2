import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
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
import { setTimeout } from 'node:timers/promises';
import { wallsHere } from '../../../src/engine/native/find/walls.ts';
import { gaps, jailWords, type Walls } from '../../../src/engine/native/sandbox/jail.ts';
import { makeSite, onBase, written } from '../../support/site.ts';
import { without } from '../../support/tool.ts';
import { notHere } from '../native/support.ts';
import { contained } from './containers.ts';
import { inEachWay } from './ways.ts';

/* Steps against the machine that they run on: its files, its processes, its devices. */

/** A process of the machine that is not luet-ts's. */
function bystander(t: TestContext): ChildProcess {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  t.after(() => void child.kill('SIGKILL'));
  return child;
}

/** Processes of the machine with these words, by their ids. */
function running(words: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim() === words;
    } catch {
      return false;
    }
  });
}

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-isolation-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

let count = 0;

inEachWay(
  'no step kills what is not its own, leaves a process, or reads a disk or packets',
  async (t, field) => {
    const victim = bystander(t);
    const left = `sleep ${process.pid}${count++}`;
    const [disk = '8:0'] = readdirSync('/sys/dev/block');
    const steps = [
      `kill -9 ${victim.pid} && echo killed; kill -9 ${process.pid} && echo killed; kill -9 $PPID; echo went on`,
      `(setsid ${left} &); (trap "" TERM HUP INT; ${left} &); (setsid sh -c "${left}; ${left}" &); echo left`,
      `mknod /disk b ${disk.replace(':', ' ')} && head -c 1 /disk >/byte && echo read; rm -f /disk; echo tried`,
      // Where nothing but chroot holds a step, it would be out by another one.
      `if ! [ -e /proc/self ]; then mkdir -p /x/bin; cp /bin/busybox /x/bin/sh; chroot /x /bin/sh -c : && echo out; rm -r /x; fi; echo done`,
      'if [ -e /proc/self ]; then grep CapEff /proc/self/status; else ping -c 1 -w 1 127.0.0.1 2>&1; fi; :',
    ];
    const { code, said } = await field.attack(steps, { words: ['--network', 'host'] });
    // Where the step has killed what runs it, that is how it ends.
    if (!/^.*went on$/m.test(said)) assert.notEqual(code, 0, said);
    assert.doesNotMatch(said, /^t\/\S+ \| (?:killed|read|out)$/m);
    // Bit 13 is CAP_NET_RAW, which a socket for packets takes.
    const effective = /CapEff:\s*([0-9a-f]+)/.exec(said)?.[1] ?? '0';
    assert.equal((BigInt(`0x${effective}`) >> 13n) & 1n, 0n, said);
    assert.doesNotMatch(said, /bytes from 127/);
    assert.deepEqual([victim.exitCode, victim.signalCode], [null, null]);
    for (let wait = 0; wait < 50 && running(left).length > 0; wait++) await setTimeout(20);
    assert.deepEqual(running(left), []);
  },
);

inEachWay(
  'no link that a step puts in the place of a folder leads luet-ts out of the root',
  async (t, field) => {
    const outside = emptyFolder(t);
    for (const name of ['etc', 'dev']) mkdirSync(join(outside, name));
    for (const name of ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'dev/null', 'dev/zero'])
      writeFileSync(join(outside, name), `its own ${name}`);
    for (const name of ['etc', 'dev']) {
      const { said } = await field.attack([
        `mv /${name} /old; ln -s ${outside}/${name} /${name}; echo moved`,
      ]);
      assert.match(said, /^.*moved$/m);
    }
    const left = (name: string): string[] => readdirSync(join(outside, name)).sort();
    assert.deepEqual(
      [left('etc'), left('dev')],
      [
        ['hostname', 'hosts', 'resolv.conf'],
        ['null', 'zero'],
      ],
    );
    for (const name of ['etc/hosts', 'dev/null'])
      assert.equal(readFileSync(join(outside, name), 'utf8'), `its own ${name}`);
  },
);

/** Runs Perl on the machine's programs behind walls; what it said, and how it ended. */
function jailed(walls: Walls, script: string): { said: string; status: number | null } {
  const [program = '', ...words] = jailWords('/usr', walls);
  const begin = `exec 9</; exec "$@"`;
  const { stdout, stderr, status } = spawnSync(
    'sh',
    ['-c', begin, 'sh', program, ...words, '/bin/perl', '-'],
    { encoding: 'utf8', timeout: 60_000, input: script, env: { PATH: process.env.PATH, LC_ALL: 'C' } },
  );
  return { said: stdout + stderr, status };
}

const bare =
  notHere || without('perl') || (existsSync('/usr/lib64') ? false : 'programs are not all in /usr');

test('behind the walls of a mere chroot, whichever there are, a program does not get out', {
  skip: bare,
}, async (t) => {
  const found = await wallsHere(emptyFolder(t));
  assert.ok(found.perl && found.capabilities);
  const victim = bystander(t);
  const alternatives: Walls[] = [found, { ...found, namespaces: false }, { ...found, landlock: 0 }];
  for (const walls of alternatives) {
    const name = JSON.stringify(walls);
    const isConfined = walls.landlock > 0;
    const signals = walls.namespaces || walls.landlock >= 6;
    // The old way out: a folder outside of the root of the moment.
    const out = jailed(walls, 'mkdir "/tmp-none"; chroot "/bin" and print "out\n"; print "$!\n"');
    assert.match(out.said, /^(?:Operation not permitted|Permission denied)$/m, name);
    // A folder outside that is open already (descriptor 9): Landlock alone knows that it is none of the root's.
    const openat = process.arch === 'arm64' ? 56 : 257;
    const path = 'my $path = "etc/hostname";';
    const through = jailed(walls, `${path} print syscall(${openat}, 9, $path, 0) < 0 ? "no" : "read", "\\n"`);
    assert.equal(through.said, isConfined ? 'no\n' : 'read\n', name);
    if (signals) {
      const kill = jailed(walls, `print kill(9, ${victim.pid}) + kill(9, ${process.pid}), "\\n"`);
      assert.equal(kill.said, '0\n', name);
    }
    if (isConfined || walls.namespaces) {
      const ptrace = process.arch === 'arm64' ? 117 : 101;
      const trace = jailed(
        walls,
        `print syscall(${ptrace}, 16, ${victim.pid}, 0, 0) < 0 ? "no" : "yes", "\\n"`,
      );
      assert.equal(trace.said, 'no\n', name);
    }
    // What it leaves, of whatever owner, ends; and a signal's end is told as a shell tells it.
    const left = `sleep ${process.pid}9${count++}`;
    const leave = `for my $user (0, 1234) { if (!fork) { $> = $< = $user; exec "/bin/setsid", qw(${left}) } } select undef, undef, undef, 0.2; kill 15, $$`;
    assert.equal(jailed(walls, leave).status, 128 + 15, name);
    assert.deepEqual(running(left), [], name);
  }
  assert.deepEqual([victim.exitCode, victim.signalCode], [null, null]);
});

test('what is missing of the walls is said', () => {
  const all: Walls = { perl: true, capabilities: true, namespaces: true, landlock: 7, guardedDevices: true };
  assert.deepEqual(gaps(all), []);
  assert.deepEqual(gaps({ ...all, namespaces: false }), []);
  for (const less of [
    { perl: false },
    { landlock: 0 },
    { landlock: 5, namespaces: false },
    { guardedDevices: false },
  ])
    assert.equal(gaps({ ...all, ...less }).length, 1, JSON.stringify(less));
});

const timeout = 120_000;

/** A store with the base image that a root of a container has made. */
function storeMadeUnder(t: TestContext, under: readonly string[]): string {
  const store = join(emptyFolder(t), 'store');
  const load = `import { conformanceBase } from './scripts/base-image.ts'; import { loadBase } from './test/support/engines/setup.ts'; await loadBase('native:${store}', await conformanceBase());`;
  const [program = '', ...words] = [...under, process.execPath, '--input-type=module-typescript', '-e', load];
  const { status, stderr } = spawnSync(program, words, {
    cwd: join(import.meta.dirname, '../../..'),
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return store;
}

test('root of a container that gives user namespaces works in one, with the owners that files have outside', {
  skip: notHere || without('bwrap'),
  timeout,
}, async (t) => {
  const victim = bystander(t);
  const steps = [
    `kill -9 ${victim.pid} && echo killed; mkdir /opt; echo a >/opt/a; chown 1234:70000 /opt/a; ls -ln /opt; cat /proc/self/uid_map`,
  ];
  const site = makeSite(t, { own: { build: onBase(...steps) } });
  const under = contained(t, 'unconfined');
  const store = storeMadeUnder(t, under);
  const flags = ['--all', '--debug', '--isolation', 'required', '--network', 'host'];
  for (const [way, isOverlay] of [
    ['native', true],
    ['native+copy', false],
  ] as const) {
    const site2 = ['--engine', `${way}:${store}`, '--rebuild', 't/own'];
    const run = site.spawn([...flags, ...site2], {}, under);
    assert.equal(await run.ended, 0, run.output());
    assert.match(run.output(), /1234 +70000 .* a$/m);
    assert.match(run.output(), /\| +0 +0 +4294967295$/m);
    assert.doesNotMatch(run.output(), /\| killed$|not isolated/m);
    const known = JSON.parse(readFileSync(join(store, 'way.json'), 'utf8')) as {
      way: { kind: string };
    };
    if (isOverlay) assert.equal(known.way.kind, 'overlay');
  }
  assert.equal(written(site.out).size, 2);
  assert.deepEqual([victim.exitCode, victim.signalCode], [null, null]);
});

test('where nothing but chroot can be had a build says in one line what that leaves open, and is refused if isolation is required', {
  skip: notHere || without('bwrap'),
  timeout,
}, async (t) => {
  const site = makeSite(t, {
    one: { build: onBase('mkdir /opt; echo 1 >/opt/one; ls /proc; echo stepped') },
    two: { build: onBase('mkdir /opt; echo 2 >/opt/two') },
  });
  const under = contained(t, 'default');
  const flags = ['--all', '--debug', '--network', 'host', '--engine', `native:${storeMadeUnder(t, under)}`];
  const refused = site.spawn([...flags, '--isolation', 'required'], {}, under);
  assert.equal(await refused.ended, 1, refused.output());
  const gap = 'they can open devices that an image has';
  assert.match(refused.output(), new RegExp(`error\\[not-isolated\\]: --isolation required: .*${gap}`));
  assert.doesNotMatch(refused.output(), /stepped/);
  assert.equal(written(site.out).size, 0);
  const run = site.spawn(flags, {}, under);
  assert.equal(await run.ended, 0, run.output());
  const notes = run.output().match(/^note: steps are not isolated here: .*$/gm) ?? [];
  assert.equal(notes.length, 1, run.output());
  assert.ok(notes[0]?.includes(gap), notes[0]);
  assert.match(run.output(), /stepped/);
  // Nothing runs, so nothing has to be said.
  const again = site.spawn(flags, {}, under);
  assert.equal(await again.ended, 0, again.output());
  assert.doesNotMatch(again.output(), /not isolated/);
});
