import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after, before } from 'node:test';
import type { Engine, Workspace } from '../../src/engine/index.ts';
import type { Entry, SourceEntry } from '../../src/tar/index.ts';
import { BASE, environment, isNative, testEngine } from '../support/engine.ts';
import { rawEngine } from '../support/site.ts';

let engine: Engine;
before(async () => {
  engine = await testEngine();
});
after(() => engine.close());

const repository = 'luet-ts-test/upload';
const folder: Entry = {
  path: 'made',
  type: 'directory',
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1_000_000_000,
};

const open = (image: string): Promise<Workspace> =>
  engine.open({ image, environment, folder: '/made', network: 'none' });

async function upload(workspace: Workspace, ...entries: readonly SourceEntry[]): Promise<void> {
  await workspace.upload(
    (async function* () {
      yield* entries;
    })(),
  );
}

async function* one(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('y');
}

/** What the container itself says of the folder. */
async function seen(workspace: Workspace): Promise<string> {
  let said = '';
  const code = await workspace.run("stat -c '%a %u %g %Y' /made; ls /made", (_, chunk) => {
    said += Buffer.from(chunk).toString();
  });
  assert.equal(code, 0, said);
  return said.trim().split('\n').join(' ');
}

test('a folder is as it was uploaded, whether it was there so or otherwise', async () => {
  const below = await open(BASE);
  const [same, other] = [`${repository}:same`, `${repository}:other`];
  try {
    await upload(below, { entry: folder });
    assert.equal(await seen(below), '755 0 0 1000000000');
    await below.commit(same, {});
    const between = await open(same);
    assert.equal(await between.run('echo x >/made/x; chmod 700 /made', () => {}), 0);
    await between.commit(other, {});
    await between.close();
    for (const [image, files] of [
      [same, ''],
      [other, ' x'],
    ] as const) {
      const above = await open(image);
      await upload(above, { entry: folder });
      assert.equal(await seen(above), `755 0 0 1000000000${files}`);
      // With something in it, it is not left out because the folder is there.
      const file = { entry: { ...folder, path: 'made/y', type: 'file', mode: 0o644, size: 1 } as const };
      await upload(above, { entry: folder }, { ...file, content: one });
      assert.equal(await seen(above), `755 0 0 1000000000${files} y`);
      for (const changed of [{ mode: 0o711 }, { uid: 7 }, { gid: 8 }, { mtime: 1_000_000_001 }]) {
        await upload(above, { entry: { ...folder, ...changed } });
        const { mode, uid, gid, mtime } = { ...folder, ...changed };
        assert.equal(await seen(above), `${mode.toString(8)} ${uid} ${gid} ${mtime}${files} y`);
      }
      await above.close();
    }
  } finally {
    await below.close();
    for (const image of [same, other]) await engine.remove(image);
  }
});

test('a name goes from one image to the next, and the former is not left behind', async (t) => {
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
    assert.equal((await own.resolve(image, { pull: false }))?.labels.which, second);
  } finally {
    await own.close();
  }
  if (!isNative) {
    const api = await rawEngine();
    t.after(() => api.close());
    const filters = JSON.stringify({ label: [`which=${first}`] });
    assert.deepEqual(await api.json('GET', '/images/json', { query: { filters } }), []);
  }
  await engine.remove(image);
});
