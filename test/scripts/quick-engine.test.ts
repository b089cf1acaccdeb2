import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { without } from '../support/tool.ts';

const setup = join(import.meta.dirname, '../support/engines/setup.ts');

test('where no engine answers and sandboxes can be had, the quick start takes the native engine by its name', {
  skip: process.platform !== 'linux' || without('bwrap'),
}, (t) => {
  const home = mkdtempSync(join(tmpdir(), 'luet-ts-home-'));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const script = `
    const { setUpQuickly } = await import(${JSON.stringify(setup)});
    const { url } = await setUpQuickly();
    process.stdout.write(url);
    process.exit();`;
  // A home in which no address of an engine is; whichever answers at the usual places is taken by its own.
  const env = { ...process.env, HOME: home, DOCKER_HOST: '', LUET_TS_TEST_ENGINE: '' };
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  });
  assert.match(said, /^(native|unix:\/\/.+)$/);
});
