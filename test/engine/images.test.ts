import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Engine } from '../../src/engine/index.ts';
import { fromText, writeTar } from '../../src/tar/index.ts';
import { BASE, environment, isNative, testEngine } from '../support/engine.ts';
import { insight } from '../support/insight.ts';
import { file } from '../support/stream.ts';

let engine: Engine;
const repository = `luet-ts-test/listed-${process.pid}`;
before(async () => {
  engine = await testEngine();
});
after(async () => {
  for (const tag of ['committed', 'imported']) await engine.remove(`${repository}:${tag}`);
  await engine.close();
});

test('what is listed of a repository is what was committed and imported under it', async () => {
  const workspace = await engine.open({ image: BASE, environment, folder: '/luetbuild', network: 'none' });
  try {
    await workspace.commit(`${repository}:committed`, { 'luet-ts-test': 'a' });
  } finally {
    await workspace.close();
  }
  const file = { path: fromText('f'), type: 'file', mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1 } as const;
  await engine.importImage(
    `${repository}:imported`,
    writeTar(
      (async function* () {
        yield { entry: file };
      })(),
    ),
    { 'luet-ts-test': 'b' },
  );
  const listed = await engine.list(repository);
  assert.deepEqual([...listed.values()].map(({ tag, labels }) => [tag, labels['luet-ts-test']]).sort(), [
    ['committed', 'a'],
    ['imported', 'b'],
  ]);
  assert.deepEqual([...(await engine.list(`${repository}x`)).keys()], []);
});

test('an image that lost its name in a run that was killed goes when it is old', {
  skip: isNative,
}, async () => {
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
