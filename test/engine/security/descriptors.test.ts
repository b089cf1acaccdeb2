import assert from 'node:assert/strict';
import { inEachWay } from './ways.ts';

/*
 * What a caller left open is for no step to have: with a descriptor on a folder of the machine, a step is out of its root by `chroot /proc/self/fd/N`, or
 * reads a secret that was handed to somebody else.
 */

/** The first are those that a shell can close, the last those that Node leaves behind the first gap; and those around numbers of luet-ts's own. */
const sparse = [3, 4, 5, 9, 11, 17, 64, 88, 255, 300];
const dense = Array.from({ length: 298 }, (_, i) => i + 3);

/** Says which descriptors above 2 the shell has: it is begun with them alone. */
const look = 'for n in $(seq 3 310); do if (: <&$n) 2>/dev/null; then echo "has $n"; fi; done; echo looked';

inEachWay('no step has a descriptor that the caller left open', async (_, field) => {
  for (const descriptors of [sparse, dense]) {
    const { code, said } = await field.attack([look, 'if [ -d /proc/self/fd/88 ]; then echo out; fi'], {
      descriptors,
    });
    assert.equal(code, 0, said);
    assert.match(said, /^.*looked$/m);
    assert.deepEqual(said.match(/(has \d+|\bout)$/gm) ?? [], [], `with ${descriptors.length} left open`);
  }
  // What a word of the command line names is read, and no step has it.
  const steps = ['echo "answer {{ .Values.answer }}"; (: <&90) 2>/dev/null && cat <&90; echo read'];
  const { code, said } = await field.attack(steps, { text: 'answer: 42', words: ['--values', '/dev/fd/90'] });
  assert.equal(code, 0, said);
  assert.match(said, /answer 42\n.*read$/m);
});
