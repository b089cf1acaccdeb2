import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { makers } from '../../../src/engine/native/sandbox/launch.ts';
import { BASE } from '../../support/engine.ts';
import { without } from '../../support/tool.ts';
import { freshStore, notHere } from '../native/support.ts';

/* What a machine mounts below /sys tells much of it: of its kernel, of crashes before, of other programs. */

const root = join(import.meta.dirname, '../../..');

for (const maker of makers)
  test(`no step sees what is mounted below /sys, by ${maker}`, {
    skip: notHere || without(maker),
    timeout: 60_000,
  }, async (t) => {
    const store = await freshStore(t);
    const script = `
import { scriptEngine } from './test/support/engines/native.ts';
const engine = scriptEngine('${store}', '${maker}');
const environment = new Map([['PATH', '/bin']]);
const workspace = await engine.open({ image: '${BASE}', environment, folder: '/luetbuild' });
const look = 'find /sys -name secret 2>/dev/null; ls /sys/kernel >/dev/null && echo looked';
await workspace.run(look, (_, chunk) => process.stdout.write(chunk));
await workspace.close();
await engine.close();`;
    const cover =
      'for at in kernel/debug kernel/tracing fs/pstore; do [ ! -d /sys/$at ] || { mount -t tmpfs none /sys/$at && echo x >/sys/$at/secret; } || exit 1; done; exec "$@"';
    const words = [
      '-m',
      'sh',
      '-c',
      cover,
      'sh',
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      script,
    ];
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout, stderr } = spawnSync('unshare', words, { cwd: root, env, encoding: 'utf8' });
    assert.equal(stdout, 'looked\n', stderr);
  });
