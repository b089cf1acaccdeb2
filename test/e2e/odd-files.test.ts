import assert from 'node:assert/strict';
import test, { after, before, describe } from 'node:test';
import type { CliAnswer } from '../support/cli.ts';
import { testEngine } from '../support/engine.ts';
import { filesOf, makeSite, onBase, unpacked } from '../support/site.ts';

/** Makes a path of about 4085 bytes, which only relative steps reach: as configure scripts of gnulib do. */
const DEEP =
  'mkdir /deep && cd /deep && i=0; d=$(printf "d%.0s" $(seq 1 135)); while [ $i -lt 30 ]; do mkdir $d && cd $d; i=$((i+1)); done; echo leaf >leaf; echo x >/x';
const SIZE = 80 << 20;

const engine = await testEngine();
const isPodman = (await engine.report()).name === 'Podman';
await engine.close();

describe('files that are unusual', () => {
  const site = makeSite(
    { after },
    {
      deep: { build: { ...onBase(DEEP), excludes: ['^/deep'] } },
      tidied: { build: onBase(DEEP, 'rm -rf /deep') },
      sparse: { build: onBase(`mkdir -p /var/log; truncate -s ${SIZE} /var/log/lastlog; echo y >/y`) },
      excluded: { build: { ...onBase(`truncate -s ${SIZE} /lastlog; echo z >/z`), excludes: ['^/lastlog'] } },
    },
  );
  let answer: CliAnswer;
  before(async () => {
    answer = await site.build(['--all', '--keep-going']);
  });

  test('a path that is too long is named as steps know it, even where it is excluded', {
    skip: isPodman && 'not tried on podman',
  }, async () => {
    assert.equal(answer.code, 1);
    assert.match(
      answer.stderr,
      /error\[engine-failed\]: t\/deep-1: the path "\/deep\/d+…" has 40\d\d bytes and cannot be read/,
    );
    assert.match(answer.stderr, /hint: .*rm -rf \/deep/);
    assert.doesNotMatch(answer.stderr, /ENAMETOOLONG|layers\/|overlay2/);
    assert.deepEqual(await filesOf(site.out, 'tidied'), ['x']);
  });

  test('a sparse file is packaged in full, and said to be sparse before', async () => {
    assert.match(
      answer.stderr,
      /t\/sparse-1: .*"\/var\/log\/lastlog" is sparse: of its 83\.9 MB, 0 B are stored/,
    );
    assert.doesNotMatch(answer.stderr, /t\/excluded-1: .*sparse/);
    const entries = await unpacked(site.out, 'sparse');
    assert.equal(entries.get('var/log/lastlog')?.entry.size, SIZE);
  });
});
