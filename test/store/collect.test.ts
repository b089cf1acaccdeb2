import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { prefixOf, Store } from '../../src/store/index.ts';

/** A store in which a run that has ended left layers that no image has; and those. */
async function withLeftovers(t: TestContext): Promise<{ folder: string; left: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-store-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const ended = new Store({ folder, runId: 'ended', form: 'user' });
  const left = Array.from({ length: 20 }, () => ended.newLayer().files);
  await ended.close();
  return { folder, left };
}

test('a layer that gets its image while others are removed stays', async (t) => {
  const { folder, left } = await withLeftovers(t);
  // Layers are gone through by name: those of this run behind the others.
  let runId = 'run';
  while (prefixOf(runId) < prefixOf('ended')) runId += 's';
  const store = new Store({ folder, runId, form: 'user' });
  const made = Array.from({ length: 20 }, () => store.newLayer());
  const collecting = store.collect();
  for (const { id } of made) {
    store.put(`some/image:${id}`, {
      configuration: { os: 'linux', architecture: 'amd64' },
      layers: [{ id }],
    });
    store.layers.finish(id);
  }
  await collecting;
  for (const { files } of made) assert.ok(existsSync(files), files);
  for (const files of left) assert.ok(!existsSync(files), files);
  await store.close();
});

test('what a run works on stays until it does not, though no image has it', async (t) => {
  const { folder, left } = await withLeftovers(t);
  const [first = '', second = ''] = left;
  const run = new Store({ folder, runId: 'run', form: 'user' });
  const other = new Store({ folder, runId: 'other', form: 'user' });
  const [one, both] = [run.holds.hold([first]), run.holds.hold([first, second])];
  for (const store of [run, other]) {
    await store.collect();
    assert.deepEqual(
      left.filter((files) => existsSync(files)),
      [first, second],
    );
  }
  both.release();
  // Others see that the run has worked on it; the run itself knows better.
  await other.collect();
  assert.ok(existsSync(second));
  await run.collect();
  assert.deepEqual(
    left.filter((files) => existsSync(files)),
    [first],
  );
  one.release();
  await run.close();
  await other.collect();
  assert.ok(!existsSync(first));
  await other.close();
});
