import assert from 'node:assert/strict';
import { lstatSync } from 'node:fs';
import { PERL_IMAGE } from './perl-image.ts';
import { inEachWay } from './ways.ts';

/*
 * Devices: one that a step makes would be the machine's disk, wherever it is made; and those that it is given are often the machine's own, of which a change of
 * the mode or the owner would be everybody's.
 */

const names = ['null', 'zero', 'full', 'random', 'urandom', 'tty'];

inEachWay(
  'no step opens a device that it made, or changes one of the machine',
  async (_, field) => {
    const before = names.map((name) => lstatSync(`/dev/${name}`, { bigint: true }));
    const made =
      'for d in / /dev /dev/shm /dev/pts /dev/mqueue /tmp /luetbuild /etc /proc /sys; do mknod $d/made c 1 5 && head -c 1 $d/made >/luetbuild/x && echo "opened $d"; rm -f $d/made; done 2>/dev/null; echo tried';
    // A time tells of a change and does no harm.
    const changed = `for d in ${names.join(' ')}; do touch -d 2001-02-03 /dev/$d; done 2>/dev/null; echo touched`;
    const streams =
      'for f in /dev/stdin /proc/self/fd/* /proc/1/fd/*; do touch -d 2001-02-03 $f; done 2>/dev/null; perl -e "utime 981158400, 981158400, *STDIN"; echo streams';
    const used =
      'echo x >/dev/null && echo y >>/dev/null && [ $(head -c 5 /dev/urandom | wc -c) = 5 ] && [ $(head -c 5 /dev/zero | tr "\\0" z) = zzzzz ] && ! echo z >/dev/full && echo used';
    const { code, said } = await field.attack([made, changed, streams, used], {
      image: PERL_IMAGE,
      // Of what a word of the command line names a step has something, too.
      text: '',
      words: ['--values', '/dev/fd/90'],
    });
    assert.equal(code, 0, said);
    assert.doesNotMatch(said, /^t\/\S+ \| opened/m);
    for (const done of ['tried', 'touched', 'streams', 'used'])
      assert.match(said, new RegExp(`^t/\\S+ \\| ${done}$`, 'm'));
    for (const [i, name] of names.entries()) {
      const now = lstatSync(`/dev/${name}`, { bigint: true });
      const { mode, uid, gid, ino } = before[i] ?? now;
      assert.deepEqual([now.mode, now.uid, now.gid, now.ino], [mode, uid, gid, ino], name);
      assert.notEqual(now.mtime.getUTCFullYear(), 2001, name);
    }
  },
  ['./perl-image.ts', 'perlImage'],
);
