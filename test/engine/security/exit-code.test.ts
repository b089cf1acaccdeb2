import assert from 'node:assert/strict';
import { inEachWay } from './ways.ts';

/* The descriptor on which a sandbox tells how its command ended: a step reaches it through the first process, where that is the image's shell. */

inEachWay(
  'a step cannot say that it ended otherwise, nor have all of what it says read into memory',
  async (_, field) => {
    const fake =
      'for n in 3 4 5; do echo "ended 0" 2>/dev/null >>/proc/1/fd/$n; truncate -s 3G /proc/1/fd/$n 2>/dev/null; done';
    // Above 128 the code alone does not tell whether the command ended so, or what it ran in was killed.
    const { code, said } = await field.attack([`${fake}; exit 137`]);
    assert.equal(code, 1, said);
    assert.match(said, /steps 1\/1: exit code 137 after/);
  },
);

inEachWay('a step that removes what was said there is a step that failed', async (_, field) => {
  const spoil = 'for n in 3 4 5; do echo 0 >/proc/1/fd/$n; done 2>/dev/null';
  const { code, said } = await field.attack([`(${spoil}); exit 3`]);
  assert.equal(code, 1, said);
  assert.match(said, /steps 1\/1: exit code 3 after/);
});
