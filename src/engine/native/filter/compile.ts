import { type ArgumentRule, allowedCalls, ruledCalls, unknownCalls } from './calls.ts';
import { type Abi, numbersOf } from './numbers.ts';

/** An instruction of the kernel's filter machine (`struct sock_filter` of `linux/filter.h`). */
export interface Instruction {
  readonly code: number;
  /** How many instructions are skipped if a comparison holds, and if it does not; at most 255. */
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/**
 * Codes of instructions: load a word of the call's data; jump; jump if the word is equal, is at least, or has
 * a bit; return.
 */
export const codes = {
  load: 0x20,
  jump: 0x05,
  equal: 0x15,
  atLeast: 0x35,
  anyBit: 0x45,
  answer: 0x06,
} as const;

/**
 * Offsets in the data of a call (`struct seccomp_data`); of an argument, the lower half on the processors
 * here.
 */
const CALL = 0;
const PROCESSOR = 4;
const argumentAt = (index: number): number => 16 + 8 * index;

/** Results for the kernel (`man 2 seccomp`): allow the call, or answer with EPERM or ENOSYS. */
export const verdicts = { allow: 0x7fff0000, refuse: 0x00050001, unknown: 0x00050026 } as const;

/** What happens with a call. */
type Decision = keyof typeof verdicts | ArgumentRule;

/** The kernel's names of ABIs (`AUDIT_ARCH_…` of `linux/audit.h`). */
export const processors: Readonly<Record<Abi, number>> = {
  x86_64: 0xc000003e,
  i386: 0x40000003,
  arm64: 0xc00000b7,
  arm: 0x40000028,
};

/**
 * The ABIs of programs on a machine, by Node's name of its processor; none for processors without a list
 * here.
 */
export const abisOf = (machine: string): readonly Abi[] =>
  machine === 'x64' ? ['x86_64', 'i386'] : machine === 'arm64' ? ['arm64', 'arm'] : [];

const at = (code: number, k: number, jt = 0, jf = 0): Instruction => ({ code, jt, jf, k });
const answer = (verdict: keyof typeof verdicts): Instruction => at(codes.answer, verdicts[verdict]);

/** The decision for each call of an ABI, in the order of their numbers. */
function decisionsOf(abi: Abi): [number, Decision][] {
  const allowed = new Set(allowedCalls);
  const unknown = new Set(unknownCalls);
  const decide = (name: string): Decision => {
    if (allowed.has(name)) return 'allow';
    return ruledCalls[name] ?? (unknown.has(name) ? 'unknown' : 'refuse');
  };
  return [...numbersOf(abi)].map(([name, number]) => [number, decide(name)]);
}

/** A range of numbers with the same decision; it ends where the next begins. */
interface Stretch {
  readonly from: number;
  readonly decision: Decision;
}

/** The ranges from 0 to the highest number; numbers without a name are unknown. */
function stretchesOf(decisions: readonly (readonly [number, Decision])[]): Stretch[] {
  const stretches: Stretch[] = [];
  let next = 0;
  const add = (from: number, decision: Decision): void => {
    if (stretches.at(-1)?.decision !== decision) stretches.push({ from, decision });
  };
  for (const [number, decision] of decisions) {
    if (number > next) add(next, 'unknown');
    add(number, decision);
    next = number + 1;
  }
  add(next, 'unknown');
  return stretches;
}

/** Instructions that decide by an argument. */
function decideBy({ argument, test, values }: ArgumentRule): Instruction[] {
  const compare = test === 'no-bit-of' ? codes.anyBit : codes.equal;
  const [met, otherwise] =
    test === 'one-of' ? (['allow', 'refuse'] as const) : (['refuse', 'allow'] as const);
  return [
    at(codes.load, argumentAt(argument)),
    // The result of calls that do not pass comes after the comparisons, then that of calls that do.
    ...values.map((value, i) => at(compare, value, values.length - i, 0)),
    answer(otherwise),
    answer(met),
  ];
}

/** Instructions that find the range of a call's number by bisection. */
function search(stretches: readonly Stretch[]): Instruction[] {
  const [first, ...others] = stretches;
  if (first === undefined) return [answer('unknown')];
  if (others.length === 0)
    return typeof first.decision === 'string' ? [answer(first.decision)] : decideBy(first.decision);
  const middle = stretches.length >> 1;
  const [low, high] = [search(stretches.slice(0, middle)), search(stretches.slice(middle))];
  const pivot = stretches[middle]?.from ?? 0;
  if (low.length <= 255) return [at(codes.atLeast, pivot, low.length, 0), ...low, ...high];
  return [at(codes.atLeast, pivot, 0, 1), at(codes.jump, low.length), ...low, ...high];
}

/** The filter for a machine; undefined where there is no list for it. */
export function instructionsFor(machine: string): Instruction[] | undefined {
  const abis = abisOf(machine);
  if (abis.length === 0) return undefined;
  const program = [at(codes.load, PROCESSOR)];
  for (const abi of abis) {
    const part = [at(codes.load, CALL), ...search(stretchesOf(decisionsOf(abi)))];
    program.push(at(codes.equal, processors[abi], 1, 0), at(codes.jump, part.length), ...part);
  }
  return [...program, answer('unknown')];
}

/** Instructions in the kernel's form, on the processors here. */
export function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, jt, jf, k }, i) => {
    bytes.writeUInt32LE(code + jt * 0x10000 + jf * 0x1000000, i * 8);
    bytes.writeUInt32LE(k, i * 8 + 4);
  });
  return bytes;
}
