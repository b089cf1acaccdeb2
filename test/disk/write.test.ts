import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  checkWritable,
  FileError,
  isFolderThere,
  makeFolder,
  writeFile,
  writeFileOrStream,
} from '../../src/disk/index.ts';

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-write-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('one ');
  yield Buffer.from('two');
}

test('a file is replaced, and a pipe or a device stays and is written to', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'file');
  writeFileSync(file, 'before');
  await writeFileOrStream(file, content());
  assert.equal(readFileSync(file, 'utf8'), 'one two');

  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const read = readFile(pipe, 'utf8');
  await writeFileOrStream(pipe, content());
  assert.equal(await read, 'one two');
  assert.ok(lstatSync(pipe).isFIFO());

  const device = join(folder, 'null');
  if (process.getuid?.() !== 0) return;
  execFileSync('mknod', [device, 'c', '1', '3']);
  await writeFileOrStream(device, content());
  assert.ok(lstatSync(device).isCharacterDevice());
});

test('a pipe that nobody reads is an error, and nobody waits for it', async (t) => {
  const pipe = join(scratch(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(writeFileOrStream(pipe, content()), /pipe cannot be written: .* nobody reads/);
});

test('where only files are written, a pipe and a device are errors and stay', async (t) => {
  const folder = scratch(t);
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(
    writeFile(pipe, () => content()),
    /it is a named pipe, and a file is expected/,
  );
  assert.ok(lstatSync(pipe).isFIFO());
});

test('a link to a file stays one, and one to nowhere is an error', async (t) => {
  const folder = scratch(t);
  const [file, link, dead] = ['file', 'link', 'dead'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(file, 'before');
  symlinkSync('file', link);
  await writeFile(link, () => content());
  assert.equal(readlinkSync(link), 'file');
  assert.equal(readFileSync(file, 'utf8'), 'one two');
  symlinkSync('nowhere', dead);
  await assert.rejects(
    writeFile(dead, () => content()),
    /dead is a symbolic link to nowhere, which does not exist/,
  );
});

test('what cannot be written is found out before content is asked for, and leaves nothing', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'folder'));
  writeFileSync(join(folder, 'file'), 'kept');
  const cases: readonly (readonly [path: string, says: RegExp])[] = [
    ['missing/x', /the folder .*\/missing does not exist/],
    ['folder', /it is a folder, and a file is expected/],
    ['file/x', /\/file is a file, and not a folder/],
    ['a'.repeat(256), /has 256 bytes, and at most 255 are possible/],
  ];
  for (const [path, says] of cases) {
    const never = (): never => {
      throw new Error('asked for content');
    };
    await assert.rejects(writeFile(join(folder, path), never), (error) => {
      assert.ok(error instanceof FileError, String(error));
      assert.match(error.message, says);
      return true;
    });
  }
  await assert.rejects(
    writeFile(join(folder, 'half'), async function* () {
      yield Buffer.from('half');
      throw new Error('over');
    }),
    /^Error: over$/,
  );
  assert.deepEqual(readdirSync(folder).sort(), ['file', 'folder']);
  assert.equal(readFileSync(join(folder, 'file'), 'utf8'), 'kept');
});

test('folders are made, and below /proc that ends with an error', (t) => {
  const folder = scratch(t);
  const deep = join(folder, 'a/b/c');
  assert.deepEqual(
    makeFolder(deep),
    ['a', 'a/b', 'a/b/c'].map((path) => join(folder, path)),
  );
  assert.deepEqual(makeFolder(deep), []);
  for (const path of ['/proc/x', '/proc/x/y', '/proc/1/x'])
    assert.throws(() => makeFolder(path), /no files can be made in \/proc/);
  assert.throws(() => checkWritable('/proc/1'), /no files can be made in \/proc/);
});

test('folders that are too deep are not made in part', (t) => {
  const folder = scratch(t);
  assert.throws(() => makeFolder(join(folder, 'd/'.repeat(2100))), /at most 4095 are possible/);
  assert.deepEqual(readdirSync(folder), []);
});

test('whether a folder is there, or something else', (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('nowhere', join(folder, 'dead'));
  assert.equal(isFolderThere(folder), true);
  assert.equal(isFolderThere(join(folder, 'missing/x')), false);
  for (const path of ['file', 'file/x', 'dead', 'dead/x'])
    assert.throws(() => isFolderThere(join(folder, path)), FileError, path);
  checkWritable(join(folder, 'missing/x'));
  assert.deepEqual(readdirSync(folder).sort(), ['dead', 'file']);
});
