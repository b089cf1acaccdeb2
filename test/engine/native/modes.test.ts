import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { without } from '../../support/tool.ts';
import { notHere } from './support.ts';

/*
 * The conformance cases and the engine's suite in each way of working that this machine allows: as root with each program that makes
 * sandboxes, as a user with a range of ids, as one with a single id, and in copies of the root. As root with bubblewrap they run anyway.
 */

const root = join(import.meta.dirname, '../../..');
const USER = 'luet-ts-test';

/** Runs a program to its end and answers what it said. Throws where it fails. */
async function run(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program = '', ...rest] = words;
  // A test runner inside of another would report to that.
  const { NODE_TEST_CONTEXT: _, ...own } = process.env;
  const child = spawn(program, rest, {
    cwd: root,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0, `${words.join(' ')}\n${said}`);
  return said;
}

/** Whether another user can read this checkout, and run the Node that runs this. */
function isOpen(): boolean {
  for (const path of [join(root, 'package.json'), process.execPath]) {
    const words = ['-u', USER, '--', 'test', '-r', path];
    if (spawnSync('runuser', words).status !== 0) return false;
  }
  return true;
}

const suites = ['test/conformance/cases.test.ts', 'test/engine/contract.test.ts'];

/** Conformance cases that end before a sandbox is made, or are about what is done before and after it. */
const sameEverywhere =
  'collection|diamond|errors-(conflict|cycle|missing-dep|no-image)|excludes|includes-regex|provides|provides-version|retrieve|subpackages|templates|unpack-includes|versions|virtual';

/** Those about which files changed: overlays tell it, whatever makes the sandbox, and the contract tries them more closely. */
const aboutChanges =
  'delta-basic|delta-modified|env-inherited|hardlink-base|luetbuild-output|opaque-dir|overlapping-siblings|package-dir|prelude-recreate|retrieve-unpacks';

/** Loads the base image into a store, and runs the suites on it: under these words. */
async function conforms(
  t: test.TestContext,
  under: readonly string[],
  kind: string,
  flags: readonly string[] = [],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-modes-'));
  chmodSync(folder, 0o777);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const env = { HOME: folder, TMPDIR: folder, LUET_TS_TEST_ENGINE: `${kind}:${folder}/store` };
  const load = `import { conformanceBase } from './scripts/base-image.ts'; import { loadBase } from './test/support/engines/setup.ts'; await loadBase('native:${folder}/store', await conformanceBase());`;
  await run([...under, process.execPath, '--input-type=module-typescript', '-e', load], {
    ...env,
    XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? '', '.cache'),
  });
  const isCopy = /\+(copy|bare)$/.test(kind);
  const skipped = `^(${isCopy ? sameEverywhere : `${sameEverywhere}|${aboutChanges}`}): `;
  const tests = ['--test', '--test-reporter=tap', `--test-skip-pattern=${skipped}`, ...flags, ...suites];
  const said = await run([...under, process.execPath, ...tests], env);
  assert.match(said, /^# fail 0$/m);
  // So that not everything was skipped.
  assert.ok(Number(/^# pass (\d+)$/m.exec(said)?.[1]) > 20, said);
}

const timeout = 300_000;

for (const maker of ['runc', 'crun', 'chroot'] as const)
  test(`as root, in sandboxes by ${maker}`, { skip: notHere || without(maker), timeout }, async (t) => {
    await conforms(t, [], `native+${maker}`);
  });

test('in copies of the root, in sandboxes', { skip: notHere || without('bwrap'), timeout }, async (t) => {
  await conforms(t, [], 'native+copy');
});

test('in copies of the root, by chroot alone', { skip: notHere, timeout }, async (t) => {
  await conforms(t, [], 'native+bare');
});

test('as a user', {
  skip: notHere || without('newuidmap') || without('useradd'),
  timeout: 2 * timeout,
}, async (t) => {
  accessSync('/etc/subuid', constants.R_OK);
  spawnSync('useradd', ['--no-create-home', '--shell', '/bin/sh', USER]);
  t.after(() => {
    spawnSync('userdel', [USER]);
  });
  if (spawnSync('grep', ['-q', `^${USER}:`, '/etc/subuid']).status !== 0)
    await run(['usermod', '--add-subuids', '700000-765535', '--add-subgids', '700000-765535', USER]);
  if (!isOpen()) return t.skip('another user cannot read this checkout');
  const asUser = ['runuser', '-u', USER, '--', 'unshare', '-Ur'];
  // Crun is left out: as a user it takes either version of control groups, but not both at once.
  for (const maker of ['bwrap', 'runc', 'chroot'] as const) {
    await t.test(`with a range of ids, by ${maker}`, { skip: without(maker) }, async (t) => {
      await conforms(t, [...asUser, '--map-auto', '-m', '--propagation', 'private'], `native+${maker}`);
    });
    const name = `with one id, by ${maker}, all but what has other owners`;
    await t.test(name, { skip: without(maker) }, async (t) => {
      await conforms(t, [...asUser, '-m', '--propagation', 'private'], `native+${maker}`, [
        // Files of other owners cannot be made.
        '--test-skip-pattern=/delta-file-kinds|a folder is as it was uploaded/',
      ]);
    });
  }
});
