import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type ExtractOptions, extractLayer, ImageError, removeFolder } from '../../../src/image/index.ts';
import { type RawEntry, rawTar } from '../../support/raw-tar.ts';
import { chunked } from '../../support/stream.ts';

const isRoot = process.getuid?.() === 0;

const dir = (name: string, more: Partial<RawEntry> = {}): RawEntry => ({
  name,
  flag: '5',
  mode: 0o755,
  ...more,
});
const file = (name: string, content = ''): RawEntry => ({ name, flag: '0', content });
const symlink = (name: string, link: string): RawEntry => ({ name, flag: '2', link });
const hardlink = (name: string, link: string): RawEntry => ({ name, flag: '1', link });

/** Every path of a root, with what it is: a folder, a file's content, a link's target. */
function shape(root: string): Record<string, string> {
  const found: Record<string, string> = {};
  const visit = (folder: string, path: string): void => {
    for (const name of readdirSync(folder).sort()) {
      const at = join(folder, name);
      const stat = lstatSync(at);
      if (stat.isDirectory()) {
        found[`${path}${name}/`] = (stat.mode & 0o777).toString(8);
        visit(at, `${path}${name}/`);
      } else if (stat.isSymbolicLink()) found[path + name] = `-> ${readlinkSync(at)}`;
      else found[path + name] = stat.isFile() ? readFileSync(at, 'utf8') : 'node';
    }
  };
  visit(root, '');
  return found;
}

/** What layers give that are laid over each other. */
async function laid(layers: readonly (readonly RawEntry[])[], options: ExtractOptions = {}) {
  const root = mkdtempSync(join(tmpdir(), 'luet-ts-links-'));
  try {
    for (const entries of layers)
      await extractLayer(chunked(rawTar(entries), 700), root, { owners: 'none', ...options });
    return shape(root);
  } finally {
    removeFolder(root);
  }
}

test('a path leads through a link that the same archive made', async () => {
  const cases: readonly (readonly [name: string, entries: readonly RawEntry[], path: string])[] = [
    ['relative', [dir('usr/lib'), symlink('lib', 'usr/lib'), file('lib/m/x', 'X')], 'usr/lib/m/x'],
    ['absolute', [dir('run'), dir('var'), symlink('var/run', '/run'), file('var/run/x', 'X')], 'run/x'],
    ['to nothing yet', [symlink('lib', 'usr/lib'), file('lib/x', 'X')], 'usr/lib/x'],
    [
      'a chain',
      [dir('d'), symlink('c', 'd'), symlink('b', '/c/.'), symlink('a', './b//'), file('a/x', 'X')],
      'd/x',
    ],
    ['upwards', [dir('a/b'), symlink('a/b/c', '../../../../e'), file('a/b/c/x', 'X')], 'e/x'],
    [
      'upwards behind a link',
      [dir('a/b'), symlink('l', 'a/b'), symlink('m', 'l/../c'), file('m/x', 'X')],
      'a/c/x',
    ],
    ['a further name of a link', [dir('d'), symlink('a', 'd'), hardlink('b', 'a'), file('b/x', 'X')], 'd/x'],
    ['made anew', [dir('d'), dir('e'), symlink('a', 'd'), symlink('a', 'e'), file('a/x', 'X')], 'e/x'],
  ];
  for (const [name, entries, path] of cases) {
    const found = await laid([entries]);
    assert.equal(found[path], 'X', `${name}: ${JSON.stringify(found)}`);
    for (const { name: link, flag } of entries)
      if (flag === '2') assert.match(found[link] ?? '', /^->/, `${name}: ${link} stays a link`);
  }
});

test('an entry for a folder itself replaces the link, and folders are made as those behind it', async () => {
  const found = await laid([
    [dir('usr/lib'), symlink('lib', 'usr/lib'), dir('lib/', { mode: 0o711 }), file('lib/x', 'X')],
  ]);
  assert.deepEqual(found, { 'lib/': '711', 'lib/x': 'X', 'usr/': '755', 'usr/lib/': '755' });
  const behind = await laid([
    [dir('usr/lib'), symlink('lib', 'usr/lib'), dir('lib/m', { mode: 0o700 }), dir('lib/m/n')],
  ]);
  assert.equal(behind['usr/lib/m/'], '700');
});

test('hard links name files behind links', async () => {
  const found = await laid([
    [
      dir('usr/bin'),
      symlink('bin', 'usr/bin'),
      file('usr/bin/perl', 'P'),
      hardlink('h', 'bin/perl'),
      // One path, spelled in two ways.
      hardlink('bin/perl', 'usr/bin/perl'),
    ],
  ]);
  assert.deepEqual([found.h, found['usr/bin/perl'], found.bin], ['P', 'P', '-> usr/bin']);
  await assert.rejects(laid([[file('f/a'), hardlink('f', 'f/a')]]), /which it replaces/);
});

test('whiteouts behind a link hide what is where it leads', async () => {
  const below = [dir('usr/lib'), file('usr/lib/a'), file('usr/lib/b'), dir('usr/o'), file('usr/o/a')];
  const found = await laid([
    below,
    [
      dir('usr/lib'),
      symlink('lib', 'usr/lib'),
      file('lib/.wh.a'),
      symlink('o', 'usr/o'),
      file('o/.wh..wh..opq'),
    ],
  ]);
  assert.deepEqual(Object.keys(found), ['lib', 'o', 'usr/', 'usr/lib/', 'usr/lib/b', 'usr/o/']);
});

test('links of lower layers are not followed', async () => {
  const found = await laid([
    [dir('usr/lib'), symlink('lib', 'usr/lib')],
    [file('lib/x', 'X'), symlink('l', 'lib'), file('l/y', 'Y')],
  ]);
  assert.deepEqual(found, {
    l: '-> lib',
    'lib/': '755',
    'lib/x': 'X',
    'lib/y': 'Y',
    'usr/': '755',
    'usr/lib/': '755',
  });
});

test('in a layer that lies apart, folders behind links are as the lower layers have them', {
  skip: isRoot ? false : 'needs root',
}, async () => {
  const lower = mkdtempSync(join(tmpdir(), 'luet-ts-links-'));
  try {
    await extractLayer(chunked(rawTar([dir('usr/lib', { mode: 0o711 }), file('usr/lib/perl', 'P')])), lower);
    const found = await laid([[symlink('lib', 'usr/lib'), file('lib/x', 'X'), hardlink('h', 'lib/perl')]], {
      form: 'overlay',
      lowers: [lower],
    });
    assert.deepEqual(found, {
      h: 'P',
      lib: '-> usr/lib',
      'usr/': '755',
      'usr/lib/': '711',
      'usr/lib/perl': 'P',
      'usr/lib/x': 'X',
    });
  } finally {
    removeFolder(lower);
  }
});

test('circles of links and paths through files are errors that name them', async () => {
  const refused = async (entries: readonly RawEntry[], message: RegExp) => {
    await assert.rejects(laid([entries]), (error: unknown) => {
      assert.ok(error instanceof ImageError);
      assert.match(error.message, message);
      return true;
    });
  };
  await refused(
    [symlink('a', 'b'), symlink('b', 'a'), file('a/x')],
    /too many symbolic links in the path "a"/,
  );
  await refused([symlink('a', 'a/a'), file('a/x')], /too many symbolic links/);
  await refused([file('f', 'content'), file('f/x')], /a path contains "f", which is not a folder/);
  await refused([file('f'), symlink('l', 'f'), file('l/x')], /a path contains "f", which is not a folder/);
  await refused([{ name: 'p', flag: '6' }, file('p/x')], /a path contains "p", which is not a folder/);
  // Forty links are as many as the kernel follows.
  const chain = (count: number) => [
    dir('d'),
    symlink('l1', 'd'),
    ...Array.from({ length: count - 1 }, (_, i) => symlink(`l${i + 2}`, `l${i + 1}`)),
    file(`l${count}/x`, 'X'),
  ];
  assert.equal((await laid([chain(40)]))['d/x'], 'X');
  await refused(chain(41), /too many symbolic links/);
});

test('a folder of a lower layer gives way to a file, and takes the place of one', async () => {
  const found = await laid([
    [file('f', 'F'), dir('d'), file('d/x')],
    [file('f/x', 'X'), file('d', 'D')],
  ]);
  assert.deepEqual(found, { d: 'D', 'f/': '755', 'f/x': 'X' });
});

test('the root of a system whose archive has paths through its own links stays whole', async () => {
  const root = mkdtempSync(join(tmpdir(), 'luet-ts-links-'));
  try {
    mkdirSync(join(root, 'at'));
    const entries = [
      dir('usr'),
      dir('usr/lib'),
      file('usr/lib/libc.so', 'libc'),
      symlink('lib', 'usr/lib'),
      file('lib/modules/m.ko', 'ko'),
    ];
    await extractLayer(chunked(rawTar(entries)), join(root, 'at'), { owners: 'none' });
    assert.deepEqual(shape(join(root, 'at')), {
      lib: '-> usr/lib',
      'usr/': '755',
      'usr/lib/': '755',
      'usr/lib/libc.so': 'libc',
      'usr/lib/modules/': '755',
      'usr/lib/modules/m.ko': 'ko',
    });
  } finally {
    removeFolder(root);
  }
});
