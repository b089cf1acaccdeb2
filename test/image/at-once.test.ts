import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { inParallel } from '../../src/image/in-parallel.ts';
import { ociLayout } from '../../src/image/index.ts';
import { makeImage, readAll } from './registry/support.ts';

test('work on items is begun in their order, so much at once, and ends with its first failure', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.record({ turns: fc.nat(3), fails: fc.boolean() }), { maxLength: 12 }),
      async (count, items) => {
        const begun: number[] = [];
        const failed: number[] = [];
        let running = 0;
        let most = 0;
        const indexes = items.map((_, i) => i);
        const all = inParallel(count, indexes, undefined, async (i, signal) => {
          assert.ok(!signal.aborted, 'begun after a failure');
          begun.push(i);
          most = Math.max(most, ++running);
          for (let turn = 0; turn < (items[i]?.turns ?? 0); turn++) await setImmediate();
          running--;
          if (items[i]?.fails !== true) return;
          failed.push(i);
          throw new Error(String(i));
        });
        const outcome = await all.then(
          () => undefined,
          (error: Error) => Number(error.message),
        );
        assert.equal(running, 0);
        assert.ok(most <= count);
        assert.deepEqual(begun, indexes.slice(0, begun.length));
        assert.equal(outcome, failed[0]);
        if (failed.length === 0) assert.equal(begun.length, items.length);
      },
    ),
  ));

test('an abort ends work, and its reason is what is told', async () => {
  const stop = new AbortController();
  const all = inParallel(2, [1, 2, 3], stop.signal, async (_, signal) => {
    stop.abort(new Error('enough'));
    signal.throwIfAborted();
  });
  await assert.rejects(all, { message: 'enough' });
});

test('a layout takes several layers at once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-at-once-'));
  try {
    const image = await makeImage([1000, 2000, 3000]);
    const layers = await image.layers();
    let open: () => void = () => {};
    const allBegun = new Promise<void>((resolve) => (open = resolve));
    let begun = 0;
    const waiting = layers.map((layer) => ({
      ...layer,
      async *compressed() {
        if (++begun === layers.length) open();
        await allBegun;
        yield* layer.compressed();
      },
    }));
    await ociLayout(folder).write('a', { ...image, layers: async () => waiting });
    await readAll(await ociLayout(folder).image('a'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
