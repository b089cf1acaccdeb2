import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Engine } from '../../../src/engine/index.ts';
import { writeTar } from '../../../src/tar/index.ts';
import { file, sourceOf } from '../../support/stream.ts';
import { openOn, output, type Subject } from './subject.ts';

const repository = `luet-ts-test/listed-${process.pid}`;

/** What names of images lead to: `list`, `resolve`, `commit`, `importImage`, `remove`. */
export function imagesContract({ engine: make, base }: Subject): void {
  let engine: Engine;
  before(async () => {
    engine = await make();
  });
  after(async () => {
    for (const tag of ['committed', 'imported', 'named']) await engine.remove(`${repository}:${tag}`);
    await engine.close();
  });

  test('a repository lists what was committed and imported under it, and one tag alone', async () => {
    const workspace = await openOn(engine, base);
    try {
      await workspace.commit(`${repository}:committed`, { 'luet-ts-test': 'a' });
    } finally {
      await workspace.close();
    }
    const made = await engine.importImage(`${repository}:imported`, writeTar(sourceOf([file('f', 'x')])));
    assert.deepEqual([made.reference, made.layers.length], [`${repository}:imported`, 1]);
    const listed = await engine.list(repository);
    assert.deepEqual([...listed.values()].map(({ tag, labels }) => [tag, labels['luet-ts-test']]).sort(), [
      ['committed', 'a'],
      ['imported', undefined],
    ]);
    const one = await engine.list(repository, 'committed');
    assert.deepEqual(
      [...one].map(([tag, { labels }]) => [tag, labels['luet-ts-test']]),
      [['committed', 'a']],
    );
    assert.equal((await engine.list(repository, 'none')).size, 0);
    assert.equal((await engine.list(`${repository}x`)).size, 0);
  });

  test('a name goes from one image to the next', async () => {
    const image = `${repository}:named`;
    const own = await make();
    try {
      for (const which of ['first', 'second']) {
        const workspace = await openOn(own, base);
        await output(workspace, `echo ${which} >/x`);
        await workspace.commit(image, { which });
        await workspace.close();
      }
      assert.equal((await own.resolve(image, { pull: false }))?.labels.which, 'second');
    } finally {
      await own.close();
    }
    // What is not temporary stays when its run ends.
    assert.equal((await engine.resolve(image, { pull: false }))?.labels.which, 'second');
  });

  test('an image is gone when its name is removed, and removing it again is no error', async () => {
    const image = `${repository}:imported`;
    await engine.remove(image);
    await engine.remove(image);
    assert.equal(await engine.resolve(image, { pull: false }), undefined);
    assert.equal((await engine.list(repository, 'imported')).size, 0);
  });

  test('a lock has one holder among all runs, where the engine has locks', async (t) => {
    if (engine.claim === undefined) return t.skip('this engine has no locks');
    const other = await make();
    try {
      const release = await engine.claim('x', () => assert.fail('nobody holds it'));
      let waits = 0;
      let isHeld = true;
      const second = other.claim?.('x', () => {
        waits++;
        assert.ok(isHeld);
        isHeld = false;
        release();
      });
      (await second)?.();
      assert.deepEqual([waits, isHeld], [1, false]);
    } finally {
      await other.close();
    }
  });

  test('an engine says what it is', async () => {
    const { name, platform, cpus } = await engine.report();
    assert.notEqual(name, '');
    assert.match(platform, /^linux\/\w+$/);
    assert.ok(cpus >= 1);
  });
}
