import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { contextEntries } from '../../src/execute/upload.ts';
import { notYetWritten, readContext, retrieve } from '../../src/resolve/index.ts';
import { collect } from '../support/stream.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'luet-ts-context-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function sample(path: string): string {
  for (const name of ['definition.yaml', 'build.yaml', 'collection.yaml', 'finalize.yaml'])
    writeFileSync(join(path, name), name);
  mkdirSync(join(path, 'sub/deep'), { recursive: true });
  writeFileSync(join(path, 'sub/build.yaml'), 'a file like any other');
  writeFileSync(join(path, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(path, 'run.sh'), 0o755);
  symlinkSync('/etc/passwd', join(path, 'sub/link'));
  return path;
}

test('a context is what lies beside the files that make the package', async (t) => {
  const { files } = await readContext(sample(folder(t)));
  assert.deepEqual(
    files.map(({ path, type }) => `${type} ${path}`),
    ['file run.sh', 'directory sub', 'file sub/build.yaml', 'directory sub/deep', 'symlink sub/link'],
  );
});

test('its hash depends on paths, contents, targets and who can execute, and on nothing else', async (t) => {
  const path = sample(folder(t));
  const { hash } = await readContext(path);
  const other = folder(t);
  cpSync(path, other, { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(other, 'definition.yaml'), 'another');
  utimesSync(join(other, 'run.sh'), 1, 1);
  assert.equal((await readContext(other)).hash, hash);
  // Checkouts of one commit differ like this, by their umask.
  chmodSync(join(other, 'run.sh'), 0o777);
  chmodSync(join(other, 'sub'), 0o700);
  chmodSync(join(other, 'sub/deep'), 0o2777);
  chmodSync(join(other, 'sub/build.yaml'), 0o666);
  assert.equal((await readContext(other)).hash, hash);
  const changes: readonly ((at: string) => void)[] = [
    (at) => writeFileSync(join(at, 'run.sh'), '#!/bin/sh\n\n'),
    (at) => chmodSync(join(at, 'run.sh'), 0o644),
    (at) => renameSync(join(at, 'run.sh'), join(at, 'run')),
    (at) => writeFileSync(join(at, 'sub/deep/empty'), ''),
    (at) => mkdirSync(join(at, 'sub/deep/empty')),
    (at) => {
      rmSync(join(at, 'sub/link'));
      symlinkSync('/etc/group', join(at, 'sub/link'));
    },
    (at) => {
      rmSync(join(at, 'sub/link'));
      writeFileSync(join(at, 'sub/link'), '/etc/passwd');
    },
  ];
  const hashes = [hash];
  for (const change of changes) {
    const changed = folder(t);
    cpSync(path, changed, { recursive: true, verbatimSymlinks: true });
    change(changed);
    hashes.push((await readContext(changed)).hash);
  }
  assert.equal(new Set(hashes).size, changes.length + 1);
});

test('what is no file, folder or link is refused by name', async (t) => {
  const path = folder(t);
  execFileSync('mkfifo', [join(path, 'pipe')]);
  await assert.rejects(readContext(path), /\/pipe is not a file, folder or symbolic link/);
});

test('it is uploaded as root, all of one time, folders before what is in them', async (t) => {
  const path = sample(folder(t));
  const retrieved = [
    { path: 'got/deep/x.tar', sha256: '', size: 10, real: join(path, 'run.sh') },
    { path: 'sub/y', sha256: '', size: 10, real: join(path, 'run.sh') },
  ];
  const rows: string[] = [];
  for await (const { entry, content } of await contextEntries(path, await readContext(path), retrieved, 77)) {
    const { path: at, type, mode, uid, gid, mtime } = entry;
    assert.deepEqual([uid, gid, mtime], [0, 0, 77]);
    const bytes =
      content === undefined
        ? ''
        : (await collect(typeof content === 'function' ? content() : content)).toString();
    rows.push(`${type} ${at} ${mode.toString(8)} ${JSON.stringify(bytes)}`);
  }
  assert.deepEqual(rows, [
    'directory luetbuild 755 ""',
    'file luetbuild/run.sh 755 "#!/bin/sh\\n"',
    'directory luetbuild/sub 755 ""',
    'file luetbuild/sub/build.yaml 644 "a file like any other"',
    'directory luetbuild/sub/deep 755 ""',
    'symlink luetbuild/sub/link 777 ""',
    'directory luetbuild/got 755 ""',
    'directory luetbuild/got/deep 755 ""',
    'file luetbuild/got/deep/x.tar 644 "#!/bin/sh\\n"',
    'file luetbuild/sub/y 644 "#!/bin/sh\\n"',
  ]);
});

test('retrieve finds finished files by globs', async (t) => {
  const path = folder(t);
  mkdirSync(join(path, 'sub'));
  for (const name of ['a-t-1.package.tar', 'b-t-1.package.tar', '.luet-ts-run-0123', 'sub/a.tar', 'x.txt'])
    writeFileSync(join(path, name), name);
  const found = async (...globs: string[]): Promise<[string[], string[]]> => {
    const { files, unmatched } = await retrieve(path, globs, new Set(['b-t-1.package.tar']));
    return [files.map((one) => one.path), unmatched];
  };
  assert.deepEqual(await found('*.tar'), [['a-t-1.package.tar'], []]);
  assert.deepEqual(await found('sub/*', 'x.*', 'nothing'), [['sub/a.tar', 'x.txt'], ['nothing']]);
  assert.deepEqual(await found('b-*', '.luet*'), [[], ['b-*', '.luet*']]);
  assert.deepEqual(await retrieve(join(path, 'nowhere'), ['*'], new Set()), { files: [], unmatched: ['*'] });
});

test('what the build writes later, or may have written, is not retrieved', () => {
  const output = (fingerprint: string) => ({ fingerprint }) as never;
  const packages = [
    { key: 't/before-1', outputs: [output('before-t-1')] },
    { key: 't/own-1', outputs: [output('own-t-1'), output('own-dev-t-1')] },
    { key: 't/sibling-1', outputs: [output('sibling-t-1')] },
    { key: 't/unplanned-1', outputs: [output('unplanned-t-1')] },
  ];
  const artifacts = ['t/before-1', 't/own-1', 't/sibling-1'].map((name) => ({
    package: name,
    asked: false,
    wanted: true,
  }));
  const names = notYetWritten({ artifacts, packages }, { retrieveAfter: ['t/before-1'] });
  assert.ok(!names.has('before-t-1.package.tar'));
  assert.ok(!names.has('unplanned-t-1.package.tar'));
  for (const name of [
    'own-t-1.package.tar',
    'own-t-1.package.tar.zst',
    'own-t-1.metadata.yaml',
    'own-dev-t-1.package.tar.gz',
    'sibling-t-1.package.tar',
  ])
    assert.ok(names.has(name), name);
});
