import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import {
  assembleImage,
  digestOf,
  dockerArchive,
  extractImage,
  fileLayer,
  type Image,
  ImageError,
  type ImageSource,
  imageOfLayers,
  ociArchive,
  ociArchiveSink,
  ociLayout,
  openPath,
  packLayer,
  rootfsImage,
  rootfsSink,
} from '../../../src/image/index.ts';
import { type Compression, readTar } from '../../../src/tar/index.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { chunked, collect } from '../../support/stream.ts';
import { run, without } from '../../support/tool.ts';

async function scratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-layout-'));
  try {
    await work(folder);
    const left = readdirSync(folder, { recursive: true }).filter((name) =>
      String(name).includes('.luet-ts-'),
    );
    assert.deepEqual(left, []);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const file = (name: string, content = ''): RawEntry => ({ name, flag: '0', content });

/** A layer in memory. */
async function layerOf(entries: readonly RawEntry[], compression: Compression) {
  const bytes = await collect(packLayer(chunked(rawTar(entries)), compression));
  return fileLayer({ size: bytes.length, read: () => chunked(bytes, 1000) });
}

/** An image of three layers in three compressions, the last of which hides a file of the first. */
async function sample(
  mark = '1',
  compressions: readonly Compression[] = ['gzip', 'zstd', 'none'],
): Promise<Image> {
  const entries = [
    [file('etc/a', mark), file('etc/b', 'b'.repeat(5000))],
    [file('etc/.wh.a')],
    [file('c', 'c')],
  ];
  const layers = await Promise.all(entries.map((one, i) => layerOf(one, compressions[i] ?? 'gzip')));
  const diff_ids = await Promise.all(layers.map((layer) => layer.diffId()));
  const configuration = {
    architecture: 'amd64',
    os: 'linux',
    config: { Env: ['A=b'] },
    rootfs: { type: 'layers', diff_ids },
    history: layers.map(() => ({ created_by: 'test' })),
  };
  return assembleImage(Buffer.from(JSON.stringify(configuration)), layers);
}

/** What an image is: its manifest's digest where `exact`, its configuration, and what its layers unpack to. */
async function identity(image: Image | undefined, exact = true) {
  assert.ok(image !== undefined);
  const layers = [];
  for (const layer of await image.layers()) {
    const stored = await collect(layer.compressed());
    const { digest, size } = await layer.descriptor();
    assert.deepEqual([digestOf(stored), stored.length], [digest, size]);
    layers.push(digestOf(await collect(layer.uncompressed())));
  }
  assert.deepEqual(layers, (await image.configuration()).rootfs.diff_ids);
  const manifest = exact ? (await image.descriptor()).digest : '';
  return { manifest, configuration: digestOf(await image.rawConfiguration()), layers };
}

test('an image is the same in a layout, in its archive, and, but for its manifest, in an archive of Docker', () =>
  scratch(async (folder) => {
    const image = await sample();
    const exact = await identity(image);
    const layout = ociLayout(join(folder, 'layout'));
    const written = await layout.write('v1', image);
    assert.equal(written.digest, exact.manifest);
    assert.deepEqual(await identity(await ociLayout(join(folder, 'layout')).image('v1')), exact);
    assert.deepEqual(await identity(await layout.image('')), exact);
    const opened = await openPath({ kind: 'oci', path: join(folder, 'layout'), tag: 'v1' });
    assert.deepEqual(await identity(opened.image), exact);
    assert.equal(await layout.image('v2'), undefined);
    const archive = join(folder, 'oci.tar');
    await ociArchiveSink(archive).write('v1', image);
    assert.deepEqual(await identity(await ociArchive(archive).image('v1')), exact);
    const saved = join(folder, 'docker.tar');
    const loose = await identity(image, false);
    await dockerArchive(saved).write('example/app:1', image);
    assert.deepEqual(
      await identity(await dockerArchive(saved).image('docker.io/example/app:1'), false),
      loose,
    );
    assert.deepEqual(await identity(await dockerArchive(saved).image(''), false), loose);
    assert.equal(await dockerArchive(saved).image('example/other'), undefined);
    // Equal images make equal archives.
    const before = readFileSync(archive);
    await ociArchiveSink(archive).write('v1', await sample());
    assert.ok(before.equals(readFileSync(archive)));
  }));

test('what is not there is undefined, and what is no place of images is an error', () =>
  scratch(async (folder) => {
    const at = (name: string) => join(folder, name);
    assert.equal(await ociArchive(at('none')).image(''), undefined);
    assert.equal(await dockerArchive(at('none')).image(''), undefined);
    await assert.rejects(rootfsImage(at('none')), ImageError);
    await assert.rejects(
      openPath({ kind: 'oci-archive', path: at('none'), tag: 'x' }),
      /none cannot be read: it does not exist/,
    );
    await assert.rejects(async () => ociLayout(at('none')).image(''), ImageError);
    mkdirSync(at('empty'));
    await assert.rejects(async () => ociLayout(at('empty')).image(''), /is not an OCI layout/);
    writeFileSync(at('text'), 'text'.repeat(500));
    for (const source of [ociArchive(at('text')), dockerArchive(at('text'))])
      await assert.rejects(async () => source.image(''), ImageError);
    await ociArchiveSink(at('a.tar')).write('', await sample());
    await assert.rejects(
      openPath({ kind: 'oci-archive', path: at('a.tar'), tag: 'x' }),
      /image named "x" not found/,
    );
    await assert.rejects(async () => dockerArchive(at('a.tar')).image(''), /manifest.json/);
    writeFileSync(at('a.tgz'), await collect(packLayer(chunked(readFileSync(at('a.tar'))), 'gzip')));
    await assert.rejects(async () => ociArchive(at('a.tgz')).image(''), /compressed/);
    writeFileSync(at('cut.tar'), readFileSync(at('a.tar')).subarray(0, 3000));
    await assert.rejects(async () => ociArchive(at('cut.tar')).image(''), ImageError);
  }));

test('names: one image replaces what had its name, others stay, and one of several must be named', () =>
  scratch(async (folder) => {
    const layout = ociLayout(folder);
    const [one, two] = [await sample('1'), await sample('2')];
    await layout.write('a', one);
    await layout.write('b', one);
    await layout.write('a', two);
    const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
    assert.equal(index.manifests.length, 2);
    assert.deepEqual(await identity(await layout.image('a')), await identity(two));
    assert.deepEqual(await identity(await layout.image('b')), await identity(one));
    await assert.rejects(async () => layout.image(''), /a|b/);
    // What others wrote into the index is kept.
    writeFileSync(join(folder, 'index.json'), JSON.stringify({ ...index, annotations: { mine: 'yes' } }));
    await layout.write('c', one);
    assert.equal(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')).annotations.mine, 'yes');
  }));

test('many writers at once lose nothing', () =>
  scratch(async (folder) => {
    const layout = join(folder, 'layout');
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`);
    const images = await Promise.all(names.map((name, i) => sample(i % 2 ? name : 'same')));
    await Promise.all(names.map((name, i) => ociLayout(layout).write(name, images[i] as Image)));
    for (const [i, name] of names.entries())
      assert.deepEqual(await identity(await ociLayout(layout).image(name)), await identity(images[i]));
    assert.ok(!existsSync(join(layout, '.index.json.lock')));
  }));

test('a lock and temporary folders that a crash left are done away with, those of others are not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-layout-'));
  try {
    const old = new Date(Date.now() - 48 * 3600 * 1000);
    writeFileSync(join(folder, '.index.json.lock'), '');
    for (const name of ['.luet-ts-old', '.luet-ts-new', 'other']) mkdirSync(join(folder, name));
    for (const name of ['.index.json.lock', '.luet-ts-old', 'other'])
      utimesSync(join(folder, name), old, old);
    await ociLayout(folder).write('a', await sample());
    assert.deepEqual(readdirSync(folder).sort(), [
      '.luet-ts-new',
      'blobs',
      'index.json',
      'oci-layout',
      'other',
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a lock that a crash left goes though the clock was set back since', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-layout-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const lock = join(folder, '.index.json.lock');
  writeFileSync(lock, 'another-host.1.2.3');
  const later = new Date(Date.now() + 3600 * 1000);
  utimesSync(lock, later, later);
  // Time goes by quickly here.
  const real = performance.now.bind(performance);
  let more = 0;
  t.mock.method(performance, 'now', () => {
    more += 5000;
    return real() + more;
  });
  await ociLayout(folder).write('a', await sample(), { signal: AbortSignal.timeout(10_000) });
  assert.ok(!existsSync(lock));
});

test('what runs left that are over is done away with at once', () =>
  scratch(async (folder) => {
    const isOver = (name: string): boolean => name === 'host.over-1';
    for (const name of ['.luet-ts-host.over-1-aaaaaa', '.luet-ts-host.alive-1-aaaaaa'])
      mkdirSync(join(folder, name));
    writeFileSync(join(folder, '.index.json.lock'), 'host.over-1');
    await ociLayout(folder).write('a', await sample(), { run: { name: 'host.me-1', isOver } });
    assert.deepEqual(readdirSync(folder).sort(), [
      '.luet-ts-host.alive-1-aaaaaa',
      'blobs',
      'index.json',
      'oci-layout',
    ]);
    rmSync(join(folder, '.luet-ts-host.alive-1-aaaaaa'), { recursive: true });
  }));

test('layouts and archives that lie are found out', () =>
  scratch(async (folder) => {
    const image = await sample();
    const { digest } = await image.descriptor();
    const [layer] = await image.layers();
    const place = (name: string) => join(folder, 'layout/blobs/sha256', name.slice('sha256:'.length));
    const fresh = async () => {
      rmSync(join(folder, 'layout'), { recursive: true, force: true });
      await ociLayout(join(folder, 'layout')).write('', image);
    };
    const read = async () => identity(await ociLayout(join(folder, 'layout')).image(''));
    await fresh();
    const stored = place((await (layer as NonNullable<typeof layer>).descriptor()).digest);
    const bytes = readFileSync(stored);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    writeFileSync(stored, bytes);
    await assert.rejects(read, ImageError);
    await fresh();
    appendFileSync(stored, 'x');
    await assert.rejects(read, /larger than/);
    await fresh();
    writeFileSync(place(digest), '{"schemaVersion":2}');
    await assert.rejects(read, ImageError);
    await fresh();
    rmSync(stored);
    await assert.rejects(read, /blob sha256:[0-9a-f]+ not found/);
    await fresh();
    const index = join(folder, 'layout/index.json');
    for (const text of [
      '',
      '[]',
      '{"manifests":[{"digest":"sha256:../../etc/passwd","size":1,"mediaType":"x"}]}',
      '{"manifests":{}}',
    ]) {
      writeFileSync(index, text);
      await assert.rejects(read, ImageError);
    }
  }));

test('a write that fails leaves nothing and keeps what was there', () =>
  scratch(async (folder) => {
    const image = await sample();
    const layers = await image.layers();
    const bad: Image = {
      ...image,
      layers: async () => [...layers.slice(0, -1), await layerOf([file('other')], 'none')],
    };
    for (const [name, sink] of [
      ['oci.tar', ociArchiveSink(join(folder, 'oci.tar'))],
      ['root', rootfsSink(join(folder, 'root'), { owners: 'none', limits: { bytes: 10 } })],
      ['layout', ociLayout(join(folder, 'layout'))],
    ] as const) {
      await assert.rejects(sink.write('x', bad), ImageError, name);
      assert.ok(name === 'layout' || !existsSync(join(folder, name)), name);
    }
    assert.ok(!existsSync(join(folder, 'layout/index.json')));
    const stop = AbortSignal.abort(new Error('stop'));
    await ociArchiveSink(join(folder, 'oci.tar')).write('x', image);
    const before = readFileSync(join(folder, 'oci.tar'));
    await assert.rejects(ociArchiveSink(join(folder, 'oci.tar')).write('y', image, { signal: stop }), /stop/);
    assert.ok(before.equals(readFileSync(join(folder, 'oci.tar'))));
  }));

test('archives are read whatever the order of their files, and where layers are links', () =>
  scratch(async (folder) => {
    const image = await sample();
    await dockerArchive(join(folder, 'one.tar')).write('a:1', image);
    const entries: { path: string; content: Buffer }[] = [];
    for await (const { entry, content } of readTar(chunked(readFileSync(join(folder, 'one.tar')))))
      if (entry.type === 'file') entries.push({ path: entry.path, content: await collect(content) });
    const moved = entries.reverse().flatMap(({ path, content }, i): RawEntry[] => {
      if (!path.endsWith('layer.tar')) return [file(`/${path}`, content.toString('latin1'))];
      return [
        { name: path, flag: i % 2 ? '2' : '1', link: i % 2 ? `../blobs/${i}` : `./blobs/${i}` },
        file(`blobs/${i}`, content.toString('latin1')),
      ];
    });
    writeFileSync(join(folder, 'two.tar'), rawTar(moved));
    const same = await identity(await dockerArchive(join(folder, 'two.tar')).image('a:1'), false);
    assert.deepEqual(same, await identity(image, false));
    const loop = [file('manifest.json', '[{"Config":"c","Layers":[]}]'), { name: 'c', flag: '2', link: 'c' }];
    writeFileSync(join(folder, 'loop.tar'), rawTar(loop));
    await assert.rejects(async () => dockerArchive(join(folder, 'loop.tar')).image(''), ImageError);
    const out = [
      file('manifest.json', '[{"Config":"../../etc/passwd","Layers":[]}]'),
      { name: 'c', flag: '2', link: '/etc/passwd' },
    ];
    writeFileSync(join(folder, 'out.tar'), rawTar(out));
    await assert.rejects(async () => dockerArchive(join(folder, 'out.tar')).image(''), ImageError);
  }));

test('an image of an index is chosen by platform', () =>
  scratch(async (folder) => {
    const layout = ociLayout(folder);
    const image = await sample();
    const arm = await imageOfLayers([await layerOf([file('arm')], 'gzip')], {
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8' },
      env: ['X=1'],
    });
    const described = [];
    for (const one of [image, arm]) {
      const { os, architecture } = await one.configuration();
      described.push({ ...(await layout.write(`tmp-${architecture}`, one)), platform: { os, architecture } });
    }
    const index = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: 'application/vnd.oci.image.index.v1+json',
        manifests: described,
      }),
    );
    writeFileSync(join(folder, 'blobs/sha256', digestOf(index).slice(7)), index);
    const top = {
      schemaVersion: 2,
      manifests: [
        { mediaType: 'application/vnd.oci.image.index.v1+json', digest: digestOf(index), size: index.length },
      ],
    };
    writeFileSync(join(folder, 'index.json'), JSON.stringify(top));
    const of = (architecture: string) => layout.image('', { platform: { os: 'linux', architecture } });
    assert.deepEqual(await identity(await of('amd64')), await identity(image));
    assert.deepEqual(await identity(await of('arm64')), await identity(arm));
    await assert.rejects(of('s390x'), /linux\/s390x/);
  }));

test('root file systems: folders and archives become images, and images become folders', () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'etc'), { recursive: true });
    writeFileSync(join(root, 'etc/a'), 'text');
    symlinkSync('etc/a', join(root, 'link'));
    const made = await rootfsImage(root, {
      env: ['PATH=/bin'],
      platform: { os: 'linux', architecture: 'amd64' },
    });
    const same = await rootfsImage(root, {
      env: ['PATH=/bin'],
      platform: { os: 'linux', architecture: 'amd64' },
    });
    assert.deepEqual(await identity(made), await identity(same));
    const configuration = await made?.configuration();
    assert.deepEqual(
      [configuration?.created, configuration?.config?.Env],
      ['1970-01-01T00:00:00Z', ['PATH=/bin']],
    );
    await assert.rejects(rootfsImage(root, { env: ['=x'] }), ImageError);
    for (const compression of ['none', 'gzip', 'zstd'] as const) {
      const archive = join(folder, compression);
      const bytes = await collect(packLayer(chunked(rawTar([file('f', compression)])), compression));
      writeFileSync(archive, bytes);
      const image = await rootfsImage(archive);
      await identity(image);
      const out = join(folder, `${compression}-out`);
      await rootfsSink(out, { owners: 'none' }).write('', image as Image);
      assert.equal(readFileSync(join(out, 'f'), 'utf8'), compression);
      await assert.rejects(
        rootfsSink(out, { owners: 'none' }).write('', image as Image),
        /is a folder that is not empty/,
      );
    }
    const out = join(folder, 'out');
    await rootfsSink(out, { owners: 'none' }).write('', await sample());
    assert.deepEqual(readdirSync(out, { recursive: true }).sort(), ['c', 'etc', 'etc/b']);
    // What changes while it is read is found out.
    writeFileSync(join(root, 'etc/a'), 'next');
    await assert.rejects(identity(made), ImageError);
    mkdirSync(join(folder, 'flat'));
    await extractImage(await sample(), join(folder, 'flat'), { owners: 'none' });
    assert.equal(readFileSync(join(folder, 'flat/c'), 'utf8'), 'c');
  }));

test('skopeo reads what we write, and we what skopeo writes', { skip: without('skopeo') }, () =>
  scratch(async (folder) => {
    const image = await sample('1', ['gzip', 'gzip', 'gzip']);
    const exact = await identity(image);
    const at = (name: string) => join(folder, name);
    const copy = (from: string, to: string) => run(['skopeo', '--insecure-policy', 'copy', '-q', from, to]);
    await ociLayout(at('layout')).write('v1', image);
    await ociArchiveSink(at('oci.tar')).write('v1', image);
    await dockerArchive(at('docker.tar')).write('example/app:1', image);
    const sources: [string, string, ImageSource, string, boolean][] = [
      [`oci:${at('layout')}:v1`, `oci:${at('l2')}:x`, ociLayout(at('l2')), 'x', true],
      [`oci-archive:${at('oci.tar')}:v1`, `oci-archive:${at('a2')}:x`, ociArchive(at('a2')), 'x', true],
      [
        `oci-archive:${at('oci.tar')}`,
        `docker-archive:${at('d1')}:e/f:2`,
        dockerArchive(at('d1')),
        'e/f:2',
        false,
      ],
      [
        `docker-archive:${at('docker.tar')}`,
        `docker-archive:${at('d2')}:e/f:2`,
        dockerArchive(at('d2')),
        'e/f:2',
        false,
      ],
    ];
    for (const [from, to, source, name, isExact] of sources) {
      await copy(from, to);
      const got = await identity(await source.image(name), isExact);
      assert.deepEqual(got.layers, exact.layers, to);
      if (isExact) assert.equal(got.manifest, exact.manifest, to);
    }
  }),
);
