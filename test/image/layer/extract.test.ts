import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import {
  type ExtractOptions,
  extractLayer,
  ImageError,
  removeFolder,
  writeFolderAside,
} from '../../../src/image/index.ts';
import { getAttribute } from '../../../src/tar/index.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { chunked } from '../../support/stream.ts';
import { run, without } from '../../support/tool.ts';

const isRoot = process.getuid?.() === 0;
const needsRoot = isRoot ? false : 'needs root';

async function scratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-extract-'));
  try {
    await work(folder);
  } finally {
    removeFolder(folder);
  }
}

const extract = (entries: readonly RawEntry[], root: string, options: ExtractOptions = {}) => {
  if (!existsSync(root)) {
    mkdirSync(root, { recursive: true });
    utimesSync(root, 0, 0);
  }
  return extractLayer(chunked(rawTar(entries), 900), root, isRoot ? options : { owners: 'none', ...options });
};

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

/** What a file system holds, path by path. */
function listing(root: string): string[] {
  const lines: string[] = [];
  const visit = (path: Buffer, name: string): void => {
    const { mode, uid, gid, size, mtimeMs, rdev } = lstatSync(path);
    const type = mode & 0o170000;
    const what =
      type === 0o120000
        ? readlinkSync(path)
        : type === 0o100000
          ? `${size} ${readFileSync(path, 'latin1')}`
          : '';
    // A file system may round times; archives have whole seconds.
    lines.push([name, mode.toString(8), uid, gid, Math.floor(mtimeMs / 1000), rdev, what].join(' '));
    if (type !== 0o040000) return;
    for (const child of readdirSync(path, 'buffer').sort(Buffer.compare))
      visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`);
  };
  visit(Buffer.from(root), '');
  return lines;
}

test('all kinds of entries with all their metadata', { skip: needsRoot }, () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    const capability = Buffer.from('01000002802c0000802c00000000000000000000', 'hex').toString('latin1');
    const xattrs = { 'SCHILY.xattr.security.capability': capability, 'SCHILY.xattr.user.note': 'n' };
    const result = await extract(
      [
        // What is said of the root means nothing.
        dir('', { mode: 0o751, mtime: 5, uid: 3 }),
        dir('d', { mode: 0o1777, uid: 7, gid: 8, mtime: 1000, pax: { 'SCHILY.xattr.user.d': 'v' } }),
        file('d/f', 'text', { mode: 0o4755, uid: 1, gid: 2, mtime: 3000, pax: xattrs }),
        file('d/\xff\xfe', 'bytes', { pax: { ...xattrs, 'SCHILY.xattr.trusted.overlay.opaque': 'y' } }),
        hardlink('d/g', 'd/f'),
        symlink('d/l', 'no where'),
        hardlink('d/m', 'd/l'),
        { name: 'd/p', flag: '6', mode: 0o622, mtime: 44 },
        { name: "it's a device", flag: '3', mode: 0o666, major: 1, minor: 300, uid: 4 },
        { name: 'b', flag: '4', major: 8, minor: 1 },
        hardlink('c', 'b'),
        file('gone'),
        dir('gone'),
      ],
      root,
    );
    assert.deepEqual(result, {
      entries: 13,
      bytes: 9,
      skippedDevices: 0,
      skippedAttributes: 0,
    });
    assert.deepEqual(listing(root), [
      ' 40755 0 0 0 0 ',
      '/b 60644 0 0 1000000000 2049 ',
      '/c 60644 0 0 1000000000 2049 ',
      '/d 41777 7 8 1000 0 ',
      '/d/f 104755 1 2 3000 0 4 text',
      '/d/g 104755 1 2 3000 0 4 text',
      '/d/l 120777 0 0 1000000000 0 no where',
      '/d/m 120777 0 0 1000000000 0 no where',
      '/d/p 10622 0 0 44 0 ',
      '/d/\xff\xfe 100644 0 0 1000000000 0 5 bytes',
      '/gone 40755 0 0 1000000000 0 ',
      "/it's a device 20666 4 0 1000000000 1048876 ",
    ]);
    assert.equal(lstatSync(join(root, 'd/f')).ino, lstatSync(join(root, 'd/g')).ino);
    const attribute = (path: string, name: string, isFolder = false) =>
      getAttribute({ path: `${root}/${path}`, isFolder, scratch: join(folder, 'free') }, name)?.toString(
        'latin1',
      );
    for (const path of ['d/f', 'd/\xff\xfe']) {
      assert.equal(attribute(path, 'security.capability'), capability);
      assert.equal(attribute(path, 'user.note'), 'n');
    }
    assert.equal(attribute('d/\xff\xfe', 'trusted.overlay.opaque'), undefined);
    assert.equal(attribute('d', 'user.d', true), 'v');
  }),
);

test('whiteouts hide lower layers and never their own', () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    await extract(
      [
        dir('a'),
        file('a/1'),
        file('a/2'),
        dir('b'),
        file('b/1'),
        file('c'),
        dir('d'),
        dir('d/e'),
        file('d/e/1'),
      ],
      root,
    );
    await extract(
      [
        file('a/2', 'new'),
        file('a/.wh..wh..opq'),
        file('.wh.c'),
        file('c', 'new'),
        file('d/e/2'),
        file('.wh.d'),
        file('.wh.b'),
        file('.wh.none'),
        file('no/.wh.x'),
      ],
      root,
    );
    const names = listing(root).map((line) => line.split(' ')[0]);
    assert.deepEqual(names, ['', '/a', '/a/2', '/c', '/d', '/d/e', '/d/e/2', '/no']);
  }));

test('a folder that takes the place of a whiteout shows what is beneath, as in engines', () =>
  scratch(async (folder) => {
    const below = [dir('a', { mode: 0o700 }), file('a/low'), file('b'), dir('c'), file('c/low')];
    const layer = [file('.wh.a'), dir('a'), file('.wh.b'), dir('b'), file('.wh.c'), file('c/up')];
    await extract(below, join(folder, 'plain'));
    await extract(layer, join(folder, 'plain'));
    const names = listing(join(folder, 'plain')).map((line) => line.split(' ', 2).join(' '));
    assert.deepEqual(names, [names[0], '/a 40755', '/a/low 100644', '/b 40755', '/c 40755', '/c/up 100644']);
  }));

test('a root that says to hide everything beneath hides nothing, as in engines', () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    await extract([file('a')], root);
    await extract([file('.wh..wh..opq'), file('b')], root);
    assert.deepEqual(readdirSync(root), ['a', 'b']);
  }));

test('devices that are left out leave nothing', () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    await extract([file('a')], root);
    const devices = ['a', 'b'].map((name) => ({ name, flag: '3', major: 1, minor: 3 }));
    assert.equal((await extract(devices, root, { devices: 'skip' })).skippedDevices, 2);
    assert.deepEqual(readdirSync(root), []);
  }));

test('a folder keeps its times and mode when a later layer changes what is in it', () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    await extract([dir('a', { mode: 0o555, mtime: 77 }), file('a/1')], root);
    await extract([file('a/2'), file('a/.wh.1')], root);
    const { mode, mtimeMs } = statSync(join(root, 'a'));
    assert.deepEqual([mode & 0o7777, mtimeMs, readdirSync(join(root, 'a'))], [0o555, 77_000, ['2']]);
  }));

test('sparse files keep their holes', { skip: without('tar') }, () =>
  scratch(async (folder) => {
    await run([
      'sh',
      '-c',
      'truncate -s 20M "$1/s" && printf x | dd of="$1/s" bs=1 seek=9000000 conv=notrunc',
      'sh',
      folder,
    ]);
    for (const form of ['--format=gnu', '--sparse-version=0.1', '--sparse-version=1.0']) {
      const archive = await run([
        'tar',
        '-cS',
        ...(form.startsWith('--s') ? ['--format=pax'] : []),
        form,
        '-C',
        folder,
        's',
      ]);
      const root = join(folder, form);
      mkdirSync(root);
      const { bytes } = await extractLayer(chunked(archive, 10_000), root, { owners: 'none' });
      assert.ok(bytes <= 128 * 1024);
      assert.ok(readFileSync(join(root, 's')).equals(readFileSync(join(folder, 's'))));
      assert.ok(statSync(join(root, 's')).blocks * 512 <= 256 * 1024);
    }
  }),
);

const part = fc.constantFrom('a', 'b', 'c', '\xfe');
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const link = fc.constantFrom('a', '/b', 'a/b', '../b', '../../c', '.', 'c/../a');
const mtime = fc.integer({ min: 1, max: 2_000_000_000 });
const plainEntry: fc.Arbitrary<RawEntry> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(path, mtime).map(([name, time]) => file(name, name, { mtime: time, uid: time % 5 })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(path, mtime)
      .map(([name, time]) => dir(name, { mtime: time, mode: 0o700 + (time % 64) })),
  },
  { weight: 2, arbitrary: fc.tuple(path, link).map(([name, to]) => symlink(name, to)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.option(path, { nil: '' }), part)
      .map(([at, name]) => file(`${at === '' ? '' : `${at}/`}.wh.${name}`)),
  },
  { weight: 1, arbitrary: fc.option(path, { nil: '.' }).map((at) => file(`${at}/.wh..wh..opq`)) },
);

const canMount = (): string | false => {
  if (!isRoot) return 'needs root';
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-mount-'));
  for (const name of ['l', 'u', 'w', 'm']) mkdirSync(join(folder, name));
  const options = `lowerdir=${folder}/l,upperdir=${folder}/u,workdir=${folder}/w`;
  const isMounted =
    spawnSync('mount', ['-t', 'overlay', 'overlay', '-o', options, join(folder, 'm')]).status === 0;
  if (isMounted) spawnSync('umount', [join(folder, 'm')]);
  rmSync(folder, { recursive: true });
  return isMounted ? false : 'overlays cannot be mounted here';
};

/** What an archive is refused with; undefined where it is taken. */
const refusal = (extracting: Promise<unknown>): Promise<string | undefined> =>
  extracting.then(
    () => undefined,
    (error: unknown) => {
      assert.ok(error instanceof ImageError, error as Error);
      return error.message;
    },
  );

/**
 * Whether a whiteout comes after what the same layer has at or below its path. Extracted onto a folder such a layer leaves what lower
 * layers have there, and as an overlay layer it hides that: a known difference, on layers that no builder writes.
 */
const hasLateWhiteout = (entries: readonly { readonly name: string }[]): boolean =>
  entries.some(({ name }, at) => {
    const [, folder = '', base] = /^(.*\/)?\.wh\.([^/]+)$/.exec(name) ?? [];
    const hidden = `${folder}${base}`;
    return (
      base !== undefined &&
      entries.slice(0, at).some((one) => one.name === hidden || one.name.startsWith(`${hidden}/`))
    );
  });

test('layers as an overlay mount are what they are when laid over each other', {
  skip: canMount(),
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(plainEntry, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
      fc.constantFrom('overlay' as const, 'overlay-user' as const),
      (layers, form) =>
        scratch(async (folder) => {
          if (layers.some(hasLateWhiteout)) return;
          const flat = join(folder, 'flat');
          const mounted = join(folder, 'mounted');
          mkdirSync(mounted);
          const lowers: string[] = [join(folder, 'empty')];
          mkdirSync(lowers[0] ?? '');
          utimesSync(lowers[0] ?? '', 0, 0);
          for (const [i, entries] of layers.entries()) {
            const refused = await refusal(extract(entries, flat));
            const layer = join(folder, `${i}`);
            assert.equal(await refusal(extract(entries, layer, { form, lowers: [...lowers] })), refused);
            if (refused !== undefined) return;
            lowers.unshift(layer);
          }
          const user = form === 'overlay-user' ? ',userxattr' : '';
          await run([
            'mount',
            '-t',
            'overlay',
            'overlay',
            '-o',
            `lowerdir=${lowers.join(':')}${user}`,
            mounted,
          ]);
          try {
            assert.deepEqual(listing(mounted), listing(flat));
          } finally {
            await run(['umount', mounted]);
          }
        }),
    ),
    { numRuns: 40 },
  );
});

test('a layer that links to what only lower layers have copies it up', { skip: needsRoot }, () =>
  scratch(async (folder) => {
    const [one, two] = [join(folder, '1'), join(folder, '2')];
    await extract(
      [dir('a', { mode: 0o711 }), file('a/f', 'text', { mode: 0o4711, uid: 3 }), file('a/h')],
      one,
      { form: 'overlay' },
    );
    await extract([hardlink('b', 'a/f'), file('a/.wh.h')], two, { form: 'overlay', lowers: [one] });
    assert.deepEqual(listing(two), [
      ' 40755 0 0 0 0 ',
      '/a 40711 0 0 1000000000 0 ',
      '/a/f 104711 3 0 1000000000 0 4 text',
      `/a/h 20600 0 0 ${Math.floor(lstatSync(join(two, 'a/h')).mtimeMs / 1000)} 0 `,
      '/b 104711 3 0 1000000000 0 4 text',
    ]);
    assert.equal(lstatSync(join(two, 'b')).ino, lstatSync(join(two, 'a/f')).ino);
    const three = join(folder, '3');
    await assert.rejects(
      extract([hardlink('c', 'a/h')], three, { form: 'overlay', lowers: [two, one] }),
      ImageError,
    );
  }),
);

test('whiteouts as attributes', { skip: needsRoot }, () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    await extract([file('a/.wh.x'), file('a/.wh.y'), file('o/.wh..wh..opq'), file('o/.wh.x')], root, {
      form: 'overlay-user',
      whiteouts: 'attribute',
    });
    const attribute = (path: string, name: string) =>
      getAttribute({ path: join(root, path), isFolder: false }, `user.overlay.${name}`)?.toString();
    assert.deepEqual(
      ['a', 'o'].map((path) => attribute(path, 'opaque')),
      ['x', 'y'],
    );
    assert.deepEqual(
      ['a/x', 'a/y'].map((path) => attribute(path, 'whiteout')),
      ['y', 'y'],
    );
    assert.deepEqual(readdirSync(join(root, 'o')), []);
  }),
);

test('many whiteouts are made by few processes', { skip: needsRoot }, () =>
  scratch(async (folder) => {
    const root = join(folder, 'root');
    const entries = Array.from({ length: 300 }, (_, i) => file(`.wh.${i}`));
    await extract([...entries, dir('x')], root, { form: 'overlay' });
    assert.equal(statSync(join(root, '7')).nlink, 300);
  }),
);

test('a folder that is written aside is there whole or not at all', () =>
  scratch(async (folder) => {
    const [target, temporary] = [join(folder, 'target'), join(folder, '.temporary')];
    const bad = rawTar([dir('d', { mode: 0 }), file('d/f', 'x'), hardlink('x', 'none')]);
    const fill = (bytes: Buffer) => (at: string) => extractLayer(chunked(bytes), at, { owners: 'none' });
    await assert.rejects(writeFolderAside(target, temporary, fill(bad)), ImageError);
    assert.deepEqual(readdirSync(folder), []);
    await writeFolderAside(target, temporary, fill(rawTar([file('f')])));
    assert.deepEqual([readdirSync(folder), readdirSync(target)], [['target'], ['f']]);
    // Somebody else's folder is nobody's to remove.
    writeFileSync(temporary, 'mine');
    await assert.rejects(writeFolderAside(join(folder, 'b'), temporary, fill(rawTar([]))));
    assert.equal(readFileSync(temporary, 'utf8'), 'mine');
  }));

test('others get their turn while an archive in memory is extracted', () =>
  scratch(async (folder) => {
    let turns = 0;
    let isOver = false;
    const counting = (async () => {
      for (; !isOver; turns++) await setImmediate();
    })();
    await extract(
      Array.from({ length: 3000 }, (_, i) => file(`f${i}`)),
      join(folder, 'root'),
    );
    isOver = true;
    await counting;
    assert.ok(turns > 1);
  }));
