import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after, before, describe } from 'node:test';
import type { CliAnswer } from '../support/cli.ts';
import { type Insight, insight } from '../support/insight.ts';
import { makeSite, needs, unpacked, work } from '../support/site.ts';
import { directory, file, link, type WholeEntry } from '../support/stream.ts';

/** A base image that says everything that a base image can say of how it wants to be run. */
const wilful = {
  User: 'nobody:1234',
  Entrypoint: ['/bin/false'],
  Cmd: ['-x'],
  WorkingDir: '/elsewhere',
  Volumes: { '/data': {}, '/var/cache': {} },
  Healthcheck: { Test: ['CMD', '/bin/false'], Interval: 1_000_000_000 },
  OnBuild: ['RUN exit 9'],
  StopSignal: 'SIGKILL',
  ExposedPorts: { '80/tcp': {} },
  Env: ['PATH=/opt/own:/usr/bin:/bin', 'HOME=/home/nobody', 'WITH BLANK=a b', 'odd.name=1', 'MARK=from base'],
};

/** Loads an image for the tests that follow, and takes it and its flat copy away behind them. */
function baseImage(
  config: object,
  files: (ofBase: readonly WholeEntry[]) => readonly WholeEntry[],
): { readonly reference: string; readonly api: () => Insight } {
  const reference = `luet-ts-test/base:${randomBytes(6).toString('hex')}`;
  let api: Insight;
  before(async () => {
    api = await insight();
    await api.load(reference, files(await api.baseFiles()), config);
  });
  after(async () => {
    await api.drop(reference);
    api.close();
  });
  return { reference, api: () => api };
}

describe('a base image with a will of its own', () => {
  const { reference, api } = baseImage(wilful, (ofBase) => [
    ...ofBase,
    directory('data', { mode: 0o775, uid: 7, gid: 8 }),
    file('data/own', 'own\n'),
    directory('var/cache'),
  ]);
  const site = makeSite(
    { after },
    {
      under: {
        build: {
          image: reference,
          prelude: ['echo prelude >/data/prelude'],
          steps: [
            '{ id -u; id -g; pwd; echo $PATH; echo $HOME; echo $MARK; cat /data/own; } >/said',
            'mkdir /data/made; echo steps >/data/made/file; echo cached >/var/cache/file',
          ],
        },
      },
      over: {
        build: {
          ...needs('under'),
          steps: ['cat /data/own /data/prelude /data/made/file /var/cache/file >/data/all'],
        },
      },
      whole: { build: { ...needs('under'), unpack: true, includes: ['^/data', '^/var/cache'] } },
    },
  );
  let answer: CliAnswer;
  before(async () => {
    answer = await site.build(['--all']);
  });

  test('is built on', () => assert.equal(answer.code, 0, answer.stderr));
  test('commands run as root in the build folder, with the environment of the image', async () => {
    const said = (await unpacked(site.out, 'under')).get('said')?.text;
    assert.equal(said, '0\n0\n/luetbuild\n/opt/own:/usr/bin:/bin\n/root\nfrom base\nown\n');
  });
  test('what steps write where the image has volumes is packaged', async () => {
    const under = await unpacked(site.out, 'under');
    assert.deepEqual(
      [...under.keys()],
      ['data', 'data/made', 'data/made/file', 'said', 'var', 'var/cache', 'var/cache/file'],
    );
    const { mode, uid, gid } = under.get('data')?.entry ?? {};
    assert.deepEqual([mode, uid, gid], [0o775, 7, 8]);
  });
  test('dependants find it', async () => {
    const all = (await unpacked(site.out, 'over')).get('data/all')?.text;
    assert.equal(all, 'own\nprelude\nsteps\ncached\n');
    assert.deepEqual(
      [...(await unpacked(site.out, 'whole')).keys()],
      [
        ...['data', 'data/made', 'data/made/file', 'data/own', 'data/prelude'],
        ...['var', 'var/cache', 'var/cache/file'],
      ],
    );
  });
  test('nothing runs a second time', async () => {
    assert.deepEqual(work(await site.build(['--all'])), []);
  });
  test('without keeping images nothing of it stays', async () => {
    const kept = await site.images();
    const again = await site.build(['t/over', '--rebuild', '--keep-images=false']);
    assert.equal(again.code, 0, again.stderr);
    assert.deepEqual(await site.images(), kept);
    assert.deepEqual(await api().ofThisProcess(), []);
  });
});

describe('a base image whose folders are links', () => {
  const { reference } = baseImage({ Env: ['PATH=/usr/bin:/bin'] }, (ofBase) => [
    ...ofBase.filter(({ entry }) => !/^usr(\/|$)/.test(entry.path)),
    directory('usr'),
    directory('usr/bin'),
    directory('usr/lib'),
    file('usr/lib/found', 'found\n'),
    directory('usr/share', { mode: 0o700 }),
    directory('usr/share/lib', { mode: 0o700 }),
    file('usr/share/lib/shared', 'shared\n'),
    link('symlink', 'lib', 'usr/lib'),
    link('symlink', 'to-file', 'usr/../lib/found'),
    link('symlink', 'around', 'around'),
  ]);
  const copy = (source: string, destination: string): object => ({ image: reference, source, destination });
  const site = makeSite(
    { after },
    {
      steps: { build: { image: reference, steps: ['echo l >/lib/new; ls /lib >/list'] } },
      folder: { build: { image: reference, steps: ['true'], package_dir: '/lib/../lib/.' } },
      copies: {
        build: {
          image: reference,
          copy: [
            copy('/lib/found', '/lib/named'),
            copy('/lib/f?und', '/lib/'),
            copy('/to-file', '/lib'),
            copy('/usr/share', '/'),
            copy('/lib', 'made/here'),
          ],
          steps: [
            'cd /lib; for one in *; do echo $one $(cat $one); done >/content; ls /luetbuild/made/here >/here',
            'stat -c %a /usr/lib >/mode; test -L /lib',
          ],
        },
      },
      circle: { build: { image: reference, copy: [copy('/around/x', '/x')], steps: ['true'] } },
    },
  );
  let answer: CliAnswer;
  before(async () => {
    answer = await site.build(['--all', '--keep-going']);
  });

  test('steps write through them', async () => {
    assert.deepEqual(
      [...(await unpacked(site.out, 'steps')).keys()],
      ['list', 'usr', 'usr/lib', 'usr/lib/new'],
    );
  });
  test('package_dir leads through them', async () => {
    assert.deepEqual([...(await unpacked(site.out, 'folder')).keys()], ['found']);
  });
  test('copy follows them on both sides, and leaves what is there as it is', async () => {
    const copies = await unpacked(site.out, 'copies');
    assert.equal(copies.get('content')?.text, 'found found\nnamed found\nshared shared\nto-file found\n');
    assert.equal(copies.get('here')?.text, 'found\n');
    assert.equal(copies.get('mode')?.text, '755\n');
  });
  test('a link to itself is an error', () => {
    assert.match(
      answer.stderr,
      /nothing-to-copy.*t\/circle-1: copy: too many symbolic links in the path around\/x/,
    );
    assert.match(answer.stderr, /3 built, 1 failed/);
  });
});
