import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LayerChains } from '../../src/store/chains.ts';

test('layers are found on the layers that they lie on, as long as they are there', async () => {
  const gone = new Set<string>();
  const chains = new LayerChains(({ id }) => !gone.has(id));
  const [a, b] = [
    { id: 'a', diffId: 'sha256:a' },
    { id: 'b', diffId: 'sha256:b' },
  ] as const;
  chains.learn([{ layers: [a, b] }, { layers: [{ id: 'c' }] }]);
  const low = LayerChains.on('', 'sha256:a');
  assert.equal(await chains.find(low), a);
  assert.equal(await chains.find(LayerChains.on(low, 'sha256:b')), b);
  assert.equal(await chains.find(LayerChains.on('', 'sha256:b')), undefined);
  gone.add('a');
  assert.equal(await chains.find(low), undefined);
});

test('who needs a layer that is being written waits for it', async () => {
  const chains = new LayerChains(() => true);
  const chain = LayerChains.on('', 'sha256:a');
  const first = Promise.withResolvers<void>();
  chains.write(chain, first.promise);
  let answered = false;
  const found = chains.find(chain).then((layer) => {
    answered = true;
    return layer;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(answered, false);
  const layer = { id: 'a', diffId: 'sha256:a' } as const;
  chains.learn([{ layers: [layer] }]);
  first.resolve();
  assert.equal(await found, layer);
  // One that failed leaves nothing, and the next one writes.
  const second = Promise.withResolvers<void>();
  const other = LayerChains.on('', 'sha256:b');
  chains.write(other, second.promise);
  const none = chains.find(other);
  second.resolve();
  assert.equal(await none, undefined);
});
