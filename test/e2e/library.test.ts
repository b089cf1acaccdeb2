import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as luet from '../../src/index.ts';
import { ENGINE } from '../support/engine.ts';
import { needs, onBase, writeTree } from '../support/site.ts';

const folder = mkdtempSync(join(tmpdir(), 'luet-ts-library-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const tree = join(folder, 'tree');
writeTree(tree, {
  base: { build: onBase('echo base >/base') },
  top: { build: { ...needs('base'), steps: ['cat /base >/top'] } },
  slow: { build: onBase('echo begun; sleep 600') },
  broken: { build: onBase('false') },
});

/** Folders of runs, of which each build has one for as long as it takes. */
const runFolders = (): string[] =>
  readdirSync(tmpdir()).flatMap((name) =>
    name === `luet-ts-${process.getuid?.()}` ? readdirSync(join(tmpdir(), name)) : [],
  );

const build = (packages: readonly string[], more: Partial<luet.BuildTreeOptions> = {}) =>
  luet.build({
    tree,
    packages,
    destination: join(folder, 'out'),
    engine: ENGINE,
    imageRepository: `luet-ts-test/${randomBytes(6).toString('hex')}`,
    keepImages: false,
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
    ...more,
  });

test('a program builds packages in one call', async () => {
  const events: string[] = [];
  const { packages } = await build(['t/top'], { onEvent: ({ type }) => events.push(type) });
  assert.deepEqual(
    packages.map((one) => `${one.package} ${one.outcome}`),
    ['t/base-1 built', 't/top-1 built'],
  );
  assert.ok(packages.every(({ archive }) => existsSync(archive)));
  assert.ok(events.includes('planned') && events.includes('written'));
});

test('what is wrong is an error that carries findings', async () => {
  await assert.rejects(build(['t/tpo']), (error) => {
    assert.ok(error instanceof luet.DiagnosticError);
    assert.match(error.diagnostics[0]?.hint ?? error.message, /top/);
    return true;
  });
  await assert.rejects(build(['t/broken']), (error) => {
    assert.ok(error instanceof luet.BuildFailedError);
    assert.deepEqual(
      error.result.failed.map((one) => one.package),
      ['t/broken-1'],
    );
    assert.equal(error.diagnostics[0]?.code, 'step-failed');
    return true;
  });
});

test('an abort ends what runs, and nothing of the build is left', async () => {
  const before = runFolders();
  const aborter = new AbortController();
  const building = build(['t/slow'], {
    signal: aborter.signal,
    onEvent: ({ type }) => type === 'output' && aborter.abort(new Error('enough')),
  });
  await assert.rejects(building, /enough/);
  assert.deepEqual(
    runFolders().filter((name) => !before.includes(name) && name.includes(`.${process.pid}.`)),
    [],
  );
  assert.deepEqual(
    readdirSync(join(folder, 'out')).filter((name) => name.startsWith('slow')),
    [],
  );
});
