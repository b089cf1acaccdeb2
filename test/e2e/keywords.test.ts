import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { CliAnswer } from '../support/cli.ts';
import { BASE } from '../support/engine.ts';
import { insight } from '../support/insight.ts';
import { rawTar } from '../support/raw-tar.ts';
import { filesOf, makeSite, needs, onBase, unpacked, work } from '../support/site.ts';
import { directory, file, link } from '../support/stream.ts';

const form = (name: string, more: object = {}): object => ({ name, category: 't', version: '1', ...more });
const unshelled = `luet-ts-test/base:${randomBytes(6).toString('hex')}`;

describe('keywords', () => {
  const from = (source: string, destination: string): object => ({
    package: form('files'),
    source,
    destination,
  });
  const site = makeSite(
    { after },
    {
      files: {
        build: onBase(
          'mkdir -p /src/sub/deep /src/empty; echo 1 >/src/one.txt; echo 2 >/src/two.txt; echo 3 >/src/sub/three.txt',
          'ln -s one.txt /src/link.txt; ln -s sub /src/link; echo d >/src/sub/deep/file; chmod 640 /src/one.txt; chown 5:6 /src/one.txt',
          'echo [x] >"/src/[x].txt"; echo x >/src/x.txt; echo h >/src/.hidden.txt; mknod /src/null c 1 3; mkfifo /src/pipe',
        ),
      },
      copies: {
        build: {
          image: BASE,
          prelude: ['cat /c/renamed >/seen-in-prelude'],
          copy: [
            from('/src/one.txt', '/c/renamed'),
            from('/src/one.txt', '/c/into/'),
            from('/src/one.txt', '/c/into'),
            from('/src/two.txt', '/c/into'),
            from('/src', '/c/whole'),
            from('/src/', '/c/whole/again/'),
            from('/src/*.txt', '/c/globbed'),
            from('/src/t??.txt', '/c/one-of-glob'),
            from('/src/[nt]*', '/c/class'),
            from('/src/\\[x].txt', '/c/exact'),
            from('src/../../src/./two.txt', '/c/dots'),
            from('/src/link.txt', '/c/followed'),
            from('/src/link', '/c/followed-folder'),
            from('/src/two.txt', 'relative'),
            from('/src/two.txt', '../c/up'),
            { image: unshelled, source: '/only/*', destination: '/c/unshelled/' },
          ],
          steps: ['echo step >/from-step; cat /luetbuild/relative >/read'],
        },
      },
      kept: { build: { ...needs('copies'), unpack: true, includes: ['^/c/', '^/luetbuild/'] } },
      nothing: { build: { image: BASE, copy: [from('/nowhere/*', '/c')], steps: ['true'] } },
      bare: { build: { image: unshelled, unpack: true } },
      shell: { build: { image: unshelled, steps: ['true'] } },
      missing: { build: { image: BASE, steps: ['true'], package_dir: '/nowhere' } },
      outside: { build: { image: BASE, steps: ['echo 1 >/one'], package_dir: '/../../../../tmp/../etc' } },
      dir: {
        build: {
          image: BASE,
          steps: ['mkdir -p /o/usr/bin; echo x >/o/usr/bin/x; echo y >/o/y'],
          package_dir: './o//',
          excludes: ['^/y$'],
        },
      },
      wide: {
        build: {
          ...onBase(
            'mkdir -p /w/bin /w/lib /w/doc; for f in bin/b lib/l lib/l.dbg doc/d; do echo $f >/w/$f; done',
          ),
          package_dir: '/w',
          excludes: ['^/doc/'],
          subpackages: [
            form('wide-bin', { includes: ['^/bin/'] }),
            form('wide-lib', { includes: ['^/lib/'], excludes: ['\\.dbg$'] }),
            form('wide-doc', { includes: ['^/doc/'] }),
          ],
        },
      },
      env1: { build: { ...onBase('echo "$A $B $Q" >/env1'), env: ['A=1', 'B=$A.2', "Q='$A'", 'C=\\$A'] } },
      env2: {
        build: {
          ...needs('env1'),
          steps: ['echo "$A $B $C $D" >/env2'],
          // biome-ignore lint/suspicious/noTemplateCurlyInString: env's own
          env: ['A=over', 'D=$B-$C-${E:-none}'],
        },
      },
      env3: { build: { ...needs('env2'), steps: ['echo "$A $D $PACKAGE_NAME" >/env3'] } },
      retriever: {
        build: {
          ...needs('files'),
          retrieve: ['*.package.tar', 'sub/given', 'files-*.yaml'],
          steps: [
            '(cd /luetbuild; ls; find sub -type f; cat sub/given src/one.txt) >/got; tar -tf /luetbuild/files-t-1.package.tar | head -n 1 >>/got',
          ],
        },
      },
      unpacker: {
        build: {
          image: BASE,
          retrieve: ['sub/*.tgz'],
          steps: [
            'cd sub; (ls; stat -c "%n %a %u:%g %h" d d/one hard; readlink out/../out || ls -d out; cat d/one hard out/passwd) >/got; cat /etc/passwd >/real',
          ],
        },
      },
      damaged: { build: { image: BASE, retrieve: ['sub/*.cut'], steps: ['true'] } },
      unretrieved: { build: { ...needs('files'), retrieve: ['nothing-*', 'sub/*'], steps: ['true'] } },
      under: {
        definition: { requires: [form('runtime')] },
        build: onBase('mkdir /f; echo under >/f/who; echo u >/f/u'),
      },
      runtime: { build: onBase('mkdir /f; echo runtime >/f/who; echo r >/f/r') },
      final: { build: { ...needs('under'), requires_final_images: true, unpack: true } },
      empty: { build: { image: BASE } },
      virtual: { definition: { provides: [form('something')] }, build: {} },
      'a"b$c\'d`e;{}': { build: { ...onBase('echo "$PACKAGE_NAME" >/name'), env: ['N=$PACKAGE_NAME'] } },
      'ü☃+x~1.y_z': { definition: { category: 't', version: '1' }, build: needs('a"b$c\'d`e;{}') },
    },
  );
  mkdirSync(join(site.tree, 'many/data'), { recursive: true });
  writeFileSync(
    join(site.tree, 'many/collection.yaml'),
    'packages:\n' +
      ['x', 'y'].map((n) => `- {name: ${n}, category: t, version: "1", word: ${n}${n}}\n`).join(''),
  );
  writeFileSync(
    join(site.tree, 'many/build.yaml'),
    `image: ${BASE}\nsteps:\n- echo {{ .Values.word }} $PACKAGE_NAME $(cat data/shared) >/said\n`,
  );
  writeFileSync(join(site.tree, 'many/data/shared'), 'shared\n');
  symlinkSync('/etc/hostname', join(site.tree, 'many/out'));
  mkdirSync(join(site.out, 'sub'), { recursive: true });
  writeFileSync(join(site.out, 'sub/given'), 'given\n');
  const archive = rawTar([
    { name: './d/', flag: '5', mode: 0o2750, uid: 12, gid: 34 },
    { name: './d/one', flag: '0', mode: 0o4755, uid: 12, gid: 34, content: 'two\n' },
    { name: './hard', flag: '1', link: './d/one' },
    { name: 'out', flag: '2', link: '/etc' },
    { name: 'out/passwd', flag: '0', content: 'evil\n' },
    { name: '../../../../up', flag: '0', content: 'up\n' },
  ]);
  writeFileSync(join(site.out, 'sub/x.tgz'), gzipSync(archive));
  writeFileSync(join(site.out, 'sub/y.cut'), gzipSync(archive).subarray(0, -30));

  let answer: CliAnswer;
  const text = async (name: string, path: string): Promise<string | undefined> =>
    (await unpacked(site.out, name)).get(path)?.text;
  before(async () => {
    const api = await insight();
    await api.load(
      unshelled,
      [
        directory('only'),
        file('only/data', 'data\n'),
        file('only/other', 'other\n'),
        link('symlink', 'link', 'only'),
      ],
      { Env: ['X=1'] },
    );
    api.close();
    answer = await site.build(['--all', '--keep-going']);
  });
  after(async () => {
    const api = await insight();
    await api.drop(unshelled);
    api.close();
  });

  test('all that can be built is', () => {
    const failed = [...answer.stderr.matchAll(/^failed: t\/(\S+)-1/gm)].map(([, name]) => name);
    assert.deepEqual(failed.sort(), ['damaged', 'missing', 'nothing', 'shell', 'unretrieved'], answer.stderr);
    assert.equal(answer.code, 1);
  });
  test('copy takes files, folders, globs and links as a Dockerfile does', async () => {
    const kept = await unpacked(site.out, 'kept');
    const got = [...kept]
      .filter(([, { entry }]) => entry.type !== 'directory')
      .map(
        ([path, { entry, text: content }]) =>
          `${path} ${entry.type === 'file' ? content.trim() : entry.type}`,
      );
    const whole = (folder: string): string[] =>
      [
        '.hidden.txt h',
        '[x].txt [x]',
        'link symlink',
        'link.txt symlink',
        'null character',
        'one.txt 1',
        'pipe fifo',
      ]
        .concat('sub/deep/file d', 'sub/three.txt 3', 'two.txt 2', 'x.txt x')
        .map((row) => `${folder}/${row}`);
    const expected = [
      ...['c/renamed 1', 'c/into/one.txt 1', 'c/into/two.txt 2', 'c/one-of-glob 2', 'c/dots 2', 'c/up 2'],
      ...['c/class/null character', 'c/class/two.txt 2', 'c/exact [x]', 'luetbuild/relative 2'],
      ...['c/followed 1', 'c/followed-folder/deep/file d', 'c/followed-folder/three.txt 3'],
      ...['.hidden.txt h', '[x].txt [x]', 'link.txt 1', 'one.txt 1', 'two.txt 2', 'x.txt x'].map(
        (row) => `c/globbed/${row}`,
      ),
      ...['c/unshelled/data data', 'c/unshelled/other other'],
      ...whole('c/whole'),
      ...whole('c/whole/again'),
    ];
    assert.deepEqual(got.sort(), expected.sort());
    assert.equal(kept.get('c/whole/empty')?.entry.type, 'directory');
    const { mode, uid, gid } = kept.get('c/renamed')?.entry ?? {};
    assert.deepEqual([mode, uid, gid], [0o640, 0, 0]);
  });
  test('what is copied is there in prelude and steps, and in no delta', async () => {
    assert.deepEqual(await filesOf(site.out, 'copies'), ['from-step', 'read']);
    assert.equal(await text('copies', 'read'), '2\n');
  });
  test('copying what is not there is an error at the entry', () => {
    assert.match(
      answer.stderr,
      /^tree\/nothing\/build\.yaml:3:5: error\[nothing-to-copy\].*\/nowhere\/\* not found/m,
    );
  });
  test('an image without a shell can be unpacked, and nothing can run in it', async () => {
    assert.deepEqual(
      [...(await unpacked(site.out, 'bare')).keys()],
      ['link', 'only', 'only/data', 'only/other'],
    );
    assert.match(answer.stderr, /t\/shell-1: commands need \/bin\/sh/);
  });
  test('package_dir is the root, and leads out of no image', async () => {
    assert.deepEqual([...(await unpacked(site.out, 'dir')).keys()], ['usr', 'usr/bin', 'usr/bin/x']);
    assert.equal(await text('outside', 'issue'), 'conformance base 1\n');
    assert.match(
      answer.stderr,
      /^tree\/missing\/build\.yaml:4:14: error\[nothing-to-package\].*\/nowhere not found in the image/m,
    );
  });
  test('subpackages are cut from what the package holds', async () => {
    assert.deepEqual(await filesOf(site.out, 'wide'), ['bin/b', 'lib/l', 'lib/l.dbg']);
    assert.deepEqual(await filesOf(site.out, 'wide-bin-t-1'), ['bin/b']);
    assert.deepEqual(await filesOf(site.out, 'wide-lib-t-1'), ['lib/l']);
    assert.deepEqual(await filesOf(site.out, 'wide-doc-t-1'), []);
    assert.match(answer.stderr, /t\/wide-doc-1: .*the expression \^\/doc\/ matches no path/);
  });
  test('env is expanded, and dependants inherit it', async () => {
    assert.equal(await text('env1', 'env1'), '1 1.2 $A\n');
    assert.equal(await text('env2', 'env2'), 'over 1.2 $A 1.2-$A-none\n');
    assert.equal(await text('env3', 'env3'), 'over 1.2-$A-none env3\n');
  });
  test('retrieve brings files of the destination into the build folder', async () => {
    const got = (await text('retriever', 'got'))?.split('\n') ?? [];
    assert.deepEqual(got, [
      ...['files-t-1.metadata.yaml', 'files-t-1.package.tar', 'src', 'sub'],
      ...['sub/given', 'given', '1', 'src/', ''],
    ]);
    assert.match(
      answer.stderr,
      /^tree\/unretrieved\/build\.yaml:6:5: error\[nothing-to-retrieve\].*matches nothing-\*/m,
    );
  });
  test('archives that are retrieved are unpacked beside themselves, with owners, and nowhere else', async () => {
    assert.deepEqual((await text('unpacker', 'got'))?.split('\n'), [
      ...['d', 'hard', 'out', 'up', 'x.tgz'],
      ...['d 2750 12:34 2', 'd/one 4755 12:34 2', 'hard 4755 12:34 2', 'out'],
      ...['two', 'two', 'evil', ''],
    ]);
    assert.match((await text('unpacker', 'real')) ?? '', /^root:/);
    assert.match(
      answer.stderr,
      /^tree\/damaged\/build\.yaml:3:5: error\[unreadable-archive\].*retrieve: cannot unpack sub\/y\.cut: /m,
    );
  });
  test('final images stand on packages and on what these need at run time, later ones over earlier ones', async () => {
    const final = await unpacked(site.out, 'final');
    assert.deepEqual([...final.keys()], ['f', 'f/r', 'f/u', 'f/who']);
    assert.equal(final.get('f/who')?.text, 'under\n');
  });
  test('a collection shares a folder', async () => {
    assert.equal(await text('x', 'said'), 'xx x shared\n');
    assert.equal(await text('y', 'said'), 'yy y shared\n');
  });
  test('names that mean something to shells and formats', async () => {
    assert.equal((await unpacked(site.out, 'a"b$c\'d`e;{}-t-1')).get('name')?.text, 'a"b$c\'d`e;{}\n');
    assert.deepEqual([...(await unpacked(site.out, 'ü☃+x~1.y_z-t-1')).keys()], []);
  });
  test('packages without content are written, without a container', async () => {
    for (const name of ['empty', 'virtual', 'files'])
      assert.ok((await unpacked(site.out, name)) !== undefined);
    assert.deepEqual(
      work(answer).filter((one) => /virtual|empty/.test(one)),
      [],
    );
  });
  test('nothing of what succeeded runs again', async () => {
    const again = await site.build(['--all', '--keep-going']);
    // What missing is cut from was made.
    const failing = ['cut missing', 'run damaged', 'run nothing', 'run shell'];
    assert.deepEqual(work(again).sort(), failing, again.stderr);
  });
});
