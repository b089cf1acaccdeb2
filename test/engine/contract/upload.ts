import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Engine, Workspace } from '../../../src/engine/index.ts';
import type { Entry, SourceEntry } from '../../../src/tar/index.ts';
import { openOn, output, type Subject } from './subject.ts';

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
  const said = await output(workspace, "stat -c '%a %u %g %Y' /made; ls /made");
  return said.trim().split('\n').join(' ');
}

/** What `upload` leaves behind. */
export function uploadContract({ engine: make, base }: Subject): void {
  let engine: Engine;
  before(async () => {
    engine = await make();
  });
  after(() => engine.close());

  test('a folder is as it was uploaded, whether it was there so or otherwise', async () => {
    const below = await openOn(engine, base, '/made');
    const [same, other] = [`${repository}:same`, `${repository}:other`];
    try {
      await upload(below, { entry: folder });
      assert.equal(await seen(below), '755 0 0 1000000000');
      await below.commit(same, {});
      const between = await openOn(engine, same, '/made');
      assert.equal(await between.run('echo x >/made/x; chmod 700 /made', () => {}), 0);
      await between.commit(other, {});
      await between.close();
      for (const [image, files] of [
        [same, ''],
        [other, ' x'],
      ] as const) {
        const above = await openOn(engine, image, '/made');
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
}
