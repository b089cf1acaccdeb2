import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { beginsApart } from '../../../src/engine/native/filter/index.ts';
import { numbersOf } from '../../../src/engine/native/filter/numbers.ts';
import { PATH } from '../../../src/engine/native/sandbox/starter.ts';
import { without } from '../../support/tool.ts';
import { notHere } from '../native/support.ts';
import { PERL_IMAGE } from './perl-image.ts';
import { inEachWay } from './ways.ts';

/* What a step may ask of the kernel: attacks by system calls that Docker's default profile refuses, and the state that steps are begun in. */

const numbers = numbersOf(process.arch === 'arm64' ? 'arm64' : 'x86_64');

/** Perl that makes a call and prints its name with the error that it gives (`man 3 errno`), or 0. */
const call = (name: string, ...words: readonly string[]): string => {
  // What is passed as text has to be a variable.
  return `@list = (${words.join(', ')}); $was = syscall ${numbers.get(name)}, @list; printf "%s:%s\\n", "${name}", $was == -1 ? $! + 0 : 0`;
};
const EPERM = 1;
const ENOSYS = 38;

const perl = (...lines: readonly string[]): string => `perl -e '$| = 1; ${lines.join('; ')}'`;

/** A new one for a user namespace, and what it could be had by. */
const NEWUSER = 0x10000000;

const attacks: readonly string[] = [
  call('keyctl', '0', '-3', '0'),
  call('keyctl', '1', '0'),
  call('add_key', '"user\\0"', '"luet\\0"', '"x"', '1', '-4'),
  call('request_key', '"user\\0"', '"luet\\0"', '0', '-4'),
  call('io_uring_setup', '8', '"\\0" x 128'),
  call('unshare', `${NEWUSER}`),
  call('clone', `${NEWUSER} | 17`, '0', '0', '0', '0'),
  call('setns', '0', '0'),
  call('mount', '"none\\0"', '"/srv\\0"', '"tmpfs\\0"', '0', '0'),
  call('bpf', '0', '"\\0" x 128', '128'),
  call('perf_event_open', '"\\0" x 128', '0', '-1', '-1', '0'),
  call('userfaultfd', '0'),
  call('open_by_handle_at', '-100', '"\\0" x 128', '0'),
  // A limit of processor time would kill a process of the machine, where they are seen.
  call('prlimit64', 'getppid()', '0', '0', '0'),
  // With the first process stopped the build would wait for good.
  call('ptrace', '16', '1', '0', '0'),
];

/**
 * A program for x86 of 32 bits (its header, and one segment that is all of the file) that asks for its session keyring (`keyctl(0, -3, 0)`, number 288) and exits with the
 * error, or with 99 where it is given one.
 */
const small = (() => {
  const code =
    'b820010000 31db b9fdffffff 31d2 cd80 85c0 7802 eb04 f7d8 eb05 b863000000 89c3 b801000000 cd80';
  const bytes = Buffer.from(code.replaceAll(' ', ''), 'hex');
  const head = Buffer.alloc(84);
  head.write('\x7fELF\x01\x01\x01', 'latin1');
  head.writeUInt32LE(0x00030002, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(0x08048054, 24);
  head.writeUInt32LE(52, 28);
  head.writeUInt32LE(0x00200034, 40);
  head.writeUInt16LE(1, 44);
  const length = 84 + bytes.length;
  [1, 0, 0x08048000, 0x08048000, length, length, 5, 4096].forEach((value, i) => {
    head.writeUInt32LE(value, 52 + 4 * i);
  });
  return Buffer.concat([head, bytes]).toString('hex');
})();

inEachWay(
  'system calls that reach past a sandbox are refused',
  async (_, field) => {
    const steps = [
      perl(...attacks, call('clone3', '"\\0" x 88', '88'), call('getpid')),
      // A kernel that runs no programs of 32 bits has none to filter.
      `perl -e 'open F, ">/small"; print F pack "H*", "${small}"; close F; chmod 0755, "/small"'; /small; echo "small:$?"`,
      'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status || true',
    ];
    const { code, said } = await field.attack(steps, { image: PERL_IMAGE });
    assert.equal(code, 0, said);
    const answers = [...said.matchAll(/\| (\w+:\d+)$/gm)].map(([, answer]) =>
      answer === 'small:126' ? 'small:1' : answer,
    );
    const expected = attacks.map((text) => `${/"(\w+)", \$was/.exec(text)?.[1]}:${EPERM}`);
    assert.deepEqual(answers, [...expected, `clone3:${ENOSYS}`, 'getpid:0', 'small:1']);
    if (!said.includes('Seccomp:')) return;
    assert.match(said, /NoNewPrivs:\s1$/m);
    assert.match(said, /Seccomp:\s2$/m);
  },
  ['./perl-image.ts', 'perlImage'],
);

test('what a run begins has a session keyring of its own', { skip: notHere || without('perl') }, (t) => {
  const ask = (...before: readonly string[]): string => {
    const words = [...before, 'perl', '-e', `print syscall ${numbers.get('keyctl')}, 0, -3, 0`];
    return execFileSync('env', words, { encoding: 'utf8' });
  };
  const own = ask();
  if (Number(own) <= 0) return t.skip('this process has no keyrings itself');
  const others = [ask(...beginsApart(PATH)), ask(...beginsApart(PATH))];
  assert.ok(others.every((one) => Number(one) > 0));
  assert.equal(new Set([own, ...others]).size, 3);
});
