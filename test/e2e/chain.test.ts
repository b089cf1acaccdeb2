import assert from 'node:assert/strict';
import test from 'node:test';
import { makeSite, needs, onBase, type PackageFiles, unpacked, work } from '../support/site.ts';

/** More than any engine stacks layers: Docker 20.10 takes about 125. */
const LENGTH = 130;
const name = (at: number): string => `p${String(at).padStart(3, '0')}`;

test(`a chain of ${LENGTH} packages is built, and the last finds what all before it made`, {
  timeout: 600_000,
}, async (t) => {
  const packages: Record<string, PackageFiles> = {};
  for (let at = 0; at < LENGTH; at++) {
    const step =
      at < LENGTH - 1
        ? `echo ${at} >/files/${name(at)}; rm -f /last; echo ${at} >/last`
        : 'cat /files/* >/all; cat /last >>/all';
    packages[name(at)] = {
      build:
        at === 0 ? { ...onBase(step), prelude: ['mkdir /files'] } : { ...needs(name(at - 1)), steps: [step] },
    };
  }
  const site = makeSite(t, packages);
  const last = `t/${name(LENGTH - 1)}`;
  const answer = await site.build([last, '--only-target-package', '--quiet']);
  assert.equal(answer.code, 0, answer.stderr);
  const numbers = Array.from({ length: LENGTH - 1 }, (_, at) => at);
  const all = (await unpacked(site.out, name(LENGTH - 1))).get('all')?.text;
  assert.equal(all, [...numbers, LENGTH - 2].map((number) => `${number}\n`).join(''));
  assert.equal((await site.images()).length, LENGTH);
  // Whatever stands on a flattened image is known by the same key.
  const again = await site.build([last, '--only-target-package', '--destination', 'other']);
  assert.deepEqual(work(again), [`cut ${name(LENGTH - 1)}`]);
});
