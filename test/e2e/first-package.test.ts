import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { conformanceBase, makeBaseImage } from '../../scripts/base-image.ts';
import { cli } from '../support/cli.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/first-package.md'), 'utf8');

/** The blocks of the page in one language, without what they are indented by. */
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^( *)\`\`\`${language}\\n([^]*?)^ *\`\`\`$`, 'gm'))].map(
    ([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  );

/** Writes a program. */
function program(path: string, lines: readonly string[]): void {
  writeFileSync(path, `${['#!/bin/sh', 'set -e', ...lines].join('\n')}\n`);
  chmodSync(path, 0o755);
}

/**
 * A folder with programs that stand in for those of Debian: mmdebstrap gives the base of the tests with an apt-get that brings a
 * compiler, which writes what it was asked for.
 */
async function standIns(folder: string): Promise<void> {
  const bin = join(folder, 'bin');
  const base = join(folder, 'base');
  mkdirSync(bin);
  writeFileSync(join(folder, 'base.docker'), (await makeBaseImage(await conformanceBase())).bytes);
  const { code, stderr } = await cli(['image', 'copy', 'docker-archive:base.docker', 'rootfs:base'], {
    cwd: folder,
  });
  assert.equal(code, 0, stderr);
  program(join(base, 'usr/bin/apt-get'), [
    'test "$1" != install || { echo "#!/bin/sh" > /usr/bin/gcc; chmod 755 /usr/bin/gcc; }',
    'test "$1" != install || echo \'while test $# -gt 1; do test $1 = -o && touch $2; shift; done; test -s $1\' >> /usr/bin/gcc',
  ]);
  execFileSync('tar', ['-c', '-f', join(folder, 'debian.tar'), '-C', base, '.']);
  program(join(bin, 'apt-get'), ['test "$*" = "install -y mmdebstrap bubblewrap"']);
  program(join(bin, 'mmdebstrap'), [
    'test "$1 $2" = "--variant=apt bookworm"',
    `cp ${join(folder, 'debian.tar')} "$3"`,
  ]);
  symlinkSync(join(root, 'bin/luet-ts'), join(bin, 'luet-ts'));
}

test('the recipe of the first package does what it says, line by line', {
  skip: process.getuid?.() !== 0 && 'takes root',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-first-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  await standIns(folder);
  const work = join(folder, 'work');
  mkdirSync(work);
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, HOME: folder };
  const shell = (script: string) => spawnSync('sh', ['-euc', script], { cwd: work, env, encoding: 'utf8' });
  const [recipe = '', ...others] = blocks('sh');
  assert.deepEqual(others, []);
  const first = shell(recipe);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stdout, /^1 package: nothing is wrong\nusr\/\nusr\/bin\/\nusr\/bin\/hello\n/m);
  const build = recipe.split('\n').find((line) => line.startsWith('luet-ts build')) ?? '';
  assert.match(shell(build).stderr, /^apps\/hello-1\.0: unchanged$/m);
  // The two packages that the page makes of it hold the same.
  for (const text of blocks('yaml')) {
    const [, name = '', file = ''] = /^# tree\/(\w+)\/(build\.yaml)/.exec(text) ?? [];
    mkdirSync(join(work, 'tree', name), { recursive: true });
    writeFileSync(join(work, 'tree', name, file), text);
  }
  writeFileSync(
    join(work, 'tree/toolchain/definition.yaml'),
    '{category: seed, name: toolchain, version: "1.0"}\n',
  );
  const second = shell(`luet-ts tree validate tree && ${build} && tar -tf out/hello-apps-1.0.package.tar`);
  assert.equal(second.status, 0, second.stderr);
  assert.match(second.stdout, /^2 packages: nothing is wrong\n(.*\n)*usr\/bin\/hello\n/m);
  assert.match(second.stderr, /^seed\/toolchain-1\.0: built in .* 0 files/m);
});
