import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Engine } from '../../../src/engine/index.ts';
import { BASE, environment, isNative, testEngine } from '../../support/engine.ts';
import { insight } from '../../support/insight.ts';
import { rawEngine } from '../../support/site.ts';
import { file } from '../../support/stream.ts';

const skip = isNative && 'the native engine has no images without a name';

let engine: Engine;
const repository = `luet-ts-test/nameless-${process.pid}`;
before(async () => {
  engine = await testEngine();
});
after(() => engine.close());

test('an image whose name went to another is not left behind', { skip }, async (t) => {
  const image = `${repository}:named`;
  const [first, second] = [randomBytes(8), randomBytes(8)].map((bytes) => bytes.toString('hex'));
  const own = await testEngine();
  try {
    for (const which of [first, second]) {
      const workspace = await own.open({ image: BASE, environment, folder: '/made', network: 'none' });
      assert.equal(await workspace.run(`echo ${which} >/x`, () => {}), 0);
      await workspace.commit(image, { which: which ?? '' });
      await workspace.close();
    }
  } finally {
    await own.close();
  }
  const api = await rawEngine();
  t.after(() => api.close());
  const filters = JSON.stringify({ label: [`which=${first}`] });
  assert.deepEqual(await api.json('GET', '/images/json', { query: { filters } }), []);
  await engine.remove(image);
});

test('an image that lost its name in a run that was killed goes when it is old', { skip }, async () => {
  const own = `t/lost${process.pid}-1`;
  const name = `${repository}:lost`;
  const api = await insight();
  try {
    const labels = [{ 'luet-ts.run': '' }, {}, { 'luet-ts.run': '' }];
    for (const [at, one] of labels.entries())
      await api.load(name, [file('f', String(at))], { Labels: { 'luet-ts.package': own, ...one } });
    await engine.sweep(repository);
    const left = await api.nameless(own);
    // What is not labelled as made by a run is the user's.
    assert.equal(left.length, 1);
    for (const id of left) await api.drop(id.split(' ')[1] ?? '');
    assert.equal((await engine.resolve(name, { pull: false }))?.labels['luet-ts.package'], own);
    await engine.remove(name);
  } finally {
    api.close();
  }
});
