import assert from 'node:assert/strict';
import test from 'node:test';
import { cli } from '../../support/cli.ts';
import { BASE } from '../../support/engine.ts';
import { startRegistry } from '../../support/registry.ts';
import { filesOf, makeSite } from '../../support/site.ts';
import { without } from '../../support/tool.ts';
import { freshStore, notHere } from './support.ts';

const skip = notHere || without('bwrap') || without('docker-registry');

test('a base image that the store does not hold is pulled', { skip, timeout: 120_000 }, async (t) => {
  const registry = await startRegistry();
  t.after(() => registry.stop());
  const name = `${registry.host}/bases/one:1`;
  const from = `native:${await freshStore(t)}`;
  const to = `native:${await freshStore(t)}`;
  const site = makeSite(t, {
    a: { build: { image: name, steps: ['cat /etc/issue >/a'] } },
    b: { build: { image: `${registry.host}/bases/none:1`, steps: ['true'] } },
  });
  const push = await cli(['image', 'copy', '--engine', from, BASE, `docker://${name}`]);
  assert.equal(push.code, 0, push.stderr);
  const first = await site.build(['t/a', '--engine', to]);
  assert.equal(first.code, 0, first.stderr);
  assert.deepEqual(await filesOf(site.out, 'a'), ['a']);
  const second = await site.build(['t/b', '--engine', to]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /error\[no-such-image\].*bases\/none:1/);
});
