import { type ArgumentRule, allowedCalls, ruledCalls, unknownCalls } from './calls.ts';
import { abisOf } from './compile.ts';
import { type Abi, numbersOf } from './numbers.ts';

/** The OCI runtime specification's names of ABIs. */
const architectures: Readonly<Record<Abi, string>> = {
  x86_64: 'SCMP_ARCH_X86_64',
  i386: 'SCMP_ARCH_X86',
  arm64: 'SCMP_ARCH_AARCH64',
  arm: 'SCMP_ARCH_ARM',
};

const EPERM = 1;
const ENOSYS = 38;

/** The number of families of sockets (`AF_MAX` of `linux/socket.h`, Linux 6.17). */
const FAMILIES = 46;

interface Comparison {
  readonly index: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_NE' | 'SCMP_CMP_MASKED_EQ';
  readonly value: number;
  readonly valueTwo?: number;
}

/**
 * Comparisons of which one must hold for a call to be allowed, or of which one holds if it is refused with
 * EPERM.
 */
function comparisons(name: string, { argument, test, values }: ArgumentRule): [Comparison[], Comparison[]] {
  const index = argument;
  // For the kernel, too, only the lower half counts.
  const isLow = (value: number, mask = 0xffffffff): Comparison =>
    ({ index, op: 'SCMP_CMP_MASKED_EQ', value: mask, valueTwo: value }) as const;
  if (test === 'no-bit-of') {
    const bits = values.flatMap((value) =>
      Array.from({ length: 32 }, (_, i) => 2 ** i).filter((bit) => Math.floor(value / bit) % 2 === 1),
    );
    return [values.map((value) => isLow(0, value)), bits.map((bit) => isLow(bit, bit))];
  }
  const isOther = (value: number): Comparison => ({ index, op: 'SCMP_CMP_NE', value });
  // Other values than several cannot be told in one comparison: they are answered with ENOSYS.
  if (test === 'one-of')
    return [values.map((value) => isLow(value)), values.length === 1 ? values.map(isOther) : []];
  // A runtime's list cannot say that a half is none of some values. Sockets have few other values, and a
  // process that writes another half harms only itself.
  const others = Array.from({ length: FAMILIES }, (_, family) => family).filter(
    (one) => !values.includes(one),
  );
  const allowed: Comparison[] =
    name === 'socket' ? others.map((family) => isLow(family)) : values.map(isOther);
  const refused: Comparison[] =
    name === 'socket'
      ? values.map((value) => isLow(value))
      : values.map((value) => ({ index, op: 'SCMP_CMP_EQ', value }));
  return [allowed, refused];
}

/**
 * The filter of system calls in the form of OCI runtimes (`linux.seccomp` of `config.json`); undefined where
 * there is no list for this processor. Calls that neither this list nor the runtime's library knows are
 * answered with ENOSYS.
 */
export function ociFilter(machine: string): object | undefined {
  const abis = abisOf(machine);
  if (abis.length === 0) return undefined;
  const filter = filters.get(machine) ?? make(abis);
  filters.set(machine, filter);
  return filter;
}

const filters = new Map<string, object>();

function make(abis: readonly Abi[]): object {
  const known = new Set(abis.flatMap((abi) => [...numbersOf(abi).keys()]));
  const others = new Set([...allowedCalls, ...Object.keys(ruledCalls), ...unknownCalls]);
  const allow = (names: readonly string[], args?: readonly Comparison[]): object => ({
    names,
    action: 'SCMP_ACT_ALLOW',
    ...(args === undefined ? {} : { args }),
  });
  const refuse = (names: readonly string[], args?: readonly Comparison[]): object => ({
    names,
    action: 'SCMP_ACT_ERRNO',
    errnoRet: EPERM,
    ...(args === undefined ? {} : { args }),
  });
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: ENOSYS,
    architectures: abis.map((abi) => architectures[abi]),
    syscalls: [
      allow(allowedCalls.filter((name) => known.has(name))),
      refuse([...known].filter((name) => !others.has(name))),
      ...Object.entries(ruledCalls).flatMap(([name, rule]) => {
        const [allowed, refused] = comparisons(name, rule);
        // One comparison in each rule, because all comparisons of a rule would have to hold.
        return [
          ...allowed.map((one) => allow([name], [one])),
          ...refused.map((one) => refuse([name], [one])),
        ];
      }),
    ],
  };
}
