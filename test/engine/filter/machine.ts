import { codes, type Instruction } from '../../../src/engine/native/filter/compile.ts';

/** A call as filters see it (`struct seccomp_data`). */
export interface Call {
  readonly processor: number;
  readonly number: number;
  readonly args?: readonly bigint[];
}

/** Instructions of a filter, from its bytes (`struct sock_filter`). */
export function decode(bytes: Buffer): Instruction[] {
  return Array.from({ length: bytes.length / 8 }, (_, i) => ({
    code: bytes.readUInt16LE(i * 8),
    jt: bytes.readUInt8(i * 8 + 2),
    jf: bytes.readUInt8(i * 8 + 3),
    k: bytes.readUInt32LE(i * 8 + 4),
  }));
}

function dataOf({ processor, number, args = [] }: Call): Buffer {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(processor, 4);
  args.forEach((value, i) => {
    data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * i);
  });
  return data;
}

/** Runs a filter on a call as the kernel does: its answer. Throws where the kernel would not take the filter. */
export function verdictOf(program: readonly Instruction[], call: Call): number {
  const data = dataOf(call);
  let accumulator = 0;
  for (let at = 0; ; at++) {
    const instruction = program[at];
    if (instruction === undefined) throw new Error(`runs out of the program at ${at}`);
    const { code, jt, jf, k } = instruction;
    if (code === codes.answer) return k;
    if (code === codes.load) {
      if (k % 4 !== 0 || k > 60) throw new Error(`loads from ${k}`);
      accumulator = data.readUInt32LE(k);
    } else if (code === codes.jump) at += k;
    else if (code === codes.equal) at += accumulator === k ? jt : jf;
    else if (code === codes.atLeast) at += accumulator >= k ? jt : jf;
    else if (code === codes.anyBit) at += (accumulator & k) !== 0 ? jt : jf;
    else throw new Error(`no instruction: ${code}`);
  }
}
