import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { BASE, ENGINE, testEngine } from '../support/engine.ts';
import { filesOf, makeSite, needs, onBase, unpacked, written } from '../support/site.ts';

/*
 * The same tree gives the same bytes, whatever tells what changed, and on whatever engine. Engines are compared where
 * LUET_TS_TEST_ENGINES names several, separated by commas.
 */

const others = (process.env.LUET_TS_TEST_ENGINES ?? '')
  .split(',')
  .filter((one) => one !== '' && one !== ENGINE);

const site = makeSite(
  { after },
  {
    base: {
      build: {
        ...onBase(
          'mkdir -p /data/sub /opt; echo a >/data/a; echo s >/data/sub/s; echo k >/data/sub/k; echo f >/file',
        ),
        prelude: ['mkdir /var/lib; echo state >/var/lib/state'],
        env: ['PATH=$PATH:/opt', 'MARK=1'],
      },
      files: { 'patch/one': '1\n', 'two.txt': '2\n' },
    },
    kinds: {
      build: {
        ...needs('base'),
        steps: [
          'mkdir -p /k; cd /k; echo x >file; ln file also; ln -s ../file link; mkfifo fifo; mknod char c 5 1; mknod block b 7 99',
          'cd /k; chmod 6751 file; chown 12:34 file; mkdir -m 1777 sticky; touch -d "1999-01-02 03:04:05" old; touch -d "2037-01-02 03:04:05" new',
          'cd /k; touch "$(printf "\\\\377 byte")" "$(printf "new\\\\nline")" ü ./-dash ".hidden"; ln /file /k/of-base; cp /luetbuild/patch/one .',
          'cd /k; d=$(printf %0200d 0); mkdir -p $d/$d; echo deep >$d/$d/$d; head -c 300000 /dev/zero >zeros',
        ],
      },
    },
    changes: {
      build: {
        ...needs('kinds'),
        prelude: ['rm -rf /data/sub; mkdir -p /pre/in; echo pre >/pre/in/x; rm /etc/issue'],
        steps: [
          'rm -rf /data; mkdir -p /data/sub; echo a2 >/data/a; echo new >/data/sub/new; mv /pre /post; mv /k/sticky /moved',
          'echo back >/etc/issue; echo more >>/file; chmod 700 /opt; touch /etc/hosts /etc/own; mkdir -p /dev/x /run/x; echo r >/run/x/y',
          'echo left >left',
        ],
      },
    },
    whole: { build: { ...needs('changes'), unpack: true, excludes: ['^/bin/'] } },
    part: {
      build: {
        ...needs('changes'),
        steps: ['mkdir -p /out/usr; mv /k /out/usr/; echo 1 >/out/one'],
        package_dir: '/out',
      },
    },
    merged: { build: { ...needs('kinds', 'changes'), requires_final_images: true, unpack: true } },
    copied: {
      build: {
        image: BASE,
        copy: [
          { package: { name: 'changes', category: 't', version: '1' }, source: '/k', destination: '/k' },
          { image: BASE, source: '/etc/*', destination: '/copied/' },
        ],
        steps: ['cp -a /k /again; ls -lnR /copied >/list'],
        unpack: true,
        includes: ['^/k', '^/again', '^/copied', '^/list'],
      },
    },
    names: {
      build: {
        ...needs('base'),
        steps: ['mkdir /n /n-x; echo 1 >/n/first; ln /n/first /n-x/second; ln /n/first /n/third'],
        unpack: true,
        includes: ['second$', 'third$'],
      },
    },
    split: {
      definition: { provides: [{ name: 'virtual', category: 't', version: '1' }] },
      build: {
        ...needs('base'),
        steps: ['mkdir -p /usr/lib; echo l >/usr/lib/l; echo b >/usr/bin/b'],
        subpackages: [
          { name: 'libs', category: 't', version: '1', includes: ['/lib/'] },
          { name: 'bins', category: 't', version: '1', includes: ['/bin/'] },
        ],
      },
    },
  },
);

/** Builds everything and answers, by file, what it holds: of an archive its entries, so that differences can be read. */
async function contents(
  destination: string,
  words: readonly string[],
  source: string,
): Promise<Record<string, unknown>> {
  const flags = ['--all', '--rebuild', '--keep-images=false', '--destination', destination];
  const answer = await site.build([...flags, ...words], { env: { LUET_TS_CHANGES: source } });
  assert.equal(answer.code, 0, answer.stderr);
  const folder = join(site.folder, destination);
  const files: Record<string, unknown> = {};
  for (const [name, bytes] of written(folder)) {
    const hash = createHash('sha256').update(Buffer.from(bytes, 'latin1')).digest('hex');
    const entries = name.endsWith('.tar') ? await unpacked(folder, name.replace('.package.tar', '')) : [];
    files[name] = [
      hash,
      ...[...entries].map(([, { entry, text }]) => ({ ...entry, text: text.slice(0, 100) })),
    ];
  }
  return files;
}

let expected: Record<string, unknown>;
test('read from the upper folder', async () => {
  expected = await contents('out', [], 'upper');
  // So that the comparison is about something.
  assert.equal(Object.keys(expected).length, 22);
  assert.equal((await filesOf(site.out, 'kinds')).length, 17);
});
for (const source of ['changes', 'export']) {
  test(`read from the engine's ${source}`, async (t) => {
    const engine = await testEngine();
    const { name } = await engine.report();
    await engine.close();
    if (name === 'native' || (source === 'changes' && name === 'Podman'))
      return t.skip('this engine is never asked for its changes');
    assert.deepEqual(await contents(source, [], source), expected);
  });
}
for (const other of others) {
  test(`on the engine at ${other}`, async () => {
    assert.deepEqual(
      await contents(`out-${other.replaceAll('/', '_')}`, ['--engine', other], 'upper'),
      expected,
    );
  });
}
