import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type Engine, EngineError } from '../../../src/engine/index.ts';
import { writeTar } from '../../../src/tar/index.ts';
import { BASE, environment } from '../../support/engine.ts';
import { scriptEngine } from '../../support/engines/native.ts';
import { without } from '../../support/tool.ts';
import { freshStore, notHere } from './support.ts';

const skip = notHere || without('bwrap');
const silent = (): void => {};

/** The kind of the engine's failure that a promise rejects with. */
async function kindOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof EngineError, String(error));
    return error.kind;
  }
  return assert.fail('it went well');
}

const open = (engine: Engine): ReturnType<Engine['open']> =>
  engine.open({ image: BASE, environment, folder: '/luetbuild', network: 'none' });

test('a full disk is told plainly, and leaves nothing that is believed', { skip }, async (t) => {
  const disk = mkdtempSync(join(tmpdir(), 'luet-ts-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'luet-ts-test', disk]);
  t.after(() => {
    spawnSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });
  if (mounted.status !== 0) return t.skip('a small disk cannot be mounted');
  const store = await freshStore(t, disk);
  const engine = scriptEngine(store);
  const layers = (): number => readdirSync(join(store, 'layers')).length;
  try {
    const before = layers();
    const workspace = await open(engine);
    const fill = workspace.run('dd if=/dev/zero of=/big bs=64k 2>/dev/null', silent);
    assert.equal(await kindOf(fill), 'no-space');
    await workspace.close();

    const uploading = await open(engine);
    const size = 16 << 20;
    const entry = { path: 'big', type: 'file', mode: 0o644, uid: 0, gid: 0, size, mtime: 1 } as const;
    const bytes = async function* (): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 16; i++) yield Buffer.alloc(1 << 20);
    };
    const big = async function* () {
      yield { entry, content: bytes };
    };
    assert.equal(await kindOf(uploading.upload(big())), 'no-space');
    await uploading.close();
    assert.equal(await kindOf(engine.importImage('luet-ts-test/full:1', writeTar(big()))), 'no-space');
    assert.equal(await engine.resolve('luet-ts-test/full:1', { pull: false }), undefined);
    assert.equal(layers(), before);

    // There is room again, and all is well.
    const last = await open(engine);
    assert.equal(await last.run('echo small >/small', silent), 0);
    await last.commit('luet-ts-test/small:1', {});
    await last.close();
    assert.notEqual(await engine.resolve('luet-ts-test/small:1', { pull: false }), undefined);
  } finally {
    await engine.close();
  }
});

for (const way of ['bwrap', 'copy', 'bare'] as const)
  test(`by ${way}, a disk that is full or has no more files is told as the store's, and nothing stays on it`, {
    skip,
    timeout: 60_000,
  }, async (t) => {
    const disk = mkdtempSync(join(tmpdir(), 'luet-ts-disk-'));
    const options = 'size=9m,nr_inodes=1000';
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'luet-ts-test', disk]);
    t.after(() => {
      spawnSync('umount', ['-l', disk]);
      rmSync(disk, { recursive: true, force: true });
    });
    if (mounted.status !== 0) return t.skip('a small disk cannot be mounted');
    const store = await freshStore(t, disk);
    const layers = (): number => readdirSync(join(store, 'layers')).length;
    const before = layers();
    const engine = scriptEngine(store, way);
    t.after(() => engine.close());
    const fillers: readonly (() => void)[] = [
      () => spawnSync('dd', ['if=/dev/zero', `of=${disk}/big`, 'bs=4k']),
      () => {
        for (let i = 0; statfsSync(disk).ffree > 0; i++) writeFileSync(join(disk, `file${i}`), '');
      },
    ];
    const makeRoom = (): void => {
      for (const name of readdirSync(disk)) if (/^big|^file/.test(name)) rmSync(join(disk, name));
    };
    // A command that fills the disk and says nothing of it, and an image that is then to be made.
    const filling = await open(engine);
    assert.equal(await filling.run('dd if=/dev/zero of=/big bs=4k 2>/dev/null; :', silent), 0);
    // Where files are put back behind a command, there is a little room again.
    for (const filler of fillers) filler();
    assert.equal(await kindOf(filling.commit('luet-ts-test/full:1', {})), 'no-space');
    await filling.close();
    assert.equal(layers(), before);
    makeRoom();
    // Full from the beginning.
    for (const filler of fillers) {
      filler();
      const work = async (): Promise<void> => {
        const workspace = await open(engine);
        try {
          await workspace.run('echo x >/x', silent);
          await workspace.commit('luet-ts-test/full:1', {});
        } finally {
          await workspace.close();
        }
      };
      assert.equal(await kindOf(work()), 'no-space');
      makeRoom();
      await work();
      await engine.remove('luet-ts-test/full:1');
    }
    assert.equal(layers(), before);
    await engine.close();
    assert.deepEqual(readdirSync(join(store, 'runs')), []);
  });

test('a chain of 300 images can be built on', { skip, timeout: 240_000 }, async (t) => {
  const store = await freshStore(t);
  const engine = scriptEngine(store);
  try {
    let image = BASE;
    for (let i = 1; i <= 300; i++) {
      const workspace = await engine.open({ image, environment, folder: '/', network: 'none' });
      // Every tenth does what a chain must carry on: it runs, removes what is below, and makes it again.
      if (i % 10 === 0)
        assert.equal(
          await workspace.run(`echo ${i} >/ran${i}; rm -rf /d; mkdir /d; echo ${i} >/d/${i}`, silent),
          0,
        );
      await workspace.commit(`luet-ts-test/chain:${i}`, {});
      await workspace.close();
      image = `luet-ts-test/chain:${i}`;
    }
    const reader = await engine.openForReading(image);
    const paths = (await reader.list('')).map(({ path }) => path).filter((path) => /^(ran|d\/)/.test(path));
    await reader.close();
    const ran = Array.from({ length: 30 }, (_, i) => `ran${(i + 1) * 10}`);
    assert.deepEqual(paths, ['d/300', ...ran].sort());
  } finally {
    await engine.close();
  }
});
