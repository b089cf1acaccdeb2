import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after, suite } from 'node:test';

const root = join(import.meta.dirname, '../..');
const scratch = mkdtempSync(join(tmpdir(), 'luet-ts-examples-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Builds everything in an example, on the tests' own base image, and lists what the packages hold. */
function build(example: string, ...flags: readonly string[]): Record<string, string[]> {
  const folder = mkdtempSync(join(scratch, `${example}-`));
  cpSync(join(root, 'examples', example), folder, { recursive: true });
  for (const spec of globSync('**/build.yaml', { cwd: folder })) {
    const text = readFileSync(join(folder, spec), 'utf8');
    writeFileSync(join(folder, spec), text.replace('luet-ts/quickstart:1', 'conformance/base:1'));
  }
  const repository = `luet-ts-test/${randomBytes(6).toString('hex')}`;
  const words = ['build', '--tree', 'tree', '--all', '--destination', 'out', '--keep-images=false', ...flags];
  const engine = process.env.LUET_TS_TEST_ENGINE;
  const { status, stdout, stderr } = spawnSync(
    join(root, 'bin/luet-ts'),
    [...words, '--image-repository', repository, ...(engine === undefined ? [] : ['--engine', engine])],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout + stderr);
  const archives = readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.package.tar'));
  return Object.fromEntries(
    archives.map((name) => {
      const listing = execFileSync('tar', ['-tf', join(folder, 'out', name)], { encoding: 'utf8' });
      return [
        basename(name, '.package.tar'),
        listing.split('\n').filter((path) => path !== '' && !path.endsWith('/')),
      ];
    }),
  );
}

suite('what the examples say of themselves', () => {
  test('final-images: a root holds what packages contain, and no more', () => {
    const shell = ['bin/busybox', 'bin/cat', 'bin/sh'];
    const tool = ['usr/bin/tool', 'usr/share/tool/notes'];
    assert.deepEqual(build('final-images'), {
      'base-seed-1.0': [],
      'sh-shell-1.0': shell,
      'tool-apps-1.0': tool,
      'rootfs-system-1.0': [...shell, 'built-with', ...tool],
    });
  });
  test('subpackages: one build gives several packages', () => {
    assert.deepEqual(build('subpackages'), {
      'base-seed-1.0': [],
      'paper-libs-1.0': ['usr/include/paper.h', 'usr/lib/libpaper.a', 'usr/share/man/man3/paper.3'],
      'paper-dev-libs-1.0': ['usr/include/paper.h', 'usr/lib/libpaper.a'],
      'paper-doc-libs-1.0': ['usr/share/man/man3/paper.3'],
    });
  });
  test('templates: values from outside change what is built', () => {
    assert.deepEqual(build('templates')['server-net-2.1'], ['etc/server.conf', 'etc/server.d/cache']);
    assert.deepEqual(build('templates', '--values', 'hardened.yaml')['server-net-2.1'], [
      'etc/server.conf',
      'etc/server.d/cache',
      'etc/server.d/log',
    ]);
  });
  test('package-dir: the staging folder is the root', () => {
    assert.deepEqual(build('package-dir')['program-apps-1.0'], ['usr/bin/program']);
  });
});
