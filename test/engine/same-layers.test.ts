import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Engine, EngineError } from '../../src/engine/index.ts';
import {
  assembleImage,
  digestOf,
  type Image,
  ImageError,
  type Layer,
  layerMediaType,
  removeFolder,
} from '../../src/image/index.ts';
import { testEngine } from '../support/engine.ts';
import { extractedLines, linesOf } from '../support/image-lines.ts';
import { LayerModel } from '../support/layer-model.ts';
import { type RawEntry, rawTar } from '../support/raw-tar.ts';
import { chunked } from '../support/stream.ts';

const isRoot = process.getuid?.() === 0;
const NAME = `luet-ts-test/layers-${process.pid}:1`;

const dir = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  flag: '5',
  mode: 0o755,
  ...more,
});
const file = (name: string, content = '', more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  flag: '0',
  content,
  ...more,
});
const symlink = (name: string, link: string): RawEntry => ({ name, flag: '2', link });
const hardlink = (name: string, link: string): RawEntry => ({ name, flag: '1', link });

/** The layers of one small image. */
type Case = readonly (readonly RawEntry[])[];

/** What lies in an image, a line a path; a sentence where the image is refused. */
type Outcome = readonly string[] | string;

function layerOf(tar: Buffer): Layer {
  const digest = digestOf(tar);
  return {
    descriptor: async () => ({ mediaType: layerMediaType('none'), digest, size: tar.length }),
    diffId: async () => digest,
    compressed: () => chunked(tar, 50_000),
    uncompressed: () => chunked(tar, 50_000),
  };
}

function imageOf(tars: readonly Buffer[]): Image {
  const created = '2020-01-02T03:04:05Z';
  const configuration = {
    created,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['/x'] },
    rootfs: { type: 'layers', diff_ids: tars.map(digestOf) },
    history: tars.map(() => ({ created })),
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), tars.map(layerOf));
}

/** What our own extraction makes of layers. */
async function ours(layers: Case): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-layers-'));
  try {
    return await extractedLines(
      layers.map((entries) => chunked(rawTar(entries), 700)),
      folder,
    );
  } catch (error) {
    if (error instanceof ImageError) return error.message;
    throw error;
  } finally {
    removeFolder(folder);
  }
}

/** What the engine makes of layers. */
async function theirs(engine: Engine, layers: Case): Promise<Outcome> {
  const image = imageOf(layers.map((entries) => rawTar(entries)));
  try {
    await engine.write([{ name: NAME, image }]);
    // Docker 29 unpacks what it loaded when it is used first.
    const reader = await engine.openForReading(NAME);
    const lines = await linesOf(reader);
    await reader.close();
    return lines;
  } catch (error) {
    if (error instanceof EngineError || error instanceof ImageError) return error.message;
    throw error;
  } finally {
    await engine.remove(NAME);
  }
}

/** A folder of its own for each of several images that are loaded as one; deep, so that what leads upwards stays in it. */
const placeOf = (index: number): string => `case${index}/1/2/3/4`;

/** What all engines take of random layers, in its place. */
function placed(layers: Case, index: number): Case {
  const place = placeOf(index);
  const under = (name: string): string => (name.startsWith('/') ? `/${place}${name}` : `${place}/${name}`);
  const parents = place.split('/').map((_, i, parts) => dir(parts.slice(0, i + 1).join('/')));
  const models: LayerModel[] = [];
  return layers.map((entries) => {
    const model = new LayerModel([...models]);
    models.push(model);
    const here = entries.map((entry) => ({
      ...entry,
      name: under(entry.name),
      ...(entry.flag === '1' ? { link: under(entry.link ?? '') } : {}),
      ...(entry.flag === '2' && entry.link?.startsWith('/') ? { link: under(entry.link) } : {}),
    }));
    return [...parents, ...here].filter((entry) => model.take(entry));
  });
}

function joined(cases: readonly Case[]): Case {
  const most = Math.max(...cases.map((layers) => layers.length));
  return Array.from({ length: most }, (_, i) => cases.flatMap((layers) => layers[i] ?? []));
}

/** What the engine makes of many small images, loaded as few: those that it refuses are found by halving. */
async function allTheirs(engine: Engine, cases: ReadonlyMap<number, Case>): Promise<Map<number, Outcome>> {
  const found = new Map<number, Outcome>();
  const all = await theirs(engine, joined([...cases.values()]));
  if (typeof all !== 'string')
    for (const index of cases.keys())
      found.set(
        index,
        all.filter((line) => new RegExp(`^case${index}[/ ]`).test(line)),
      );
  else if (cases.size === 1) for (const index of cases.keys()) found.set(index, all);
  else {
    const list = [...cases];
    const middle = list.length >> 1;
    for (const half of [list.slice(0, middle), list.slice(middle)])
      for (const [index, outcome] of await allTheirs(engine, new Map(half))) found.set(index, outcome);
  }
  return found;
}

const part = fc.constantFrom('a', 'b', 'c');
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const spelled = fc
  .tuple(fc.constantFrom('', '', '', '', './', '/', '../', 'x/../', 'a/./'), path)
  .map((parts) => parts.join(''));
const link = fc.oneof(
  path,
  fc.constantFrom('.', '..', '../b', '../../c', '/', '/a', '/b/c', 'a/../b', '../../../../a'),
);
const item: fc.Arbitrary<RawEntry> = fc.oneof(
  {
    weight: 6,
    arbitrary: spelled.map((name) => file(name, name)),
  },
  // Folders that a later layer has something in and does not say anything of are another in 20.10 and podman than in Docker 29.
  { weight: 6, arbitrary: spelled.map((name) => dir(name)) },
  {
    weight: 4,
    arbitrary: fc.tuple(path, link).map(([name, to]) => symlink(name, to)),
  },
  { weight: 2, arbitrary: fc.tuple(path, spelled).map(([name, to]) => hardlink(name, to)) },
  { weight: 1, arbitrary: path.map((name) => ({ name, flag: '6', mode: 0o600 })) },
  { weight: 1, arbitrary: path.map((name) => ({ name, flag: '3', major: 0, minor: 0 })) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.option(path, { nil: '.' }), fc.constantFrom('.wh.a', '.wh.b', '.wh.c', '.wh..wh..opq'))
      .map(([at, name]) => file(`${at}/${name}`)),
  },
);

/** One for all files of a layer: further names of a file have metadata of their own in an archive, which engines give it or not. */
const metadata = fc.record({
  mtime: fc.nat(2_000_000_000),
  // Not with set-id bits: Docker 29 takes these from a file that gets a further name.
  mode: fc.constantFrom(0o644, 0o755, 0o600),
  uid: fc.constantFrom(0, 1000),
  gid: fc.constantFrom(0, 7),
});
const layer = fc
  .tuple(fc.array(item, { minLength: 4, maxLength: 24 }), metadata)
  .map(([items, more]) => items.map((entry) => (entry.flag === '5' ? entry : { ...entry, ...more })));
const anyCase: fc.Arbitrary<Case> = fc.array(layer, { minLength: 1, maxLength: 3 });

/** An entry in a few letters. */
const told = ({ name, flag, link, uid }: RawEntry): string =>
  `${flag} ${name}${link === undefined ? '' : ` -> ${link}`}${uid ? ' (owned)' : ''}`.replaceAll(
    /case\d+\/1\/2\/3\/4/g,
    '~',
  );

describe('layers mean what they mean in this engine', { skip: isRoot ? false : 'needs root' }, () => {
  let engine: Engine;
  before(async () => {
    engine = await testEngine();
  });
  after(async () => {
    await engine.remove(NAME);
    await engine.close();
  });

  test('layers that every engine takes', async (t) => {
    const count = Number(process.env.LUET_TS_TEST_LAYERS || 40);
    const seed = Number(process.env.LUET_TS_TEST_SEED || Date.now() % 1_000_000);
    t.diagnostic(`LUET_TS_TEST_SEED=${seed}`);
    const cases = new Map(fc.sample(anyCase, { numRuns: count, seed }).map((one, i) => [i, placed(one, i)]));
    const outcomes = await allTheirs(engine, cases);
    const different: string[] = [];
    for (const [index, layers] of cases) {
      try {
        assert.deepEqual(await ours(layers), outcomes.get(index));
      } catch (error) {
        const entries = layers.map((list) => list.slice(5).map(told).join('; ')).join('\n  ');
        different.push(`case ${index}:\n  ${entries}\n${(error as Error).message}`);
      }
    }
    assert.equal(
      different.length,
      0,
      `LUET_TS_TEST_SEED=${seed}: ${different.length}\n${different.slice(0, 3).join('\n')}`,
    );
  });

  test('names that begin at the root, and what is said of the root', async () => {
    const layers: Case = [
      [
        dir('./', { mode: 0o700, uid: 5 }),
        file('/f', 'f'),
        file('../../g', 'g'),
        dir('d/e'),
        symlink('d/e/up', '../../../../h'),
        dir('h'),
        file('d/e/up/i', 'i'),
        symlink('abs', '/h'),
        file('abs/j', 'j'),
        hardlink('k', '../../abs/j'),
        file('setid', 's', { mode: 0o6755, uid: 5, gid: 6 }),
      ],
      [file('.wh..wh..opq'), file('.wh.g'), file('.wh..wh.plnk/l', 'l')],
    ];
    const mine = await ours(layers);
    assert.deepEqual(mine, await theirs(engine, layers));
    assert.ok(Array.isArray(mine) && mine.some((line) => line.startsWith('h/j file')));
  });

  test("an image's own empty folders, where Docker cannot save the image", async () => {
    const write = { name: NAME, image: imageOf([rawTar([dir('proc'), dir('run'), file('../../g')])]) };
    await engine.write([write]);
    try {
      const reader = await engine.openForReading(NAME);
      const paths = (await reader.list('')).map(({ path }) => path);
      await reader.close();
      assert.deepEqual(paths.sort(), ['g', 'proc', 'run']);
    } finally {
      await engine.remove(NAME);
    }
  });

  test('what every engine refuses', async () => {
    const cases: Readonly<Record<string, Case>> = {
      'a path through a file': [[file('f', 'f'), file('f/g')]],
      'a circle of links': [[symlink('a', 'b'), symlink('b', 'a'), file('a/c')]],
      'a hard link to nothing': [[hardlink('a', 'b')]],
      'a hard link to a folder': [[dir('a'), hardlink('b', 'a')]],
      'a whiteout of nothing': [[file('.wh.')]],
      'a type that there is not': [[{ name: 'a', flag: 'Z' }]],
      'a name that is too long': [[file('n'.repeat(256))]],
    };
    for (const [name, layers] of Object.entries(cases)) {
      assert.equal(typeof (await ours(layers)), 'string', name);
      assert.equal(typeof (await theirs(engine, layers)), 'string', name);
    }
  });
});
