import assert from 'node:assert/strict';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { NativeEngine } from '../../../src/engine/native/engine.ts';
import { digestOf, ImageError, type Layer } from '../../../src/image/index.ts';
import { Store, usageOf, verifyStore } from '../../../src/store/index.ts';
import { readTar } from '../../../src/tar/index.ts';
import { imageOf, scriptEngine } from '../../support/engines/native.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import type { Ending } from '../../support/site.ts';
import { chunked, collect } from '../../support/stream.ts';
import { notHere } from './support.ts';

const skip = notHere;
const NAME = 'luet-ts-test/exact:1';

/** As no packer of ours writes them: not sorted, `./` in front, times with fractions, something behind the end. */
const foreign: readonly RawEntry[] = [
  { name: './', flag: '5', mode: 0o755 },
  { name: './z', flag: '0', content: 'last first', pax: { mtime: '1000.25', comment: 'made elsewhere' } },
  { name: './b/', flag: '5', mode: 0o755, uid: 7 },
  { name: './b/f', flag: '0', content: 'f'.repeat(5000) },
  { name: './b/l', flag: '1', link: './b/f' },
  { name: './b/.wh.gone', flag: '0' },
];
const archive = Buffer.concat([rawTar(foreign), Buffer.alloc(8192)]);
const history = [{ created_by: 'a step' }, { created_by: 'ENV A=1', empty_layer: true }];

interface Kept {
  readonly folder: string;
  readonly engine: NativeEngine;
  /** The folder of the only layer. */
  layer(): string;
  leaving(): Promise<Layer>;
}

/** A store for a test, with a foreign image in it. */
async function kept(ending: Ending, bytes = archive, more: object = {}): Promise<Kept> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-exact-'));
  ending.after(() => rmSync(folder, { recursive: true, force: true }));
  const engine = scriptEngine(folder);
  ending.after(() => engine.close());
  const configuration = { os: 'linux', architecture: 'amd64', config: { Env: ['A=1'] }, ...more };
  await engine.images.write(NAME, imageOf(bytes, digestOf(bytes), configuration));
  return {
    folder,
    engine,
    layer() {
      const [id] = readdirSync(join(folder, 'layers'));
      return join(folder, 'layers', id ?? '');
    },
    async leaving() {
      const [layer] = (await (await engine.images.image(NAME))?.layers()) ?? [];
      assert.ok(layer !== undefined);
      return layer;
    },
  };
}

/** The layer as whoever asks gets it, with what it is told to be. */
async function check(layer: Layer): Promise<Buffer> {
  const bytes = await collect(layer.uncompressed());
  const { digest, size } = await layer.descriptor();
  assert.deepEqual([digestOf(bytes), bytes.length, digestOf(bytes)], [digest, size, await layer.diffId()]);
  return bytes;
}

async function paths(bytes: Buffer): Promise<string[]> {
  const found: string[] = [];
  for await (const { entry } of readTar(chunked(bytes, 1000))) found.push(entry.path);
  return found.sort();
}

test('an image leaves the store as it came: layers byte for byte, configuration and history', {
  skip,
}, async (t) => {
  const { engine, leaving } = await kept(t, archive, { history });
  for (let i = 0; i < 2; i++) assert.ok((await check(await leaving())).equals(archive));
  const configuration = await (await engine.images.image(NAME))?.configuration();
  assert.deepEqual(configuration, {
    os: 'linux',
    architecture: 'amd64',
    config: { Env: ['A=1'] },
    history,
    rootfs: { type: 'layers', diff_ids: [digestOf(archive)] },
  });
});

test('history that tells of other layers than there are stays behind', { skip }, async (t) => {
  for (const wrong of [[...history, {}], 'none', [null], ['a step']]) {
    const { engine } = await kept(t, archive, { history: wrong });
    const raw = await (await engine.images.image(NAME))?.rawConfiguration();
    assert.ok(!('history' in JSON.parse(Buffer.from(raw ?? '').toString())));
  }
});

test('a root file system that was imported leaves as it was, links in the way to its files and all', {
  skip,
}, async (t) => {
  const { engine } = await kept(t);
  const bytes = rawTar([
    { name: 'lib', flag: '2', link: 'usr/lib' },
    { name: 'usr/lib/', flag: '5' },
    { name: 'lib/so', flag: '0', content: 'code' },
    { name: './usr/lib/so2', flag: '1', link: 'lib/so' },
  ]);
  const { layers } = await engine.importImage('luet-ts-test/imported:1', chunked(bytes, 700));
  assert.deepEqual(layers, [digestOf(bytes)]);
  const [layer] = (await (await engine.images.image('luet-ts-test/imported:1'))?.layers()) ?? [];
  assert.ok(layer !== undefined && (await check(layer)).equals(bytes));
});

test('an import that replaces its own files is packed anew', { skip }, async (t) => {
  const { engine } = await kept(t);
  const f = (content: string): RawEntry => ({ name: 'a/f', flag: '0', content });
  const twice: readonly (readonly RawEntry[])[] = [
    [f('one'), f('two')],
    [f('one'), { name: 'a', flag: '2', link: 'b' }],
    [f('one'), { name: 'a/f', flag: '5' }],
  ];
  for (const [i, entries] of twice.entries()) {
    const name = `luet-ts-test/twice:${i}`;
    const bytes = rawTar([{ name: 'a', flag: '5' }, ...entries]);
    await engine.importImage(name, chunked(bytes));
    const [layer] = (await (await engine.images.image(name))?.layers()) ?? [];
    assert.ok(layer !== undefined && !(await check(layer)).equals(bytes));
  }
});

test('a layer whose archive cannot be put together again is packed', { skip }, async (t) => {
  const damages: Readonly<Record<string, (layer: string) => void>> = {
    'of an older store': (layer) => rmSync(join(layer, 'split.zst')),
    'cut short': (layer) => truncateSync(join(layer, 'split.zst'), 60),
    'no such form': (layer) => writeFileSync(join(layer, 'split.zst'), 'luet'),
    'another file': (layer) => {
      const file = join(layer, 'files/b/f');
      const { mtime } = statSync(file);
      writeFileSync(file, 'g'.repeat(5000));
      utimesSync(file, mtime, mtime);
    },
  };
  for (const [what, damage] of Object.entries(damages)) {
    const { layer, leaving } = await kept(t);
    damage(layer());
    const bytes = await check(await leaving());
    assert.ok(!bytes.equals(archive), what);
    // The whiteout hides nothing, as there is no layer below.
    assert.deepEqual(await paths(bytes), ['b', 'b/f', 'b/l', 'z'], what);
  }
});

test('what is damaged after it was told of ends the stream with an error', { skip }, async (t) => {
  const { layer, leaving } = await kept(t);
  const one = await leaving();
  assert.equal(await one.diffId(), digestOf(archive));
  writeFileSync(join(layer(), 'files/b/f'), 'g'.repeat(5000));
  await assert.rejects(collect(one.uncompressed()), ImageError);
  rmSync(join(layer(), 'files/b/f'));
  await assert.rejects(collect(one.compressed()), ImageError);
});

test('verify reads the archive too where it has nothing else to compare with', { skip }, async (t) => {
  for (const damaged of [false, true]) {
    const { folder, layer } = await kept(t);
    if (damaged) writeFileSync(join(layer(), 'files/b/f'), 'g'.repeat(5000));
    const store = new Store({ folder, runId: `verify-${damaged}`, form: 'trusted' });
    const states: string[] = [];
    for (let i = 0; i < 2; i++)
      for await (const { state } of verifyStore(store, new AbortController().signal, () => {}))
        states.push(state);
    await store.close();
    assert.deepEqual(states, damaged ? ['damaged', 'damaged'] : ['verified', 'verified']);
  }
});

test('what the archive is kept in counts, and goes with the layer', { skip }, async (t) => {
  const { folder, engine, layer } = await kept(t);
  const at = layer();
  const store = new Store({ folder, runId: 'usage', form: 'trusted' });
  const before = usageOf(store).total;
  const taken = statSync(join(at, 'split.zst')).blocks * 512;
  rmSync(join(at, 'split.zst'));
  assert.equal(usageOf(store).total, before - taken);
  assert.ok(taken > 0);
  await engine.remove(NAME);
  assert.ok(!existsSync(at));
  const left = readdirSync(join(folder, 'runs')).flatMap((run) => readdirSync(join(folder, 'runs', run)));
  assert.deepEqual(
    left.filter((name) => name.startsWith('split')),
    [],
  );
});
