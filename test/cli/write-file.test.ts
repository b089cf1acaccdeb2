import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { Workplace } from '../../src/cli/workplace.ts';
import { writeFileSafely } from '../../src/cli/write-file.ts';

const workplace: Workplace = { name: 'run', temporary: '', logs: '', isOver: () => false, close: () => {} };

async function* content(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('one ');
  yield Buffer.from('two');
}

test('a file is replaced, and a pipe or a device stays and is written to', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luet-ts-write-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'file');
  writeFileSync(file, 'before');
  await writeFileSafely(file, content(), workplace);
  assert.equal(readFileSync(file, 'utf8'), 'one two');

  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const read = readFile(pipe, 'utf8');
  await writeFileSafely(pipe, content(), workplace);
  assert.equal(await read, 'one two');
  assert.ok(lstatSync(pipe).isFIFO());

  const device = join(folder, 'null');
  if (process.getuid?.() !== 0) return;
  execFileSync('mknod', [device, 'c', '1', '3']);
  await writeFileSafely(device, content(), workplace);
  assert.ok(lstatSync(device).isCharacterDevice());
});
