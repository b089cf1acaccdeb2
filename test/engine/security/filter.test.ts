import assert from 'node:assert/strict';
import { numbersOf } from '../../../src/engine/native/filter/numbers.ts';
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
  // With the first process stopped the build would wait for good.
  call('ptrace', '16', '1', '0', '0'),
];

inEachWay(
  'system calls that reach past a sandbox are refused',
  async (_, field) => {
    const steps = [
      perl(...attacks, call('clone3', '"\\0" x 88', '88'), call('getpid')),
      'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status || true',
    ];
    const { code, said } = await field.attack(steps, { image: PERL_IMAGE });
    assert.equal(code, 0, said);
    const answers = [...said.matchAll(/\| (\w+:\d+)$/gm)].map(([, answer]) => answer);
    const expected = attacks.map((text) => `${/"(\w+)", \$was/.exec(text)?.[1]}:${EPERM}`);
    assert.deepEqual(answers, [...expected, `clone3:${ENOSYS}`, 'getpid:0']);
    if (!said.includes('Seccomp:')) return;
    assert.match(said, /NoNewPrivs:\s1$/m);
    assert.match(said, /Seccomp:\s2$/m);
  },
  ['./perl-image.ts', 'perlImage'],
);
