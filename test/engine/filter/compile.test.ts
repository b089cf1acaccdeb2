import assert from 'node:assert/strict';
import test from 'node:test';
import { allowedCalls, ruledCalls, unknownCalls } from '../../../src/engine/native/filter/calls.ts';
import {
  abisOf,
  codes,
  encode,
  instructionsFor,
  processors,
  verdicts,
} from '../../../src/engine/native/filter/compile.ts';
import { type Abi, numbersOf } from '../../../src/engine/native/filter/numbers.ts';
import { ociFilter } from '../../../src/engine/native/filter/oci.ts';
import { decode, verdictOf } from './machine.ts';

const machines = ['x64', 'arm64'] as const;

const programOf = (machine: string): ReturnType<typeof decode> => {
  const program = instructionsFor(machine);
  assert.ok(program !== undefined);
  return decode(encode(program));
};

/** What a machine's filter says of a call, by name. */
function ask(abi: Abi, call: string | number, ...args: readonly bigint[]): keyof typeof verdicts | 'other' {
  const machine = machines.find((one) => abisOf(one).includes(abi)) ?? '';
  const number = typeof call === 'number' ? call : numbersOf(abi).get(call);
  assert.ok(number !== undefined, `${abi} has no ${call}`);
  const verdict = verdictOf(programOf(machine), { processor: processors[abi], number, args });
  return (
    (Object.keys(verdicts) as (keyof typeof verdicts)[]).find((name) => verdicts[name] === verdict) ?? 'other'
  );
}

test('the kernel takes the filters: jumps lead forwards to what is there, and they end', () => {
  for (const machine of machines) {
    const program = programOf(machine);
    assert.ok(program.length <= 4096);
    assert.equal(program.at(-1)?.code, codes.answer);
    program.forEach(({ code, jt, jf, k }, i) => {
      if (code === codes.answer || code === codes.load) return;
      const furthest = code === codes.jump ? k : Math.max(jt, jf);
      assert.ok(i + 1 + furthest < program.length, `instruction ${i}`);
    });
  }
});

test('each call of each ABI is decided as the list says, and what has no number is unknown', () => {
  for (const machine of machines)
    for (const abi of abisOf(machine)) {
      const program = programOf(machine);
      const names = new Map([...numbersOf(abi)].map(([name, number]) => [number, name]));
      const numbers = [
        ...Array(600).keys(),
        ...names.keys(),
        0xf0000,
        0xf0007,
        0x40000000,
        0x40000101,
        0xffffffff,
      ];
      for (const number of numbers) {
        const name = names.get(number) ?? '';
        if (name in ruledCalls) continue;
        const expected =
          name === '' || unknownCalls.includes(name)
            ? 'unknown'
            : allowedCalls.includes(name)
              ? 'allow'
              : 'refuse';
        const verdict = verdictOf(program, { processor: processors[abi], number });
        assert.equal(verdict, verdicts[expected], `${abi} ${number} ${name}`);
      }
    }
});

test('numbers are those of the kernel', () => {
  // One at each end of every table, and where a table has gaps (asm/unistd.h).
  const known: Readonly<Record<Abi, Readonly<Record<string, number>>>> = {
    x86_64: {
      read: 0,
      execve: 59,
      keyctl: 250,
      unshare: 272,
      io_pgetevents: 333,
      io_uring_setup: 425,
      clone3: 435,
    },
    i386: {
      restart_syscall: 0,
      execve: 11,
      socketcall: 102,
      keyctl: 288,
      unshare: 310,
      clock_gettime64: 403,
    },
    arm64: { io_setup: 0, execve: 221, keyctl: 219, unshare: 97, kexec_file_load: 294, io_uring_setup: 425 },
    arm: {
      restart_syscall: 0,
      execve: 11,
      keyctl: 311,
      unshare: 337,
      clock_gettime64: 403,
      set_tls: 0xf0005,
    },
  };
  for (const [abi, calls] of Object.entries(known))
    for (const [name, number] of Object.entries(calls))
      assert.equal(numbersOf(abi as Abi).get(name), number, name);
  for (const abi of ['x86_64', 'i386', 'arm64', 'arm'] as const) {
    const numbers = [...numbersOf(abi).values()];
    assert.deepEqual(
      numbers,
      [...new Set(numbers)].sort((a, b) => a - b),
      abi,
    );
  }
});

test('the names that the list has are names of calls', () => {
  const known = new Set(
    (['x86_64', 'i386', 'arm64', 'arm'] as const).flatMap((abi) => [...numbersOf(abi).keys()]),
  );
  const listed = [...allowedCalls, ...Object.keys(ruledCalls), ...unknownCalls];
  assert.deepEqual(
    listed.filter((name) => !known.has(name)),
    [],
  );
  assert.equal(new Set(listed).size, listed.length, 'a name is there twice');
});

test('what reaches past a sandbox is refused, in each ABI', () => {
  const refused =
    'keyctl add_key request_key io_uring_setup io_uring_enter io_uring_register unshare setns mount umount2 pivot_root fsopen fsmount move_mount open_tree mount_setattr open_by_handle_at bpf perf_event_open userfaultfd kcmp pidfd_getfd process_madvise init_module finit_module delete_module kexec_load reboot swapon swapoff acct settimeofday clock_settime sethostname setdomainname syslog quotactl';
  for (const abi of ['x86_64', 'i386', 'arm64', 'arm'] as const)
    for (const name of refused.split(' '))
      if (numbersOf(abi).has(name)) assert.equal(ask(abi, name), 'refuse', `${abi} ${name}`);
});

test('by their arguments: namespaces, personalities, sockets, and the first process', () => {
  for (const abi of ['x86_64', 'i386', 'arm64', 'arm'] as const) {
    const thread = 0x3d0f00n;
    assert.equal(ask(abi, 'clone', thread), 'allow');
    assert.equal(ask(abi, 'clone', 17n), 'allow');
    for (const namespace of [
      0x20000n,
      0x2000000n,
      0x4000000n,
      0x8000000n,
      0x10000000n,
      0x20000000n,
      0x40000000n,
    ]) {
      assert.equal(ask(abi, 'clone', namespace | 17n), 'refuse', `clone ${namespace}`);
      assert.equal(ask(abi, 'clone', namespace | thread | (1n << 40n)), 'refuse');
    }
    for (const one of [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn, -1n])
      assert.equal(ask(abi, 'personality', one), 'allow');
    for (const one of [1n, 0x40000n, 0x400000n, 0x20009n])
      assert.equal(ask(abi, 'personality', one), 'refuse');
    for (const family of [1n, 2n, 10n, 16n, 17n]) assert.equal(ask(abi, 'socket', family), 'allow');
    // The kernel takes the lower half alone, and so does the filter.
    for (const family of [40n, 40n | (1n << 32n)]) assert.equal(ask(abi, 'socket', family), 'refuse');
    assert.equal(ask(abi, 'ptrace', 16n, 2n), 'allow');
    for (const pid of [1n, 1n | (1n << 32n)]) assert.equal(ask(abi, 'ptrace', 16n, pid), 'refuse');
  }
});

test('another ABI than those of the machine can make no call', () => {
  const program = programOf('x64');
  assert.equal(verdictOf(program, { processor: processors.arm64, number: 0 }), verdicts.unknown);
  // x32: calls of 64 bits with pointers of 32.
  assert.equal(ask('x86_64', 0x40000000), 'unknown');
  assert.equal(instructionsFor('riscv64'), undefined);
});

/** A rule of an OCI runtime's list. */
interface Rule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { index: number; op: string; value: number; valueTwo?: number }[];
}

/** What such a list says of a call: the rules that hold may not contradict each other. */
function ociVerdict(syscalls: readonly Rule[], name: string, args: readonly bigint[]): string {
  const holds = ({ args: rules = [] }: Rule): boolean =>
    rules.every(({ index, op, value, valueTwo = 0 }) => {
      const given = BigInt.asUintN(64, args[index] ?? 0n);
      if (op === 'SCMP_CMP_MASKED_EQ') return (given & BigInt(value)) === BigInt(valueTwo);
      return (given === BigInt(value)) === (op === 'SCMP_CMP_EQ');
    });
  const found = new Set(
    syscalls
      .filter(holds)
      .map(({ action, errnoRet }) => (action === 'SCMP_ACT_ALLOW' ? 'allow' : `errno ${errnoRet}`)),
  );
  assert.ok(found.size <= 1, `${name}: ${[...found]}`);
  return [...found][0] ?? 'errno 38';
}

test('an OCI runtime is given the same list', () => {
  const { syscalls } = ociFilter('x64') as { syscalls: readonly Rule[] };
  const program = programOf('x64');
  for (const [name, number] of numbersOf('x86_64')) {
    const rules = syscalls.filter(({ names }) => names.includes(name));
    for (const args of [[], [17n], [0x10000011n], [8n, 1n], [40n, 2n], [0x7e020000n, 7n], [3n, 1n]]) {
      const call = { processor: processors.x86_64, number, args };
      const verdict = verdictOf(program, call);
      const oci = ociVerdict(rules, name, args);
      // Families that the kernel does not know it refuses itself.
      if (name === 'socket' && (args[0] ?? 0n) > 46n) continue;
      if (verdict === verdicts.allow) assert.equal(oci, 'allow', `${name} ${args}`);
      else assert.match(oci, /^errno (1|38)$/, `${name} ${args}`);
    }
  }
});
