import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { insight } from '../support/insight.ts';
import { makeSite, needs, unpacked, written } from '../support/site.ts';
import { directory, file, link, type WholeEntry } from '../support/stream.ts';

/*
 * Engines mount /etc/hosts, /etc/hostname and /etc/resolv.conf into each container, and make the places for that. A package that is a whole root
 * has nothing of it, whether it is cut from a container or again from its image, wherever links of the image lead these places.
 */

interface Case {
  readonly name: string;
  readonly files: (ofBase: readonly WholeEntry[]) => readonly WholeEntry[];
  /** What the root holds beside what every root of this test does, with the times of folders and the content of files. */
  readonly holds: readonly string[];
}

const old = { mtime: 1_000_000_000 };

const cases: readonly Case[] = [
  {
    name: 'links to where nothing is',
    files: (ofBase) => [
      ...ofBase,
      link('symlink', 'etc/resolv.conf', '../run/systemd/resolve/stub-resolv.conf'),
      link('symlink', 'etc/hosts', '/usr/local/etc/hosts'),
      directory('var', old),
      directory('usr', old),
      directory('opt', old),
      // By another link, and upwards beyond the root.
      link('symlink', 'opt/to', '../../../var/a'),
      link('symlink', 'etc/hostname', '/opt/to/name'),
    ],
    holds: [
      'etc/hostname -> /opt/to/name',
      'etc/hosts -> /usr/local/etc/hosts',
      'etc/resolv.conf -> ../run/systemd/resolve/stub-resolv.conf',
      'opt/ 1000000000',
      'opt/to -> ../../../var/a',
      // What some engine makes something in counts as changed on all.
      'usr/ latest',
      'var/ latest',
    ],
  },
  {
    name: 'links to what is there',
    files: (ofBase) => [
      ...ofBase,
      directory('run', old),
      directory('run/own', old),
      file('run/own/resolv.conf', 'nameserver 192.0.2.1\n'),
      link('symlink', 'etc/resolv.conf', '../run/own/resolv.conf'),
      file('etc/hosts', '192.0.2.2 own\n'),
      directory('var', old),
      directory('usr', old),
      directory('usr/empty', old),
      // Of this nobody can say whether it was there before a runtime came.
      file('etc/hostname', ''),
    ],
    holds: [
      'etc/hosts = 192.0.2.2 own\n',
      'etc/resolv.conf -> ../run/own/resolv.conf',
      'run/ latest',
      'run/own/ 1000000000',
      'run/own/resolv.conf = nameserver 192.0.2.1\n',
      'usr/ 1000000000',
      'usr/empty/ 1000000000',
      'var/ 1000000000',
    ],
  },
  {
    name: 'folders that runtimes need and the image has not',
    files: (ofBase) => [
      ...ofBase.filter(({ entry }) => !/^(?:run|dev|proc|sys)(?:\/|$)/.test(entry.path)),
      directory('var', old),
      directory('usr', old),
    ],
    holds: ['usr/ 1000000000', 'var/ 1000000000'],
  },
];

/** What is in each of these roots. */
const common =
  /^(?:bin|etc|etc\/group|etc\/issue|etc\/passwd|dev|proc|sys|root|srv|tmp|usr\/bin|luetbuild|x|y|hosts)$/;

for (const one of cases)
  describe(one.name, () => {
    const reference = `luet-ts-test/mounted:${randomBytes(6).toString('hex')}`;
    const whole = { unpack: true, excludes: ['^/bin/'] };
    const steps = ['echo x >/x; cat /etc/hosts >/hosts; test -s /hosts; test -s /etc/hostname'];
    const site = makeSite(
      { after },
      {
        whole: { build: { image: reference, ...whole, steps, excludes: ['^/bin/', '^/hosts$'] } },
        over: {
          build: { ...needs('whole'), ...whole, steps: ['echo y >/y'], excludes: ['^/bin/', '^/hosts$'] },
        },
        // A delta beside what an engine has made.
        delta: { build: { ...needs('whole'), steps: ['mkdir -p /var/b; echo z >/var/b/z'] } },
      },
    );
    before(async () => {
      const api = await insight();
      const own = new Set(one.files([]).map(({ entry }) => entry.path));
      const ofBase = (await api.baseFiles()).filter(({ entry }) => !own.has(entry.path));
      const places = ['dev', 'proc', 'sys'].map((name) => directory(name));
      await api.load(reference, one.files([...ofBase, ...places]), { Env: ['PATH=/usr/bin:/bin'] });
      api.close();
    });
    after(async () => {
      const api = await insight();
      await api.drop(reference);
      api.close();
    });

    /** The bytes of all packages, built as these words say. */
    const built = async (...words: string[]): Promise<Map<string, string>> => {
      rmSync(site.out, { recursive: true, force: true });
      const answer = await site.build(['--all', ...words]);
      assert.equal(answer.code, 0, answer.stderr);
      return written(site.out);
    };

    test('a whole root is the same package however it is cut', async () => {
      const first = await built();
      for (const name of ['whole', 'over']) {
        const found = [...(await unpacked(site.out, name))].flatMap(([path, { entry, text }]) => {
          if (common.test(path)) return [];
          if (entry.type === 'symlink') return [`${path} -> ${entry.link}`];
          if (entry.type === 'file') return [`${path} = ${text}`];
          return [`${path}/ ${entry.mtime === old.mtime ? entry.mtime : 'latest'}`];
        });
        assert.deepEqual(found, one.holds, name);
      }
      assert.deepEqual(await built(), first, 'cut again');
      assert.deepEqual(await built('--rebuild'), first, 'built again');
    });
  });
